/** Questions that leads ask, ready: each is one query over the views, which a reader can take and change. */

export interface Question {
  readonly words: string;
  /** What it wants to be told; $1. */
  readonly argument?: string;
  readonly sql: string;
}

/** A name without a schema means it in every schema; one with a schema also what texts call without one. */
const namesTable = `len(list_filter(tables, lambda name:
         name = lower($1) OR split_part(name, '.', -1) = lower($1)
         OR (contains($1, '.') AND NOT contains(name, '.') AND name = split_part(lower($1), '.', -1)))) > 0`;

export const questions = {
  'who-touched': {
    words: 'every statement about a table: who, when, what, and what became of it',
    argument: 'TABLE',
    sql: `SELECT s.time, s.person, s.agent, s.sid, s.n, array_to_string(s.effects, ', ') AS effects,
       coalesce(v.decision, s.decision) AS decision, o.how, o.row_count, s.sql
  FROM statements s
  LEFT JOIN verdicts v ON v.sid = s.sid AND v.statement = s.n
  LEFT JOIN outcomes o ON o.sid = s.sid AND o.statement = s.n
 WHERE ${namesTable}
 ORDER BY s.time`,
  },
  denied: {
    words: 'what was not let through, by whom, and why',
    sql: `SELECT s.time, s.person, s.agent, s.sid, s.n, v.decision, v.decided_by, v.name, v.rule, v.reason, s.sql
  FROM verdicts v JOIN statements s ON s.sid = v.sid AND s.n = v.statement
 WHERE v.decision <> 'allow'
 ORDER BY s.time`,
  },
  'top-writers': {
    words: 'who changed how many rows of what',
    sql: `SELECT s.person, s.agent, array_to_string(s.writes, ', ') AS tables, count(*) AS statements,
       sum(o.row_count) AS row_count, max(s.time) AS last
  FROM statements s JOIN outcomes o ON o.sid = s.sid AND o.statement = s.n
 WHERE o.how = 'done' AND len(s.writes) > 0
 GROUP BY ALL
 ORDER BY row_count DESC NULLS LAST, statements DESC`,
  },
  'masked-reads': {
    words: 'who read masked columns, drew conclusions from them, or met data that nobody declared',
    sql: `SELECT person, agent, found, column_name, count(*) AS results, min(time) AS first, max(time) AS last
  FROM (SELECT person, agent, time, 'masked' AS found, unnest(masked) AS column_name FROM outcomes
        UNION ALL SELECT person, agent, time, 'inferred', unnest(inferred) FROM outcomes
        UNION ALL SELECT person, agent, time, 'not declared', unnest(detected) FROM outcomes)
 GROUP BY ALL
 ORDER BY results DESC, person, column_name`,
  },
  'unused-grants': {
    words: 'times for which a role or a connection was granted, and in which nothing used it',
    sql: `SELECT w.time, w.person, w.agent, w.sid, w.n, w.access, coalesce(w.role, w.granted_connection) AS granted,
       w.for_ms // 60000 AS minutes, w.reason
  FROM grants w
 WHERE w.kind = 'window' AND w.event = 'open'
   AND NOT EXISTS (FROM grants g WHERE g.sid = w.sid AND g.granted_in = w.n)
   AND NOT EXISTS (FROM connections c WHERE c.sid = w.sid AND c.granted_in = w.n)
 ORDER BY w.time`,
  },
  agents: {
    words: 'which agents ran, for whom, and how often they were stopped',
    sql: `SELECT agent, count(*) AS sessions, count(DISTINCT person) AS people, sum(statements) AS statements,
       sum(asked) AS asked, sum(denied) AS denied, min(opened_at) AS first, max(last_entry_at) AS last
  FROM sessions
 GROUP BY agent
 ORDER BY sessions DESC`,
  },
} as const satisfies Readonly<Record<string, Question>>;

export type QuestionName = keyof typeof questions;
export const questionNames = Object.keys(questions) as QuestionName[];

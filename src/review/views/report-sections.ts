/** What the report of a day says: a query a section, over the views. $1 and $2 are the day's first and last moment, as texts. */

export interface ReportSection {
  readonly title: string;
  /** Where there are no rows. */
  readonly none: string;
  readonly sql: string;
}

const today = (column: string): string => `${column} >= $1::TIMESTAMP AND ${column} < $2::TIMESTAMP`;
/** What counts: the views of a report hold all rows, since those that nothing proves are told of too. */
const proven = (column: string): string => `${column.replace(/\w+$/, 'verified')} AND ${today(column)}`;

/** Rows that one statement changes before it is many. */
const MANY_ROWS = 1000;

export const reportSections: readonly ReportSection[] = [
  {
    title: 'In short',
    none: '',
    sql: `SELECT count(*) AS sessions, count(DISTINCT person) AS people, count(DISTINCT agent) AS agents,
       sum(statements) AS statements, sum(asked) AS asked, sum(denied) AS denied
  FROM sessions WHERE ${proven('opened_at')}`,
  },
  {
    title: 'Sessions that are not whole, or not proven',
    none: 'Every session is proven and sealed.',
    sql: `SELECT sid, person, agent, verification, state, array_to_string(findings, ', ') AS findings
  FROM sessions WHERE ${today('opened_at')} AND (verification <> 'proven' OR state <> 'complete') ORDER BY opened_at`,
  },
  {
    title: 'People',
    none: 'Nobody.',
    sql: `SELECT person, count(*) AS sessions, sum(statements) AS statements, sum(asked) AS asked, sum(denied) AS denied
  FROM sessions WHERE ${proven('opened_at')} GROUP BY person ORDER BY statements DESC`,
  },
  {
    title: 'Agents',
    none: 'None.',
    sql: `SELECT coalesce(agent, '(none)') AS agent, count(*) AS sessions, count(DISTINCT person) AS people,
       sum(statements) AS statements, sum(denied) AS denied
  FROM sessions WHERE ${proven('opened_at')} GROUP BY ALL ORDER BY sessions DESC`,
  },
  {
    title: 'Denied',
    none: 'Nothing was denied.',
    sql: `SELECT strftime(s.time, '%H:%M:%S') AS time, s.person, s.agent, v.decided_by, v.rule, v.reason, s.sid, s.n, left(s.sql, 200) AS sql
  FROM verdicts v JOIN statements s ON s.sid = v.sid AND s.n = v.statement
 WHERE v.decision <> 'allow' AND ${proven('v.time')} ORDER BY s.time`,
  },
  {
    title: 'Mass changes',
    none: `No statement wrote ${MANY_ROWS} rows, or rows without a condition.`,
    sql: `SELECT strftime(s.time, '%H:%M:%S') AS time, s.person, s.agent, array_to_string(s.writes, ', ') AS tables, o.row_count,
       s.unbounded, s.sid, s.n, left(s.sql, 200) AS sql
  FROM statements s JOIN outcomes o ON o.sid = s.sid AND o.statement = s.n
 WHERE o.how = 'done' AND len(s.writes) > 0 AND ${proven('s.time')}
   AND (o.row_count >= ${MANY_ROWS} OR (s.unbounded AND NOT list_contains(s.effects, 'insert')))
 ORDER BY o.row_count DESC NULLS LAST`,
  },
  {
    title: 'Data that was seen unmasked',
    none: 'No result had data in it that nobody had declared, or said something of a masked column.',
    sql: `SELECT person, agent, what, column_name, count(*) AS results
  FROM (SELECT person, agent, time, verified, 'not declared' AS what, unnest(detected) AS column_name FROM outcomes
        UNION ALL SELECT person, agent, time, verified, 'concluded from', unnest(inferred) FROM outcomes)
 WHERE ${proven('time')} GROUP BY ALL ORDER BY results DESC`,
  },
  {
    title: 'Roles and connections that were granted',
    none: 'None.',
    sql: `SELECT strftime(time, '%H:%M:%S') AS time, person, agent, kind, access, coalesce(role, granted_connection) AS granted,
       for_ms // 60000 AS minutes, reason, sid, n
  FROM grants WHERE (event IS NULL OR event = 'open') AND ${proven('time')} ORDER BY time`,
  },
];

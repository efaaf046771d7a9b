/** The three tools, on whatever leads to the guarded database. */
import type { StatementOutcome } from '../../io/upstream/run-statement.js';
import type { Judged } from '../judge/judging.js';
import { failure, lateWords, outcomeWords, refusalWords, type Said, severalWords, waitingWords } from './answers.js';
import { explanationWords } from './explanation-words.js';
import { HeldStatements, type Send } from './held-statements.js';
import type { Tool } from './server.js';
import { readExplain, readQuery } from './tools.js';

export interface GuardedDatabase {
  readonly send: Send;
  /** How many statements the text is; undefined where nobody can read it. */
  count(sql: string): Promise<number | undefined>;
  /** What the policy says of a text; undefined where it is not known here: inside of a `dbguard run`. */
  judge(sql: string): Promise<Judged | undefined>;
  /** Who, where, recorded as what. */
  about(): Promise<Readonly<Record<string, unknown>>>;
}

export interface Tools {
  readonly query: Tool;
  readonly explain: Tool;
  readonly status: Tool;
  /** Cancels what is under way. */
  leave(): void;
}

/** @param holdMs see HeldStatements */
export function guardedTools(database: GuardedDatabase, holdMs: number): Tools {
  const statements = new HeldStatements(database.send, holdMs);
  return {
    leave: () => statements.cancelAll(),

    async query(given, signal) {
      const asked = readQuery(given);
      // the server refuses it as well, in words that may be masked
      if (((await database.count(asked.sql)) ?? 1) > 1) return failure(severalWords);
      const told = await statements.ask(asked, signal);
      if (told.kind === 'waits') return waitingWords(told.ticket, told.why);
      if (told.kind !== 'outcome') return refusalWords(told.kind);
      const said = outcomeWords(told.outcome, told.limit);
      return told.late ? { ...said, text: `${lateWords}\n${said.text}` } : said;
    },

    async explain(given, signal) {
      const { sql, values } = readExplain(given);
      const judged = await database.judge(sql);
      const plan = await planOf(database.send, sql, values, signal);
      return { text: JSON.stringify({ ...(judged && explanationWords(judged)), plan }) };
    },

    async status() {
      const now = Date.now();
      const waiting = statements.waiting.map(({ ticket, sql, since, over }) => ({
        ticket,
        sql: sql.length > longestHead ? `${sql.slice(0, longestHead)}…` : sql,
        seconds: Math.round((now - since) / 1000),
        state: over ? 'there is an outcome: ask again with the ticket' : 'waits or runs',
      }));
      return { text: JSON.stringify({ ...(await database.about()), waiting }) };
    },
  };
}

const longestHead = 200;
const planRows = 200;
const planMs = 10_000;

/** The options stand in parentheses: whatever the text begins with, it is never EXPLAIN ANALYZE, which would run it. */
async function planOf(
  send: Send,
  sql: string,
  values: readonly (string | null)[],
  signal: AbortSignal,
): Promise<unknown> {
  let asked = false;
  const sent = send({ sql: `EXPLAIN (COSTS) ${sql}`, values }, { rows: planRows }, () => {
    // nobody is asked for a plan
    asked = true;
    sent.cancel();
  });
  const stop = (): void => sent.cancel();
  signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(stop, planMs);
  try {
    return asked ? undefined : planWords(await sent.outcome);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function planWords(outcome: StatementOutcome): Said['text'] | readonly string[] {
  const { error, rows } = outcome;
  if (error === undefined) return rows.map(([line]) => line ?? '');
  // not everything has a plan
  if (error.get('C') === '42601')
    return 'none: PostgreSQL plans SELECT, INSERT, UPDATE, DELETE and MERGE only, one at a time';
  return failure(`none: ${error.get('M') ?? ''}`).text;
}

/**
 * The dry run: the held statement really runs, in its own session and transaction, is counted, and is undone
 * before anybody else could see it. Refused where it would leave something behind.
 *
 * What lives here: the order of it, and the analyser that reads functions as the session sees them. What it must not
 * know: the screen, who asked.
 */
import { createAnalyser } from '../../sql/analyser.js';
import { functionsQuery, LoadedFunctions } from '../../sql/catalog/loaded-functions.js';
import type { Analyser } from '../../sql/facts.js';
import { counted } from '../../words.js';
import type { Candidate } from '../candidate.js';
import { rowsChangedIn } from '../command-tag.js';
import { changedByTable } from '../internal-queries/changed-by-table.js';
import type { InternalSession } from '../internal-queries/internal-queries.js';
import { type InternalAnswer, ServerRefusal } from '../internal-queries/internal-reply.js';
import { withInternalSearchPath } from '../internal-queries/internal-search-path.js';
import { type RowsByTable, rowsBetween, rowsOfTags } from '../row-counts/shown-rows.js';
import type { DryRun, DryRunRow, ImpactLine } from '../statement/asker.js';
import { dryRunLimits } from '../statement/assessor.js';
import type { HeldStatement } from '../statement/held-statement.js';
import { type Counts, countChanges, failingAtCommit, newChanges, newLocks, strongLocks } from './effects.js';
import { reachOf } from './reach.js';
import { type ChangedTable, changedTable, runSampled } from './sample.js';
import { changesAnything, factsObstacle } from './undoable.js';

export class DryRunner {
  readonly #functions = new LoadedFunctions();
  #analyser: Promise<Analyser> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** Rejects only when the connection or the scope around is lost. One at a time: functions are those of one session. */
  run(candidate: Candidate, held: HeldStatement, session: InternalSession): Promise<DryRun> {
    const run = this.#turn.then(() => this.#run(candidate, held, session));
    this.#turn = run.catch(() => {});
    return run;
  }

  async #run(candidate: Candidate, held: HeldStatement, session: InternalSession): Promise<DryRun> {
    const refused = refusal(candidate);
    if (refused !== undefined) return { refused };
    this.#analyser ??= createAnalyser({ catalog: this.#functions, cacheEntries: 1000 });
    const analyser = await this.#analyser;
    const functions = await withInternalSearchPath(session, () => session.ask(functionsQuery));
    this.#functions.replace(functions);
    const facts = analyser.analyse(candidate.sql);
    const { obstacle, tables, undecidedBy } = await reachOf(facts, candidate.sql, session, analyser);
    if (obstacle !== undefined) return { refused: obstacle };

    const changesNow = async (): Promise<Changes> => ({
      reached: await countChanges(tables, session),
      all: await changedByTable(session),
    });
    const locksBefore = await strongLocks(session);
    const startedAt = performance.now();
    const ran = await execute(candidate, held, session, analyser, changesNow, undecidedBy === undefined);
    const took = duration(performance.now() - startedAt);
    if ('failed' in ran) {
      const { failed } = ran;
      return { lines: [{ label: 'dry run', text: failure(failed, held), severity: 'warning' }], rows: [], failed };
    }
    const changesAfter = await changesNow();
    const changes = newChanges(ran.changesBefore.reached, changesAfter.reached, ran.table);
    const locks = newLocks(locksBefore, await strongLocks(session));
    const atCommit = await failingAtCommit(tables, session);
    return {
      lines: [
        { label: 'dry run', text: `${ran.text} (ran ${took}, then undone)`, severity: 'danger' },
        ...(undecidedBy === undefined ? [] : [mayDiffer(undecidedBy)]),
        ...(atCommit ? [{ label: 'at COMMIT', text: failure(atCommit, held), severity: 'warning' } as const] : []),
        ...changes,
        ...locks,
        ...ran.notices,
      ],
      rows: ran.rows,
      counted: { rows: ran.changed, tables: rowsBetween(ran.changesBefore.all, changesAfter.all) },
    };
  }
}

interface Changes {
  /** Of the tables that the statement is known to reach. */
  readonly reached: readonly Counts[];
  readonly all: RowsByTable;
}

/** What can be said without asking the server. Code that the facts call opaque is read from the catalog later. */
function refusal({ facts, kind }: Candidate): string | undefined {
  if (kind === 'function') return 'a FunctionCall cannot be tried out';
  const seen = facts.statements.map((one) => ({ ...one, effects: one.effects.filter(({ opaque }) => !opaque) }));
  const obstacle = factsObstacle({ ...facts, statements: seen });
  if (obstacle !== undefined) return obstacle;
  if (!changesAnything(facts)) return 'it changes no rows and no objects that a dry run could show';
  return undefined;
}

interface Ran {
  readonly text: string;
  /** The table that `text` speaks of. */
  readonly table?: string;
  /** By its own count, inserts left out. */
  readonly changed: number;
  readonly changesBefore: Changes;
  readonly rows: readonly DryRunRow[];
  readonly notices: readonly ImpactLine[];
}

async function execute(
  candidate: Candidate,
  held: HeldStatement,
  session: InternalSession,
  analyser: Analyser,
  changes: () => Promise<Changes>,
  sure: boolean,
): Promise<Ran | { failed: ServerRefusal }> {
  try {
    const table = await changedTable(candidate, session);
    const before = await changes();
    const sample = table && (await runSampled(candidate, held, table, session, analyser));
    if (sample) {
      const text = `${table.verb} ${rowsOf(sample.total, table, sure)}`;
      const changed = table.verb === 'inserts' ? 0 : sample.total;
      return { text, table: table.shown, changed, changesBefore: before, rows: sample.rows, notices: [] };
    }
    // the server also counts what an attempt did that was undone
    const changesBefore = table ? await changes() : before;
    const bound = held.bound && { bound: held.bound, parameterTypes: held.bound.parameterTypes };
    const answers: InternalAnswer[] = [];
    for (const { start, end } of candidate.facts.statements) {
      answers.push(await session.put({ sql: candidate.sql.slice(start, end), discardRows: true, ...bound }));
    }
    const notices = held.diagnosticsMasked ? [] : answers.flatMap((answer) => answer.notices.flatMap(noticeLines));
    const rows = rowsChangedIn(answers.at(-1)?.tag ?? '');
    const changed = rowsOfTags(answers.map(({ tag }) => tag));
    if (table?.alone && rows !== undefined) {
      return {
        text: `${table.verb} ${rowsOf(rows, table, sure)}`,
        table: table.shown,
        changed,
        changesBefore,
        rows: [],
        notices,
      };
    }
    const text = answers.map((answer) => tagWords(answer, sure)).join('; ');
    return { text, changed, changesBefore, rows: [], notices };
  } catch (error) {
    if (error instanceof ServerRefusal) return { failed: error };
    throw error;
  }
}

function failure({ sqlstate, message }: ServerRefusal, held: HeldStatement): string {
  if (sqlstate === '57014') return `stopped after ${duration(dryRunLimits.statementMs)}: it takes longer than that`;
  if (sqlstate === '55P03') return 'stopped: another session holds a lock that it needs';
  return `it would fail: ${held.diagnosticsMasked ? `SQLSTATE ${sqlstate}` : message}`;
}

/** Notices of DDL say what falls with it. */
function noticeLines(notice: ReadonlyMap<string, string>): ImpactLine[] {
  const texts = [notice.get('M') ?? '', ...(notice.get('D') ?? '').split('\n')].filter((text) => text !== '');
  return texts.slice(0, 20).map((text, index) => ({ label: index === 0 ? 'notice' : '', text, severity: 'warning' }));
}

function mayDiffer(by: string): ImpactLine {
  const text = `the real run may do more: it depends on ${by}, which is not the same there`;
  return { label: 'not sure', text, severity: 'danger' };
}

function rowsOf(rows: number, { shown }: ChangedTable, sure: boolean): string {
  return `${number(rows, sure)} of ${shown}`;
}

function number(rows: number, sure: boolean): string {
  return sure ? `exactly ${counted(rows, 'row')}` : `this time ${counted(rows, 'row')}`;
}

function tagWords({ tag }: InternalAnswer, sure: boolean): string {
  const rows = rowsChangedIn(tag);
  return rows === undefined ? `${tag} works` : `${tag.split(' ', 1)[0]} of ${number(rows, sure)}`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}

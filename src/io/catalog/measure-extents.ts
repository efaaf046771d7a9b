/**
 * How many rows the updates and deletes of a statement hit, found out in the client's own session before it runs: by the
 * planner where it has statistics, by counting where it has not or where it says many, and not at all where neither can
 * tell. Nothing asked here changes anything: the session is read-only and undone.
 *
 * What it must not know: from how many rows on somebody is asked.
 */
import type { Extent, Extents } from '../../policy/mass-changes.js';
import type { Candidate } from '../../proxy/candidate.js';
import type { InternalSession } from '../../proxy/internal-queries/internal-queries.js';
import { ServerRefusal } from '../../proxy/internal-queries/internal-reply.js';
import { massEffects } from '../../proxy/row-counts/mass-effects.js';
import type { HeldStatement } from '../../proxy/statement/held-statement.js';
import { watchableCode } from '../../proxy/statement/watchable.js';
import type { Effect, StatementFacts } from '../../sql/facts.js';
import { type Modification, type ReadPlan, readPlan } from './plan.js';
import { rowsOfSmallTables, undefinedIfRefused } from './small-tables.js';

/** Fewer rows are few whatever the planner knows. */
const few = 100;
/** What changed so much since ANALYZE that its statistics say little. */
const staleShare = 0.5;

const plannable: ReadonlySet<string> = new Set(['UPDATE', 'DELETE', 'INSERT', 'MERGE', 'SELECT', 'EXECUTE']);

type Found = Pick<Extent, 'rows' | 'unsure' | 'tableRows' | 'whole' | 'sizeOpen'>;

export async function measureExtents(
  candidate: Candidate,
  held: HeldStatement,
  session: InternalSession,
  needsSize: (effect: Effect) => boolean,
): Promise<Extents> {
  const extents = new Map<Effect, Extent>();
  let measurement: Measurement | undefined;
  for (const { statement, effect } of massEffects(candidate.facts)) {
    if (measurement?.statement !== statement) measurement = new Measurement(candidate, held, session, statement);
    const found = await measurement.of(effect, needsSize(effect)).catch(unlessLost);
    extents.set(effect, { ...found, before: 0, beforeInAll: 0 });
  }
  return extents;
}

function unlessLost(error: unknown): Found {
  if (!(error instanceof ServerRefusal)) throw error;
  return { rows: undefined, unsure: `the database said: ${error.sqlstate}` };
}

class Measurement {
  readonly #sql: string;
  /** What the server is asked to plan. */
  readonly #command: string;
  readonly #alone: boolean;
  readonly #held: HeldStatement;
  readonly #session: InternalSession;
  readonly #bindValues: NonNullable<Candidate['bindValues']>;
  readonly statement: StatementFacts;
  readonly #refusable: boolean;
  #plan: Promise<ReadPlan | 'refused'> | undefined;

  constructor(
    { sql, kind, facts, bindValues }: Candidate,
    held: HeldStatement,
    session: InternalSession,
    statement: StatementFacts,
  ) {
    const written = facts.statements.filter(({ named }) => !named);
    // what runs under a name is planned with the EXECUTE that runs it
    const sent = statement.named && written.length === 1 ? (written[0] ?? statement) : statement;
    this.#sql = sql.slice(sent.start, sent.end);
    this.#command = sent.command;
    this.#alone = written.length === 1 && (facts.statements.length === 1 || sent !== statement) && kind !== 'function';
    // what stands before it in the text may make what it lacks
    this.#refusable = written[0] === sent;
    this.#held = held;
    this.#bindValues = bindValues ?? [];
    this.#session = session;
    this.statement = statement;
  }

  /** @param sized with the size of its table, also where only the budget may need it */
  async of(effect: Effect, sized: boolean): Promise<Found> {
    const { mostRows, mostByColumn } = effect;
    if (mostRows !== undefined && (!mostByColumn || effect.within !== undefined)) {
      const rows = { number: mostRows, how: 'known' } as const;
      return effect.within === undefined ? { rows, ...(await this.#sizeIn(await this.#planned(), effect)) } : { rows };
    }
    if (effect.within !== undefined) return this.#inCode(effect);
    if (!this.#alone && this.#held.bound) return unsure('it is one of several statements that the portal may run');
    if (!plannable.has(this.#command)) return unsure(`${this.#command} cannot be planned ahead`);
    const plan = await this.#planned();
    // the server will refuse the statement as it has refused to plan it
    if (plan === 'refused') return { rows: { number: 0, how: 'counted' } };
    const planned = modificationOf(effect, plan.modifications);
    if (planned === undefined) return unsure('its plan does not show what it changes');
    if (!effect.bounded) return this.#wholeTable(plan, effect);
    const limit = this.#limitOf(effect);
    const number = Math.min(planned.rows, limit ?? Number.POSITIVE_INFINITY);
    if (mostRows !== undefined && number >= mostRows) {
      return { rows: { number: mostRows, how: 'known' }, ...(await this.#sizeIn(plan, effect)) };
    }
    const estimate: Found = { rows: { number, how: 'estimated' } };
    const lack = limit === undefined ? await this.#lackFor(effect, plan) : undefined;
    const isFew = lack === undefined && number <= few;
    if (isFew && !sized) return { ...estimate, sizeOpen: true };
    const size = await this.#sizeIn(plan, effect);
    if (isFew) return { ...estimate, ...size };
    // only its run tells what goes with them
    if (size.tableRows !== undefined && size.tableRows <= few)
      return { rows: { number: size.tableRows, how: 'estimated' } };
    const counted = await this.#count();
    if (counted !== undefined) return { rows: { number: counted, how: 'counted' }, ...size };
    return lack === undefined ? { ...estimate, ...size } : { ...unsure(lack), ...size };
  }

  /** The planner may guess at what the text does not say: the table has no more rows than it has. */
  async #wholeTable(plan: ReadPlan, effect: Effect): Promise<Found> {
    const { tableRows } = await this.#sizeIn(plan, effect);
    if (tableRows === undefined || tableRows > few) return unsure('nothing says that its condition restricts it');
    return { rows: { number: tableRows, how: 'known' }, whole: true };
  }

  /** The planner does not look into code. */
  async #inCode(effect: Effect): Promise<Found> {
    const { targets } = effect;
    const limit = this.#limitOf(effect);
    // its run is counted, and undone where a LIMIT did not hold
    if (limit !== undefined && !watchableCode.has(this.statement.command)) {
      return { rows: { number: limit, how: 'estimated' } };
    }
    const number = await this.#session
      .nested(() => rowsOfSmallTables(this.#session, targets, few))
      .catch(undefinedIfRefused);
    if (number === undefined) return unsure('it happens in code that the statement runs');
    return { rows: { number, how: 'known' }, whole: true };
  }

  #planned(): Promise<ReadPlan | 'refused'> {
    this.#plan ??= this.#explain();
    return this.#plan;
  }

  async #explain(): Promise<ReadPlan | 'refused'> {
    const { bound } = this.#held;
    const binding = bound && { bound, parameterTypes: bound.parameterTypes };
    try {
      const explain = () => this.#session.put({ sql: `EXPLAIN (VERBOSE, FORMAT JSON) ${this.#sql}`, ...binding });
      const { rows } = await (this.#alone ? explain() : this.#session.nested(explain));
      return readPlan(rows.map(([line]) => line).join('\n'));
    } catch (error) {
      if (this.#refusable && error instanceof ServerRefusal && /^(22|42)/.test(error.sqlstate)) return 'refused';
      throw error;
    }
  }

  #limitOf({ limitedTo }: Effect): number | undefined {
    if (limitedTo === undefined || 'variable' in limitedTo) return undefined;
    return 'rows' in limitedTo ? limitedTo.rows : wholeNumber(this.#bindValues[limitedTo.parameter - 1]);
  }

  #lackFor({ guessed }: Effect, plan: ReadPlan): Promise<string | undefined> | string {
    return guessed ? 'its condition is about nothing that has statistics' : this.#lack(plan);
  }

  /** Why the planner's numbers say little; undefined where they can be relied on. */
  async #lack({ relations }: ReadPlan): Promise<string | undefined> {
    const rows = await this.#session.ask(statisticsSql, [textArray(relations)]);
    for (const { name, tuples, changed } of rows) {
      if (Number(tuples) < 0) return `${name} was never analyzed (ANALYZE helps)`;
      if (Number(changed) > few && Number(changed) > staleShare * Number(tuples)) {
        return `much of ${name} has changed since it was analyzed (ANALYZE helps)`;
      }
    }
    return undefined;
  }

  /** Rows of the table that the effect changes: the one that the plan changes, whatever else has its name. */
  async #sizeIn(plan: ReadPlan | 'refused', effect: Effect): Promise<Pick<Found, 'tableRows'>> {
    const relation = plan === 'refused' ? undefined : modificationOf(effect, plan.modifications)?.name;
    if (relation === undefined) return {};
    const [size] = await this.#session.ask(sizeSql, [relation]);
    if (size?.tuples && Number(size.tuples) >= 0 && Number(size.changed) <= few)
      return { tableRows: Number(size.tuples) };
    const counted = await this.#counted(`SELECT 1 FROM ${relation}`, undefined);
    return counted === undefined ? {} : { tableRows: counted };
  }

  async #count(): Promise<number | undefined> {
    const query = this.#alone ? this.#held.selectedRows(this.#sql) : undefined;
    if (query === undefined) return undefined;
    const { bound } = this.#held;
    if (!bound || bound.values.length === 0) return this.#counted(query, undefined);
    // parameters of the part that is left out have a type only there
    const parse = { sql: this.#sql, parameterTypes: bound.parameterTypes, parseOnly: true } as const;
    const { parameterTypes } = await this.#session.put(parse);
    return this.#counted(query, { ...bound, parameterTypes });
  }

  async #counted(query: string, bound: HeldStatement['bound']): Promise<number | undefined> {
    const sql = `SELECT pg_catalog.count(*) FROM (\n${query}\n) dbguard_rows`;
    const binding = bound && { bound, parameterTypes: bound.parameterTypes };
    try {
      const { rows } = await this.#session.nested(() => this.#session.put({ sql, ...binding }));
      return Number(rows[0]?.[0]);
    } catch (error) {
      if (error instanceof ServerRefusal) return undefined;
      throw error;
    }
  }
}

function unsure(why: string): Found {
  return { rows: undefined, unsure: why };
}

const operations: Readonly<Record<string, readonly Modification['operation'][]>> = {
  update: ['Update', 'Merge', 'Insert'],
  delete: ['Delete', 'Merge'],
};

/** A view's rows are those of its table: then the plan has another name. */
function modificationOf({ kind, targets }: Effect, all: readonly Modification[]): Modification | undefined {
  const fitting = all.filter(({ operation }) => operations[kind]?.includes(operation));
  const named = fitting.filter(({ relation }) => targets.some(({ name }) => name === relation));
  const found = named.length > 0 ? named : fitting;
  return found.reduce<Modification | undefined>((most, one) => (most && most.rows >= one.rows ? most : one), undefined);
}

/** Of a bind value: text, or the bytes of an integer as `\\x0000000a`. NULL is no limit at all. */
function wholeNumber(value: string | null | undefined): number | undefined {
  if (/^\d{1,15}$/.test(value ?? '')) return Number(value);
  const bytes = /^\\x((?:[0-9a-f]{2}){2,8})$/.exec(value ?? '')?.[1];
  return bytes === undefined ? undefined : Number.parseInt(bytes, 16);
}

function textArray(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** The client may have put operators of its own in front: every name has its schema. */
const statisticsSql = `
  SELECT c.relname::pg_catalog.text AS name, c.reltuples::pg_catalog.text AS tuples,
    pg_catalog.pg_stat_get_mod_since_analyze(c.oid)::pg_catalog.text AS changed
  FROM pg_catalog.unnest($1::pg_catalog.text[]) AS wanted(name)
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(wanted.name)
  WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,m}'::pg_catalog."char"[])`;

/** With its partitions and children, as DELETE and UPDATE reach them. */
const sizeSql = `
  WITH RECURSIVE parts(oid) AS (
    SELECT pg_catalog.to_regclass($1)::pg_catalog.oid
    UNION
    SELECT i.inhrelid FROM parts JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) parts.oid)
  SELECT CASE WHEN pg_catalog.bool_or(p.reltuples OPERATOR(pg_catalog.<) 0::pg_catalog.float4) THEN NULL
      ELSE pg_catalog.sum(p.reltuples) END::pg_catalog.text AS tuples,
    pg_catalog.sum(pg_catalog.pg_stat_get_mod_since_analyze(p.oid))::pg_catalog.text AS changed
  FROM parts JOIN pg_catalog.pg_class p ON p.oid OPERATOR(pg_catalog.=) parts.oid
  WHERE p.relkind OPERATOR(pg_catalog.<>) 'p'::pg_catalog."char"`;

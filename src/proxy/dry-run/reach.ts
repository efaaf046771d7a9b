/**
 * What a statement sets off that its text does not show: triggers, defaults, checks, row security, views, foreign
 * tables, event triggers. All of it is read from the catalog of the same session and judged as the text is.
 *
 * What lives here: the questions and the walk from table to table. What it must not know: the screen, the journal.
 */
import type { Analyser, Effect, Facts, Target } from '../../sql/facts.js';
import type { InternalSession } from '../internal-queries/internal-queries.js';
import { plainName, withInternalSearchPath } from '../internal-queries/internal-search-path.js';
import { undecidedBy } from './undecided.js';
import { changesRows, definesObjects, factsObstacle } from './undoable.js';

/** Tables whose rows may change, with what a foreign key or a trigger adds. */
export interface Reach {
  readonly obstacle: string | undefined;
  /** pg_class.oid of each. */
  readonly tables: readonly string[];
  /** What may make the real run another one, in the statement or in what it sets off. */
  readonly undecidedBy: string | undefined;
}

const roundsMax = 8;
const relationsMax = 200;

const eventTriggersSql = `SELECT evtname FROM pg_event_trigger WHERE evtenabled <> 'D' ORDER BY 1 LIMIT 1`;

/** From the tables given to partitions, children, and what foreign keys change along. */
const reachedSql = `
  WITH RECURSIVE reached(oid) AS (
    SELECT unnest($1::oid[])
    UNION
    SELECT next.oid FROM reached, LATERAL (
      SELECT inhrelid AS oid FROM pg_inherits WHERE inhparent = reached.oid
      UNION ALL
      SELECT conrelid FROM pg_constraint WHERE confrelid = reached.oid AND contype = 'f'
        AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd') OR $2::boolean)
    ) next)
  SELECT DISTINCT oid::text AS oid FROM reached LIMIT ${relationsMax + 1}`;

/** Texts that run when rows of a table change or are read. With our search_path every name in them has its schema. */
const relationSql = `
  SELECT c.oid::regclass::text AS name, c.relkind::text AS kind,
    EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename <> '_RETURN') AS rules,
    CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END AS view,
    ARRAY(SELECT format('%I.%I', n.nspname, p.proname) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
      JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' ORDER BY t.tgname)::text AS triggers,
    (SELECT string_agg(pg_get_triggerdef(t.oid), E'\\n') FROM pg_trigger t
      WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgqual IS NOT NULL) AS conditions,
    (SELECT string_agg(pg_get_expr(k.conbin, k.conrelid), ', ') FROM pg_constraint k
      WHERE k.conrelid = c.oid AND k.contype = 'c') AS checks,
    (SELECT string_agg(pg_get_expr(d.adbin, d.adrelid), ', ') FROM pg_attrdef d WHERE d.adrelid = c.oid) AS defaults,
    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity <> '') AS identity,
    (SELECT string_agg(concat_ws(', ', pg_get_expr(y.polqual, y.polrelid), pg_get_expr(y.polwithcheck, y.polrelid)), ', ')
      FROM pg_policy y WHERE y.polrelid = c.oid AND c.relrowsecurity) AS policies
  FROM pg_class c WHERE c.oid = $1::oid`;

type Row = Record<string, string | null>;

type LookUp = (targets: readonly Target[]) => Promise<ReadonlyMap<string, string>>;

export function reachOf(facts: Facts, sql: string, session: InternalSession, analyser: Analyser): Promise<Reach> {
  return withInternalSearchPath(session, async (lookUp) => {
    const walk = new Walk(session, analyser, lookUp, /\bdefault\b/i.test(sql));
    const obstacle = await walk.from(facts);
    return { obstacle, tables: walk.tables, undecidedBy: walk.undecidedBy };
  });
}

class Walk {
  readonly #session: InternalSession;
  readonly #analyser: Analyser;
  readonly #lookUp: LookUp;
  readonly #written = new Set<string>();
  readonly #seen = new Set<string>();
  #usesDefaults: boolean;
  undecidedBy: string | undefined;

  constructor(session: InternalSession, analyser: Analyser, lookUp: LookUp, usesDefaults: boolean) {
    this.#session = session;
    this.#analyser = analyser;
    this.#lookUp = lookUp;
    this.#usesDefaults = usesDefaults;
  }

  get tables(): string[] {
    return [...this.#written];
  }

  /** Why it cannot be undone; undefined where it can. */
  async from(facts: Facts): Promise<string | undefined> {
    if (facts.statements.some(({ effects }) => effects.some(definesObjects))) {
      const [event] = await this.#session.ask(eventTriggersSql);
      if (event) return `the event trigger ${event.evtname} may run`;
    }
    let next = [facts];
    for (let round = 0; next.length > 0; round++) {
      if (round === roundsMax) return 'what it sets off goes too far to be followed';
      const found: Facts[] = [];
      for (const one of next) {
        this.undecidedBy ??= undecidedBy(one);
        const obstacle = factsObstacle(one) ?? (await this.#follow(one, found));
        if (obstacle !== undefined) return obstacle;
      }
      next = found;
    }
    return undefined;
  }

  async #follow(facts: Facts, found: Facts[]): Promise<string | undefined> {
    const effects = facts.statements.flatMap((statement) => statement.effects);
    this.#usesDefaults ||= effects.some(({ kind }) => kind === 'insert');
    const written = await this.#oids(effects.filter(changesRows));
    const read = await this.#oids(effects.filter(({ kind }) => kind === 'read'));
    const cascades = effects.some(({ kind }) => kind === 'truncate');
    const reached = written.length === 0 ? [] : await this.#reached(written, cascades);
    if (reached.length > relationsMax) return 'too many tables hang together with it';
    for (const oid of reached) this.#written.add(oid);
    for (const oid of [...reached, ...read]) {
      const obstacle = await this.#relation(oid, reached.includes(oid), found);
      if (obstacle !== undefined) return obstacle;
    }
    return undefined;
  }

  async #relation(oid: string, writes: boolean, found: Facts[]): Promise<string | undefined> {
    const key = `${oid} ${writes} ${this.#usesDefaults}`;
    if (this.#seen.has(key)) return undefined;
    this.#seen.add(key);
    const [row] = await this.#session.ask(relationSql, [oid]);
    if (!row) return undefined;
    const name = plainName(row.name);
    if (row.kind === 'f') return `${name} lives on another server`;
    if (writes && row.kind !== 'r' && row.kind !== 'p') return `${name} is no plain table`;
    if (writes && row.rules === 't') return `${name} has rewrite rules`;
    if (writes && this.#usesDefaults && row.identity === 't') {
      return `rows of ${name} draw from a sequence (identity column), which no rollback gives back`;
    }
    for (const [what, text] of this.#texts(row, writes)) {
      const facts = this.#analyser.analyse(text);
      const obstacle = factsObstacle(facts);
      if (obstacle?.startsWith('it ')) return `${what} of ${name} ${obstacle.slice('it '.length)}`;
      if (obstacle !== undefined) return `${what} of ${name}: ${obstacle}`;
      found.push(facts);
    }
    return undefined;
  }

  #texts(row: Row, writes: boolean): [string, string][] {
    const texts: [string, string | null | undefined][] = [
      ['a row security policy', select(row.policies)],
      ['the view', row.view],
    ];
    if (writes) {
      for (const name of textArray(row.triggers)) texts.push([`the trigger function ${name}`, `SELECT ${name}()`]);
      for (const definition of (row.conditions ?? '').split('\n')) {
        texts.push([
          'a trigger condition',
          select(/ WHEN \((.*)\) EXECUTE (?:FUNCTION|PROCEDURE) /.exec(definition)?.[1]),
        ]);
      }
      texts.push(['a check', select(row.checks)]);
      if (this.#usesDefaults) texts.push(['a column default', select(row.defaults)]);
    }
    return texts.flatMap(([what, text]) => (text ? [[what, text] as [string, string]] : []));
  }

  async #oids(effects: readonly Effect[]): Promise<string[]> {
    return [...(await this.#lookUp(effects.flatMap(({ targets }) => targets))).values()];
  }

  async #reached(oids: readonly string[], everyForeignKey: boolean): Promise<string[]> {
    const rows = await this.#session.ask(reachedSql, [`{${oids.join(',')}}`, String(everyForeignKey)]);
    return rows.flatMap(({ oid }) => (oid ? [oid] : []));
  }
}

function select(expressions: string | null | undefined): string | undefined {
  return expressions ? `SELECT ${expressions}` : undefined;
}

/** `{public.f,"public.\"odd name\""}` */
function textArray(text: string | null | undefined): string[] {
  const items = (text ?? '{}').slice(1, -1).match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
  return items.map((item) => (item.startsWith('"') ? item.slice(1, -1).replace(/\\(.)/g, '$1') : item));
}

/**
 * Which objects of a database have changed since its catalog was read. Where the statements name all that they touch,
 * that is looked for by name; else it is asked of the catalog itself, by the transactions that wrote its rows, so that it
 * does not matter who changed what, or how.
 *
 * What lives here: what there was at the last reading, and what a later answer says against it. What it must not know:
 * what objects mean, when to ask.
 *
 * A row that was written since has an xmin that is not before the oldest transaction that ran at the last reading
 * (pg_snapshot_xmin). What was deleted is missed: relations and functions by their number, what goes with a relation by a
 * list. Names also stand in the texts of other objects, so that after a renaming everything is read again.
 */
import type { Objects, Question } from '../../sql/catalog/questions.js';
import type { Steps } from '../../sql/steps.js';
import type { Row } from './control-connection.js';
import { columnsFingerprint } from './fingerprint.js';
import {
  functionColumns,
  KnownFunctions,
  KnownRelations,
  knownFunction,
  knownRelation,
  ownFunctions,
  relationColumns,
  relationKinds,
} from './known-objects.js';
import { mostNames, namedQuestion, takeNamed } from './named-objects.js';

/** What is known of the statements that may have changed something since. */
export interface Cause {
  /** Some could not be seen. */
  readonly unseen: boolean;
  /** Some may have given a known object another name, or moved it to an extension. */
  readonly renamed: boolean;
  /** All that some may have changed is among `names`, hangs on it, or names it. */
  readonly exact: boolean;
  /** Objects that they name. */
  readonly names: ReadonlySet<string>;
  /** Functions that may have run with them, if there are such. */
  readonly calls: ReadonlySet<string>;
}

const state = `
  SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS snapshot,
    (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS database,
    (SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_extension) AS extensions,
    (SELECT json_agg(json_build_array(oid::int8, nspname)) FROM pg_namespace)::text AS schemas,
    -- inhparent has lost a child when this is gone
    (SELECT string_agg(concat_ws(' ', part.kind || part.id, part.relation), ',') FROM (
      SELECT 'trigger', oid::text, tgrelid FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT 'rule', oid::text, ev_class FROM pg_rewrite WHERE ev_type <> '1'
      UNION ALL SELECT 'policy', oid::text, polrelid FROM pg_policy
      UNION ALL SELECT 'statistics', oid::text, stxrelid FROM pg_statistic_ext
      UNION ALL SELECT 'tag', concat(objoid, '/', objsubid), objoid FROM pg_description
        WHERE classoid = 'pg_class'::regclass AND objsubid > 0 AND description LIKE '%dbguard:mask=%'
      UNION ALL SELECT 'label', concat(objoid, '/', objsubid, '/', hashtext(provider)), objoid FROM pg_seclabel
        WHERE classoid = 'pg_class'::regclass AND objsubid > 0
      UNION ALL SELECT 'reference', oid::text, confrelid FROM pg_constraint WHERE contype = 'f'
      UNION ALL SELECT 'child', concat(inhrelid, '/', inhparent), inhparent FROM pg_inherits
    ) part(kind, id, relation)) AS parts`;

/** All that there is, a row for each. */
const present = `
  SELECT 'relation' AS what, ${relationColumns} FROM pg_class c WHERE ${relationKinds}
  UNION ALL SELECT 'function', ${functionColumns} FROM pg_proc p WHERE ${ownFunctions}`;

/** $1: the oldest transaction that ran at the last reading. */
const recently = (row: string): string => `age(${row}.xmin) <= since.age`;
const since = `since AS MATERIALIZED (SELECT age($1::xid8::xid) AS age)`;

const recent = `
  WITH ${since},
  relations AS MATERIALIZED (SELECT c.* FROM since, pg_class c WHERE ${relationKinds} AND ${recently('c')}),
  functions AS MATERIALIZED (SELECT p.* FROM since, pg_proc p WHERE ${ownFunctions} AND ${recently('p')}),
  columns AS MATERIALIZED (SELECT DISTINCT a.attrelid AS oid FROM since, pg_attribute a WHERE a.attnum > 0 AND ${recently('a')}),
  touched AS MATERIALIZED (
    SELECT oid FROM relations UNION SELECT oid FROM columns
    UNION SELECT i.indrelid FROM relations c JOIN pg_index i ON i.indexrelid = c.oid
    UNION SELECT d.objoid FROM since, pg_description d WHERE d.classoid = 'pg_class'::regclass AND d.objsubid > 0 AND ${recently('d')}
    UNION SELECT l.objoid FROM since, pg_seclabel l WHERE l.classoid = 'pg_class'::regclass AND l.objsubid > 0 AND ${recently('l')}
    UNION SELECT d.adrelid FROM since, pg_attrdef d WHERE ${recently('d')}
    UNION SELECT g.tgrelid FROM since, pg_trigger g WHERE ${recently('g')}
    UNION SELECT r.ev_class FROM since, pg_rewrite r WHERE ${recently('r')}
    UNION SELECT y.polrelid FROM since, pg_policy y WHERE ${recently('y')}
    UNION SELECT x.indrelid FROM since, pg_index x WHERE ${recently('x')}
    UNION SELECT s.stxrelid FROM since, pg_statistic_ext s WHERE ${recently('s')}
    UNION SELECT k.conrelid FROM since, pg_constraint k WHERE ${recently('k')}
    UNION SELECT k.confrelid FROM since, pg_constraint k WHERE k.contype = 'f' AND ${recently('k')}
    UNION SELECT h.inhparent FROM since, pg_inherits h WHERE ${recently('h')}
    UNION SELECT h.inhrelid FROM since, pg_inherits h WHERE ${recently('h')}),
  -- whose text may name what has changed
  dependents AS MATERIALIZED (
    SELECT d.classid, d.objid FROM pg_depend d JOIN touched t ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
    WHERE t.oid >= 16384
    UNION SELECT d.classid, d.objid FROM pg_depend d JOIN functions f ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = f.oid)
  SELECT 'relation' AS what, ${relationColumns} FROM relations c
  UNION ALL SELECT 'function', ${functionColumns} FROM functions p
  UNION ALL SELECT 'columns', c.oid::text, NULL, r.relname, NULL, NULL FROM columns c JOIN pg_class r ON r.oid = c.oid
  UNION ALL SELECT 'touched', oid::text, NULL, NULL, NULL, NULL FROM touched
  UNION ALL SELECT 'touched', r.ev_class::text, NULL, NULL, NULL, NULL FROM dependents d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  UNION ALL SELECT 'touched', y.polrelid::text, NULL, NULL, NULL, NULL FROM dependents d JOIN pg_policy y ON d.classid = 'pg_policy'::regclass AND y.oid = d.objid
  UNION ALL SELECT 'touched', g.tgrelid::text, NULL, NULL, NULL, NULL FROM dependents d JOIN pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
  UNION ALL SELECT 'touched', f.adrelid::text, NULL, NULL, NULL, NULL FROM dependents d JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
  UNION ALL SELECT 'touched', k.conrelid::text, NULL, NULL, NULL, NULL FROM dependents d JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
  UNION ALL SELECT 'called', d.objid::text, NULL, NULL, NULL, NULL FROM dependents d WHERE d.classid = 'pg_proc'::regclass`;

/** How many objects are as old as the last reading; and whether something has changed that any text may name. */
const older = `
  WITH ${since}
  SELECT (SELECT count(*) FROM pg_class c WHERE ${relationKinds} AND NOT ${recently('c')})::text AS relations,
    (SELECT count(*) FROM pg_proc p WHERE ${ownFunctions} AND NOT ${recently('p')})::text AS functions,
    (EXISTS (SELECT FROM pg_type t WHERE ${recently('t')} AND t.typtype <> 'c' AND NOT (t.typelem <> 0 AND t.typcategory = 'A'))
      OR EXISTS (SELECT FROM pg_operator o WHERE ${recently('o')}))::text AS wide
  FROM since`;

/** What there is, one by one. */
export const presentQuestion: Question = { sql: present, values: [] };

export class ChangedObjects {
  #snapshot: string | undefined;
  #fingerprint: string | undefined;
  #database = '';
  #extensions = '';
  #schemas = new Map<number, string>();
  #parts = new Map<string, number>();
  /** What was read by these names since the state was taken. */
  readonly #named = new Set<string>();
  /** Relations among them: which parts they have got since is not known, so that none of those would be missed. */
  readonly #readByName = new Set<number>();
  readonly #relations = new KnownRelations();
  readonly #functions = new KnownFunctions();

  /** Of the last reading; undefined while some of it was read by name alone. */
  get fingerprint(): string | undefined {
    return this.#fingerprint;
  }

  /** The next reading has to be a whole one. */
  forget(): void {
    this.#snapshot = undefined;
  }

  /** Undefined: what has changed cannot be found by its name. */
  namedQuestion({ exact, names, calls }: Cause): Question | undefined {
    if (this.#snapshot === undefined || !exact || names.size > mostNames) return undefined;
    const mayRun = (name: string): boolean => names.has(name) || this.#functions.named(name).length > 0;
    return [...calls].some(mayRun) ? undefined : namedQuestion(names, this.#relations);
  }

  /** Undefined: more may have changed than what was named. */
  takeNamed(rows: readonly Row[], names: ReadonlySet<string>): Objects | undefined {
    const objects = takeNamed(rows, names, this.#relations, this.#functions);
    if (objects === undefined) return undefined;
    this.#fingerprint = undefined;
    for (const name of names) this.#named.add(name);
    for (const oid of objects.relations) this.#readByName.add(oid);
    return objects;
  }

  /** Undefined: everything has to be read. */
  questions(): Question[] | undefined {
    if (this.#snapshot === undefined) return undefined;
    const values = [this.#snapshot];
    return [...stateQuestions, { sql: recent, values, often: true }, { sql: older, values, often: true }];
  }

  /** For everything: the first questions of a whole reading, all in one snapshot. */
  wholeQuestions(): Question[] {
    return [...stateQuestions, presentQuestion];
  }

  *takeWhole(answers: readonly (readonly Row[])[]): Steps<void> {
    this.forget();
    this.#relations.clear();
    this.#functions.clear();
    for (const row of answers[2] ?? []) {
      this.#know(row);
      yield;
    }
    this.#takeState(answers);
  }

  /**
   * @param present the answer to `presentQuestion`, asked for when something is missed
   * @returns what has changed; `all` where that cannot be told object by object
   */
  async take(
    answers: readonly (readonly Row[])[],
    cause: Pick<Cause, 'unseen' | 'renamed' | 'names'>,
    present: () => Promise<readonly Row[]>,
  ): Promise<Objects | 'all'> {
    const [, [now] = [], changes = [], [old] = []] = answers;
    if (cause.renamed || old?.wide !== 'false' || this.#isElsewhere(now)) return 'all';
    if (changes.some((row) => this.#isRenamed(row, cause))) return 'all';
    const objects = { relations: new Set<number>(), functions: new Set<number>(), callers: true } as const;
    const gone = (known: KnownRelations | KnownFunctions, what: string, count: string | null | undefined): boolean =>
      known.size - changes.filter((row) => row.what === what && known.get(Number(row.oid))).length !== Number(count);
    if (gone(this.#relations, 'relation', old.relations) || gone(this.#functions, 'function', old.functions))
      this.#dropWithout(await present(), objects);
    const parts = partsOf(now);
    for (const [part, relation] of this.#parts) if (!parts.has(part)) objects.relations.add(relation);
    for (const oid of this.#readByName) objects.relations.add(oid);
    for (const row of changes) {
      (row.what === 'function' || row.what === 'called' ? objects.functions : objects.relations).add(Number(row.oid));
      this.#know(row);
    }
    this.#takeState(answers, parts);
    return objects;
  }

  #know(row: Row): void {
    if (row.what === 'relation') this.#relations.set(...knownRelation(row));
    if (row.what === 'function') this.#functions.set(...knownFunction(row));
  }

  #takeState(answers: readonly (readonly Row[])[], parts = partsOf(answers[1]?.[0])): void {
    const [[print], [now]] = [answers[0] ?? [], answers[1] ?? []];
    if (!print?.fingerprint || !now?.snapshot) throw new Error('the catalog has no fingerprint');
    this.#named.clear();
    this.#readByName.clear();
    this.#fingerprint = print.fingerprint;
    this.#snapshot = now.snapshot;
    this.#database = now.database ?? '';
    this.#extensions = now.extensions ?? '';
    this.#schemas = schemasOf(now);
    this.#parts = parts;
  }

  /** Another database by the same name, an older state of it, or other names for all that is in a schema. */
  #isElsewhere(now: Row | undefined): boolean {
    if (now?.database !== this.#database || (now.extensions ?? '') !== this.#extensions) return true;
    if (BigInt(now.snapshot ?? 0) < BigInt(this.#snapshot ?? 0)) return true;
    return [...schemasOf(now)].some(([oid, name]) => (this.#schemas.get(oid) ?? name) !== name);
  }

  #isRenamed(row: Row, cause: Pick<Cause, 'unseen' | 'names'>): boolean {
    const { what, name } = row;
    // texts name columns; those of a table that a statement names are there or not, and called as before
    if (what === 'columns')
      return (
        this.#relations.get(Number(row.oid)) !== undefined &&
        (cause.unseen || !(cause.names.has(name ?? '') || this.#named.has(name ?? '')))
      );
    if (what !== 'relation' && what !== 'function') return false;
    const known = what === 'relation' ? this.#relations.get(Number(row.oid)) : this.#functions.get(Number(row.oid));
    return known !== undefined && (known.name !== name || known.schema !== Number(row.schema));
  }

  #dropWithout(present: readonly Row[], objects: { relations: Set<number>; functions: Set<number> }): void {
    const left = new Set(present.map(({ oid }) => Number(oid)));
    for (const oid of [...this.#relations.keys()]) {
      if (left.has(oid)) continue;
      objects.relations.add(oid);
      for (const table of this.#relations.delete(oid)?.on ?? []) objects.relations.add(table);
    }
    for (const oid of [...this.#functions.keys()]) {
      if (left.has(oid)) continue;
      this.#functions.delete(oid);
      objects.functions.add(oid);
    }
  }
}

const stateQuestions: readonly Question[] = [
  // first, so that what changes while the rest is read is noticed by the next poll
  { sql: columnsFingerprint, values: [], often: true },
  { sql: state, values: [], often: true },
];

function listOf(text: string | null | undefined): string[] {
  return text ? text.split(',') : [];
}

function schemasOf(now: Row): Map<number, string> {
  return new Map(JSON.parse(now.schemas ?? '[]') as [number, string][]);
}

function partsOf(now: Row | undefined): Map<string, number> {
  return new Map(
    listOf(now?.parts).map((one) => {
      const [part = '', relation = ''] = one.split(' ');
      return [part, Number(relation)];
    }),
  );
}

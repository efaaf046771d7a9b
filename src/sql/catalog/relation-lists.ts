/**
 * What was answered about relations, by their names, replaced relation by relation.
 *
 * What lives here: the lists, and what a row of an answer means. What it must not know: which of it may be believed.
 */

import type { PlainRelation } from '../definition.js';
import type { Steps } from '../steps.js';
import { ByName } from './by-name.js';
import type { ColumnKnowledge, Hidden, RowEvent } from './catalog-relations.js';
import type { Objects } from './questions.js';

type Row = Readonly<Record<string, string | null>>;

export interface LoadedHidden {
  readonly schema: string;
  readonly events: ReadonlySet<RowEvent>;
  readonly hidden: Hidden;
}

export interface LoadedColumn {
  readonly schema: string;
  readonly column: string;
  readonly knowledge: ColumnKnowledge;
}

export interface PassedOn {
  readonly schema: string;
  readonly deletes: boolean;
  /** Columns whose new values are passed on. */
  readonly updates: readonly string[];
}

export interface LoadedRelation {
  readonly schema: string;
  /** Of a unique index; undefined where the relation has none. */
  readonly unique: readonly string[] | undefined;
  /** That index tells its rows apart. */
  readonly tells: boolean;
  /** Not an index or a sequence, and not of the system. */
  readonly hasRows: boolean;
  readonly permanent: boolean;
}

/** Of what was made without naming one: no schema is called so. */
const anySchema = '';

export function isOf(one: { readonly schema: string }, schema: string | undefined): boolean {
  return schema === undefined || one.schema === schema || one.schema === anySchema;
}

/** What reads a setting and goes with no relation: the checks of domains. */
const ofDomains = 0;

export class RelationLists {
  readonly hidden = new ByName<LoadedHidden>();
  readonly columns = new ByName<LoadedColumn>();
  /** Each relation, once for each of its unique indexes. */
  readonly relations = new ByName<LoadedRelation>();
  readonly passedOn = new ByName<PassedOn>();
  readonly #lists = [this.hidden, this.columns, this.relations, this.passedOn];
  /** Under which name relations stand in these lists. */
  readonly #names = new Map<number, string>();
  readonly #decisive = { relation: new ByName<object>(), function: new ByName<object>() };
  /** Settings that they read. */
  readonly #settings = { relation: new Map<number, string[]>(), function: new Map<number, string[]>() };

  /** @param answers to `relationQuestions`, of relation-questions.ts; a step for each row */
  *add(answers: readonly (readonly Row[])[]): Steps<void> {
    const [hiddenRows = [], columnRows = [], relationRows = [], references = [], settings = []] = answers;
    yield* this.#put(this.hidden, hiddenRows, hiddenOf);
    yield* this.#put(this.columns, columnRows, columnOf);
    yield* this.#put(this.relations, relationRows, relationOf);
    yield* this.#put(this.passedOn, references, passedOnOf);
    for (const { oid, name, of } of settings) this.#addSetting(of === 'function' ? of : 'relation', Number(oid), name);
  }

  *#put<Item extends object>(list: ByName<Item>, rows: readonly Row[], itemOf: (row: Row) => Item): Steps<void> {
    for (const row of rows) {
      const [owner, name] = [Number(row.oid), row.name ?? ''];
      if (!this.#names.has(owner)) this.#names.set(owner, name);
      list.add(name, { ...itemOf(row), owner });
      yield;
    }
  }

  /** What the text of a definition says, and nothing more. */
  addPlain({ schema = anySchema, name, keys, counted, query }: PlainRelation, owner: number): void {
    this.#names.set(owner, name);
    const view = { kind: 'view', key: `view ${schema}.${name} ${owner}`, sql: query ?? '' } as const;
    if (query !== undefined) this.hidden.add(name, { owner, schema, events: new Set(['read']), hidden: view });
    const table = { owner, schema, tells: true, hasRows: true, permanent: true };
    for (const unique of keys.length > 0 ? keys : [undefined]) this.relations.add(name, { ...table, unique });
    for (const column of counted) this.columns.add(name, { owner, schema, column, knowledge: { key: true } });
  }

  /** What is asked about anew: what domains read is in each answer. */
  forget({ relations, functions }: Objects): void {
    for (const oid of relations) this.forgetRelation(oid);
    for (const oid of [...relations, ofDomains]) this.#forgetSettings('relation', oid);
    for (const oid of functions) this.#forgetSettings('function', oid);
  }

  forgetRelation(owner: number): void {
    const name = this.#names.get(owner);
    if (name === undefined) return;
    for (const list of this.#lists) list.forget(name, owner);
    this.#names.delete(owner);
  }

  isDecisive(setting: string): boolean {
    return this.#decisive.relation.has(setting) || this.#decisive.function.has(setting);
  }

  #addSetting(of: 'relation' | 'function', owner: number, name: string | null | undefined): void {
    this.#decisive[of].add(name ?? '', { owner });
    this.#settings[of].set(owner, [...(this.#settings[of].get(owner) ?? []), name ?? '']);
  }

  #forgetSettings(of: 'relation' | 'function', owner: number): void {
    for (const name of this.#settings[of].get(owner) ?? []) this.#decisive[of].forget(name, owner);
    this.#settings[of].delete(owner);
  }
}

function hiddenOf(row: Row): LoadedHidden {
  const { kind, events } = row;
  const schema = row.schema ?? '';
  const name = row.name ?? '';
  const sql = row.sql ?? '';
  if (kind === 'view') {
    return { schema, events: new Set(['read']), hidden: { kind, key: `view ${schema}.${name}`, sql } };
  }
  if (kind === 'rule') {
    return { schema, events: ruleEvents(events), hidden: { kind, key: `rule ${schema}.${name} ${sql}`, sql } };
  }
  const called = { schema: row.function_schema ?? '', name: row.function_name ?? '' };
  return { schema, events: triggerEvents(Number(events)), hidden: { kind: 'trigger', function: called } };
}

function relationOf({ schema, columns, tells, rows, permanent }: Row): LoadedRelation {
  return {
    schema: schema ?? '',
    unique: columns ? (JSON.parse(columns) as string[]) : undefined,
    tells: tells === 'true',
    hasRows: rows === 'true',
    permanent: permanent === 'true',
  };
}

function passedOnOf({ schema, deletes, updates }: Row): PassedOn {
  return { schema: schema ?? '', deletes: deletes === 'true', updates: JSON.parse(updates ?? '[]') as string[] };
}

/** pg_rewrite.ev_type. */
function ruleEvents(type: string | null | undefined): ReadonlySet<RowEvent> {
  const event = ({ '2': 'update', '3': 'insert', '4': 'delete' } as const)[type ?? ''];
  return new Set(event === undefined ? [] : [event]);
}

/** pg_trigger.tgtype: TRIGGER_TYPE_INSERT, _DELETE, _UPDATE, _TRUNCATE of catalog/pg_trigger.h. */
function triggerEvents(type: number): ReadonlySet<RowEvent> {
  const bits = [
    [4, 'insert'],
    [8, 'delete'],
    [16, 'update'],
    [32, 'truncate'],
  ] as const;
  return new Set(bits.flatMap(([bit, event]) => ((type & bit) === 0 ? [] : event)));
}

function columnOf(row: Row): LoadedColumn {
  const nullFraction = numberOf(row.null_fraction);
  const lowest = numberOf(row.lowest);
  const highest = numberOf(row.highest);
  const rowsPerValue = numberOf(row.rows_per_value);
  return {
    schema: row.schema ?? '',
    column: row.column ?? '',
    knowledge: {
      key: row.counted === 'true',
      ...(nullFraction === undefined ? {} : { nullFraction }),
      ...(rowsPerValue === undefined ? {} : { rowsPerValue }),
      ...(lowest === undefined ? {} : { lowest }),
      ...(highest === undefined ? {} : { highest }),
    },
  };
}

/** Undefined also for keys that are no numbers: dates, texts, uuids. */
function numberOf(text: string | null | undefined): number | undefined {
  const value = text ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

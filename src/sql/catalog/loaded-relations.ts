/**
 * Views, rules, triggers and column statistics of one database, as its catalog had them when it was asked.
 *
 * What lives here: the last answers. What it must not know: what was asked, how and when.
 */

import type { Target } from '../facts.js';
import { ByName } from './by-name.js';
import type { CatalogRelations, ColumnKnowledge, Hidden, RowEvent } from './catalog-relations.js';
import type { Objects } from './questions.js';

type Row = Readonly<Record<string, string | null>>;

export class LoadedRelations implements CatalogRelations {
  readonly #hidden = new ByName<LoadedHidden>();
  readonly #columns = new ByName<LoadedColumn>();
  readonly #keys = new ByName<LoadedKey>();
  readonly #passedOn = new ByName<PassedOn>();
  readonly #permanent = new ByName<object>();
  readonly #decisive = { relation: new ByName<object>(), function: new ByName<object>() };
  readonly #lists = [this.#hidden, this.#columns, this.#keys, this.#passedOn, this.#permanent];
  /** Under which name relations stand in these lists. */
  readonly #names = new Map<number, string>();
  /** Settings that they read. */
  readonly #settings = { relation: new Map<number, string[]>(), function: new Map<number, string[]>() };
  /** Nothing has changed since it was read, as far as we know. */
  #current = false;
  /** Names of views that may have been made or changed since. */
  #doubted: Set<string> | 'all' = new Set();

  /** @param answers to `relationQuestions`, of relation-questions.ts */
  take(answers: readonly (readonly Row[])[], objects?: Objects): void {
    const [hiddenRows = [], columnRows = [], permanentRows = [], keyRows = [], references = [], settings = []] =
      answers;
    if (objects === undefined) this.#clear();
    else this.#forget(objects);
    const put = <Item extends object>(list: ByName<Item>, row: Row, item: Item): void => {
      const [owner, name] = [Number(row.oid), row.name ?? ''];
      if (!this.#names.has(owner)) this.#names.set(owner, name);
      list.add(name, { ...item, owner });
    };
    for (const row of hiddenRows) put(this.#hidden, row, hiddenOf(row));
    for (const row of columnRows) put(this.#columns, row, columnOf(row));
    for (const row of permanentRows) put(this.#permanent, row, {});
    for (const row of keyRows) put(this.#keys, row, keyOf(row));
    for (const row of references) put(this.#passedOn, row, passedOnOf(row));
    for (const { oid, name, of } of settings) this.#addSetting(of === 'function' ? of : 'relation', Number(oid), name);
  }

  #clear(): void {
    for (const list of this.#lists) list.clear();
    for (const of of ['relation', 'function'] as const) {
      this.#decisive[of].clear();
      this.#settings[of].clear();
    }
    this.#names.clear();
  }

  #forget({ relations, functions }: Objects): void {
    for (const oid of relations) {
      const name = this.#names.get(oid);
      if (name === undefined) continue;
      for (const list of this.#lists) list.forget(name, oid);
      this.#names.delete(oid);
    }
    for (const oid of [...relations, ofDomains]) this.#forgetSettings('relation', oid);
    for (const oid of functions) this.#forgetSettings('function', oid);
  }

  #addSetting(of: 'relation' | 'function', owner: number, name: string | null | undefined): void {
    this.#decisive[of].add(name ?? '', { owner });
    this.#settings[of].set(owner, [...(this.#settings[of].get(owner) ?? []), name ?? '']);
  }

  #forgetSettings(of: 'relation' | 'function', owner: number): void {
    for (const name of this.#settings[of].get(owner) ?? []) this.#decisive[of].forget(name, owner);
    this.#settings[of].delete(owner);
  }

  /** What was taken last is what the database has. */
  believe(): void {
    this.#doubted = new Set();
    this.#current = true;
  }

  /** `all`: every view that is known may be another by now. */
  doubt(views: readonly string[] | 'all'): void {
    this.#current = false;
    if (views === 'all') this.#doubted = 'all';
    else if (this.#doubted !== 'all') for (const name of views) this.#doubted.add(name);
  }

  isDecisive(setting: string): boolean {
    return this.#decisive.relation.has(setting) || this.#decisive.function.has(setting);
  }

  isPermanent(name: string): boolean {
    return this.#permanent.has(name) || name.startsWith('pg_toast_');
  }

  hidden(relation: Target, event: RowEvent): readonly Hidden[] {
    if (this.#doubted !== 'all' && event === 'read' && this.#doubted.has(relation.name)) return [unknown];
    const all = this.#hidden.named(relation.name);
    if (all.length === 0) return nothing;
    const its = all.filter((one) => isOf(one, relation) && one.events.has(event)).map((one) => one.hidden);
    return this.#doubted === 'all' && event === 'read' && its.length > 0 ? [unknown] : its;
  }

  /** Without a schema it may be any of that name: then only what is a key in all of them. */
  keys(relation: Target): readonly (readonly string[])[] {
    const named = this.#current ? this.#keys.named(relation.name) : nothing;
    const its = named.filter((one) => isOf(one, relation));
    const [first = nothing, ...others] = [...new Set(its.map(({ owner }) => owner))].map((owner) =>
      its.flatMap((one) => (one.owner === owner && one.columns ? [one.columns] : [])),
    );
    const sameKey = (a: readonly string[], b: readonly string[]): boolean => a.join('\0') === b.join('\0');
    return first.filter((key) => others.every((keys) => keys.some((one) => sameKey(one, key))));
  }

  passesOn(relation: Target, event: 'update' | 'delete'): boolean {
    const all = this.#passedOn.named(relation.name).filter((one) => isOf(one, relation));
    if (event === 'delete') return all.some(({ deletes }) => deletes);
    return all.some(({ updates }) => updates.some((column) => relation.columns?.includes(column) ?? true));
  }

  columns(relation: Target, column: string): readonly ColumnKnowledge[] {
    const all = this.#columns.named(relation.name);
    if (all.length === 0) return nothing;
    return all.filter((one) => one.column === column && isOf(one, relation)).map((one) => one.knowledge);
  }
}

/** What reads a setting and goes with no relation: the checks of domains. */
const ofDomains = 0;
const nothing: readonly never[] = [];
const unknown: Hidden = { kind: 'unknown' };

interface LoadedHidden {
  readonly schema: string;
  readonly events: ReadonlySet<RowEvent>;
  readonly hidden: Hidden;
}

interface LoadedColumn {
  readonly schema: string;
  readonly column: string;
  readonly knowledge: ColumnKnowledge;
}

interface PassedOn {
  readonly schema: string;
  readonly deletes: boolean;
  /** Columns whose new values are passed on. */
  readonly updates: readonly string[];
}

interface LoadedKey {
  readonly schema: string;
  /** Undefined where the relation has no key. */
  readonly columns: readonly string[] | undefined;
}

function isOf(one: { readonly schema: string }, relation: Target): boolean {
  return relation.schema === undefined || relation.schema === one.schema;
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

function keyOf({ schema, columns }: Row): LoadedKey {
  return { schema: schema ?? '', columns: columns ? (JSON.parse(columns) as string[]) : undefined };
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
      key: row.key === 'true',
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

/**
 * Views, rules, triggers and column statistics of one database, as its catalog had them when it was asked.
 *
 * What lives here: the last answers. What it must not know: what was asked, how and when.
 */

import type { PlainDefinition, PlainRelation } from '../definition.js';
import type { Target } from '../facts.js';
import { finished, type Steps } from '../steps.js';
import { NameCounts } from './by-name.js';
import type { CatalogRelations, ColumnKnowledge, Hidden, RowEvent } from './catalog-relations.js';
import type { Objects } from './questions.js';
import { isOf, type LoadedRelation, RelationLists } from './relation-lists.js';
import { isSystemRelation } from './system-relations.js';

type Row = Readonly<Record<string, string | null>>;

export class LoadedRelations implements CatalogRelations {
  #lists = new RelationLists();
  /** Some answer was taken. Until then anything may run behind any relation. */
  #read = false;
  /** How many definitions may have changed keys since it was read. */
  #doubts = 0;
  /** How many there are that no text says all of. */
  #untold = 0;
  /** How many of them may have changed any view. */
  #anyView = 0;
  /** Names of views that may have been made or changed since. */
  readonly #doubted = new NameCounts();
  /** All that those definitions name. */
  readonly #named = new NameCounts();
  /** What others have made, which say it themselves: numbered -1, -2 ... as no object is. */
  #told: PlainRelation[] = [];
  /** What they have taken away: still in the lists. */
  readonly #dropped = new Set<string>();

  /**
   * @param answers to `relationQuestions`, of relation-questions.ts
   * @returns what is to be done; until its end, all is as it was
   */
  *take(answers: readonly (readonly Row[])[], objects?: Objects): Steps<void> {
    if (objects === undefined) {
      const lists = new RelationLists();
      yield* lists.add(answers);
      this.#lists = lists;
      for (const [at, relation] of this.#told.entries()) lists.addPlain(relation, -at - 1);
    } else {
      this.#lists.forget(objects);
      finished(this.#lists.add(answers));
    }
    this.#read = true;
  }

  /** What was taken last is what the database has. */
  believe(): void {
    this.#doubts = 0;
    this.#untold = 0;
    this.#anyView = 0;
    this.#doubted.clear();
    this.#named.clear();
    for (const at of this.#told.keys()) this.#lists.forgetRelation(-at - 1);
    this.#told = [];
    this.#dropped.clear();
  }

  doubt({ views, names, keys }: RelationDoubts): void {
    this.#untold += 1;
    if (keys) this.#doubts += 1;
    if (views === 'all') this.#anyView += 1;
    else this.#doubted.add(views);
    this.#named.add(names);
  }

  /** Keys may be others. */
  get doubtsKeys(): boolean {
    return this.#doubts > 0;
  }

  /** Code may read other settings. */
  get doubtsSettings(): boolean {
    return this.#untold > 0;
  }

  /** A definition that the text does not say all of has named it. */
  doubts(name: string): boolean {
    return this.#named.count(name) > 0;
  }

  /**
   * A statement that is about it is judged as it would be after a reading: either it is new among those of its name, or
   * it stands in the place of one that nothing runs behind and that has the same keys.
   */
  isLike(made: PlainRelation, drops: readonly string[]): boolean {
    const { hidden, columns, passedOn, relations } = this.#lists;
    const { name, keys, counted, query, replaces } = made;
    if (!this.#read || this.#named.count(name) > 1 || this.#told.length >= mostTold) return false;
    const before = relations.named(name);
    if (before.length === 0 || !(replaces || drops.includes(name) || this.#dropped.has(name))) return true;
    const others = [hidden, columns, passedOn].some((list) => list.has(name));
    if (others || query !== undefined || counted.length > 0) return false;
    return before.every((one) => one.permanent && one.hasRows) && sameKeys(before, keys);
  }

  /** The same as `doubt` was told, of what says all. */
  learn({ relations, drops }: PlainDefinition, { views, names, keys }: RelationDoubts): void {
    for (const name of drops) this.#dropped.add(name);
    this.#untold -= 1;
    if (keys) this.#doubts -= 1;
    if (views === 'all') this.#anyView -= 1;
    else this.#doubted.remove(views);
    this.#named.remove(names);
    for (const relation of relations) {
      this.#told.push(relation);
      this.#lists.addPlain(relation, -this.#told.length);
    }
  }

  isDecisive(setting: string): boolean {
    return !this.#read || this.#lists.isDecisive(setting);
  }

  isPermanent(name: string): boolean {
    return this.#lists.relations.named(name).some(({ permanent }) => permanent) || name.startsWith('pg_toast_');
  }

  hidden(relation: Target, event: RowEvent): readonly Hidden[] {
    if (!this.#read) return isSystemRelation(relation) ? nothing : [unknown];
    const isRead = event === 'read';
    if (isRead && this.#doubted.count(relation.name) > 0) return [unknown];
    const all = this.#lists.hidden.named(relation.name);
    if (all.length === 0) return nothing;
    const its = all.filter((one) => isOf(one, relation.schema) && one.events.has(event)).map((one) => one.hidden);
    return this.#anyView > 0 && isRead && its.length > 0 ? [unknown] : its;
  }

  /** Without a schema it may be any of that name: then only what is a key in all of them. */
  keys(relation: Target): readonly (readonly string[])[] {
    const named = this.#read && this.#doubts === 0 ? this.#lists.relations.named(relation.name) : nothing;
    const its = named.filter((one) => one.permanent && one.hasRows && isOf(one, relation.schema));
    const [first = nothing, ...others] = [...new Set(its.map(({ owner }) => owner))].map((owner) =>
      its.flatMap((one) => (one.owner === owner && one.tells && one.unique ? [one.unique] : [])),
    );
    const sameKey = (a: readonly string[], b: readonly string[]): boolean => a.join('\0') === b.join('\0');
    return first.filter((key) => others.every((keys) => keys.some((one) => sameKey(one, key))));
  }

  passesOn(relation: Target, event: 'update' | 'delete'): boolean {
    if (!this.#read) return true;
    const all = this.#lists.passedOn.named(relation.name).filter((one) => isOf(one, relation.schema));
    if (event === 'delete') return all.some(({ deletes }) => deletes);
    return all.some(({ updates }) => updates.some((column) => relation.columns?.includes(column) ?? true));
  }

  columns(relation: Target, column: string): readonly ColumnKnowledge[] {
    const known = new Map<number, ColumnKnowledge>();
    for (const { owner, unique, ...one } of this.#lists.relations.named(relation.name))
      if (unique?.length === 1 && unique[0] === column && isOf(one, relation.schema)) known.set(owner, { key: true });
    for (const { owner, knowledge, ...one } of this.#lists.columns.named(relation.name)) {
      if (one.column !== column || !isOf(one, relation.schema)) continue;
      const before = known.get(owner);
      known.set(owner, { ...before, ...knowledge, key: knowledge.key || before?.key === true });
    }
    return [...known.values()];
  }
}

const nothing: readonly never[] = [];
const unknown: Hidden = { kind: 'unknown' };

/** More are read before anything is said of them. */
const mostTold = 2_000;

/** What a definition may have changed. */
export interface RelationDoubts {
  /** `all`: every view that is known may be another by now. */
  readonly views: readonly string[] | 'all';
  /** All that it names. */
  readonly names: readonly string[];
  /** Keys may be others. */
  readonly keys: boolean;
}

function sameKeys(known: readonly LoadedRelation[], keys: readonly (readonly string[])[]): boolean {
  const written = ({ tells, unique }: LoadedRelation): string => (unique ? JSON.stringify([tells, unique]) : '');
  const before = new Set(known.map(written));
  const made = new Set(keys.length > 0 ? keys.map((unique) => JSON.stringify([true, unique])) : ['']);
  return before.size === made.size && [...made].every((one) => before.has(one));
}

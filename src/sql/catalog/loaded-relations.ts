/**
 * Views, rules, triggers and column statistics of one database, as its catalog had them when it was asked.
 *
 * What lives here: the last answers. What it must not know: what was asked, how and when.
 */

import type { Target } from '../facts.js';
import { finished, type Steps } from '../steps.js';
import type { CatalogRelations, ColumnKnowledge, Hidden, RowEvent } from './catalog-relations.js';
import type { Objects } from './questions.js';
import { RelationLists } from './relation-lists.js';
import { isSystemRelation } from './system-relations.js';

type Row = Readonly<Record<string, string | null>>;

export class LoadedRelations implements CatalogRelations {
  #lists = new RelationLists();
  /** Some answer was taken. Until then anything may run behind any relation. */
  #read = false;
  /** Nothing has changed since it was read, as far as we know. */
  #current = false;
  /** Names of views that may have been made or changed since. */
  #doubted: Set<string> | 'all' = new Set();

  /**
   * @param answers to `relationQuestions`, of relation-questions.ts
   * @returns what is to be done; until its end, all is as it was
   */
  *take(answers: readonly (readonly Row[])[], objects?: Objects): Steps<void> {
    if (objects === undefined) {
      const lists = new RelationLists();
      yield* lists.add(answers);
      this.#lists = lists;
    } else {
      this.#lists.forget(objects);
      finished(this.#lists.add(answers));
    }
    this.#read = true;
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
    return !this.#read || this.#lists.isDecisive(setting);
  }

  isPermanent(name: string): boolean {
    return this.#lists.relations.named(name).some(({ permanent }) => permanent) || name.startsWith('pg_toast_');
  }

  hidden(relation: Target, event: RowEvent): readonly Hidden[] {
    if (!this.#read) return isSystemRelation(relation) ? nothing : [unknown];
    if (this.#doubted !== 'all' && event === 'read' && this.#doubted.has(relation.name)) return [unknown];
    const all = this.#lists.hidden.named(relation.name);
    if (all.length === 0) return nothing;
    const its = all.filter((one) => isOf(one, relation) && one.events.has(event)).map((one) => one.hidden);
    return this.#doubted === 'all' && event === 'read' && its.length > 0 ? [unknown] : its;
  }

  /** Without a schema it may be any of that name: then only what is a key in all of them. */
  keys(relation: Target): readonly (readonly string[])[] {
    const named = this.#current ? this.#lists.relations.named(relation.name) : nothing;
    const its = named.filter((one) => one.permanent && one.hasRows && isOf(one, relation));
    const [first = nothing, ...others] = [...new Set(its.map(({ owner }) => owner))].map((owner) =>
      its.flatMap((one) => (one.owner === owner && one.tells && one.unique ? [one.unique] : [])),
    );
    const sameKey = (a: readonly string[], b: readonly string[]): boolean => a.join('\0') === b.join('\0');
    return first.filter((key) => others.every((keys) => keys.some((one) => sameKey(one, key))));
  }

  passesOn(relation: Target, event: 'update' | 'delete'): boolean {
    if (!this.#read) return true;
    const all = this.#lists.passedOn.named(relation.name).filter((one) => isOf(one, relation));
    if (event === 'delete') return all.some(({ deletes }) => deletes);
    return all.some(({ updates }) => updates.some((column) => relation.columns?.includes(column) ?? true));
  }

  columns(relation: Target, column: string): readonly ColumnKnowledge[] {
    const known = new Map<number, ColumnKnowledge>();
    for (const { owner, unique, ...one } of this.#lists.relations.named(relation.name))
      if (unique?.length === 1 && unique[0] === column && isOf(one, relation)) known.set(owner, { key: true });
    for (const { owner, knowledge, ...one } of this.#lists.columns.named(relation.name)) {
      if (one.column !== column || !isOf(one, relation)) continue;
      const before = known.get(owner);
      known.set(owner, { ...before, ...knowledge, key: knowledge.key || before?.key === true });
    }
    return [...known.values()];
  }
}

const nothing: readonly never[] = [];
const unknown: Hidden = { kind: 'unknown' };

function isOf(one: { readonly schema: string }, relation: Target): boolean {
  return relation.schema === undefined || relation.schema === one.schema;
}

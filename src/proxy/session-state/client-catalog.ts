/**
 * What the statements of one client are judged by beside their text, and what those statements do to it: DDL that goes
 * through makes everything that was read from the catalog doubtful until it has been read again.
 */

import { isSystemRelation } from '../../sql/catalog/system-relations.js';
import { kindsWith } from '../../sql/effect-traits.js';
import type { Analyser, Effect, Facts, Target, TargetType } from '../../sql/facts.js';
import type { Candidate } from '../candidate.js';
import type { StatementTracker } from '../statement-tracker.js';

export interface ClientCatalog {
  readonly analyser: Analyser;
  /** The catalog is being read again: who waits for `ready` may learn more. */
  readonly loading: boolean;
  /** Settles when it has been read, or could not be in time. Never rejects. */
  ready(): Promise<void>;
  /** Nothing that outlives the session has this name: what an unqualified name means can only be temporary. */
  onlyTemporary(name: string): boolean;
  /** How many statements of other clients may have changed the catalog; undefined while one of them has not ended. */
  readonly changesOfOthers: number | undefined;
  /** A statement that may change the catalog goes to the server. */
  changing(facts: Facts): void;
  /** No transaction of this client is open, and nothing of it is under way. */
  settled(): void;
  /** The client's session begins, and ends. */
  opened(): void;
  closed(): void;
}

/** For an analyser that asks no database. */
export function withoutCatalog(analyser: Analyser): ClientCatalog {
  return {
    analyser,
    loading: false,
    ready: async () => {},
    onlyTemporary: () => false,
    changesOfOthers: 0,
    changing: () => {},
    settled: () => {},
    opened: () => {},
    closed: () => {},
  };
}

/** Keeps the catalog informed of what one client does. */
export class CatalogChanges implements StatementTracker {
  readonly #catalog: ClientCatalog;
  /** Something that went to the server may have changed the catalog, and is not committed or undone yet. */
  #pending = false;

  constructor(catalog: ClientCatalog) {
    this.#catalog = catalog;
    catalog.opened();
  }

  forwarded({ facts, isTemporary }: Pick<Candidate, 'facts' | 'isTemporary'>): void {
    if (!changesCatalog(facts, isTemporary)) return;
    this.#pending = true;
    this.#catalog.changing(facts);
  }

  transactionOver(): void {
    if (!this.#pending) return;
    this.#pending = false;
    this.#catalog.settled();
  }

  closed(): void {
    this.#catalog.closed();
    this.transactionOver();
  }
}

const definitions = kindsWith('defines');
const rows = kindsWith('writes-rows');

type IsTemporary = (name: string, schema?: string) => boolean;

/** Temporary tables change nothing that statements of others are judged by. */
function changesCatalog(facts: Facts, isTemporary: IsTemporary | undefined): boolean {
  if (facts.unparseable) return true;
  for (const { effects } of facts.statements) {
    for (const effect of effects) if (mayChangeCatalog(effect, isTemporary)) return true;
  }
  return false;
}

function mayChangeCatalog({ kind, opaque, temporary, targets }: Effect, isTemporary?: IsTemporary): boolean {
  if (opaque || kind === 'unknown') return true;
  if (definitions.has(kind)) {
    if (temporary) return false;
    const placed = kind === 'create' && targets[0]?.type === 'index' ? targets.slice(1) : targets;
    const hidden = ({ schema, name }: Target): boolean =>
      (schema === undefined || schema === 'pg_temp') && isTemporary?.(name, schema) === true;
    return placed.length === 0 || !placed.every(hidden);
  }
  return rows.has(kind) && targets.some(isSystemRelation);
}

/** True where knowing more of the catalog may change what is thought of a statement. */
export function dependsOnCatalog(facts: Facts): boolean {
  return facts.statements.some(({ effects }) => effects.some((effect) => effect.opaque));
}

/** What a text that changes the catalog leaves in doubt, by name. */
export interface Doubts {
  readonly functions: readonly string[];
  /** `all` where it cannot be told, as behind opaque code. */
  readonly views: readonly string[] | 'all';
}

export function doubtsAfter(facts: Facts): Doubts {
  const effects = facts.statements
    .flatMap((statement) => statement.effects)
    .filter((effect) => mayChangeCatalog(effect));
  const functions = effects.flatMap((effect) => namesMade(effect, ['function']));
  const unseen = facts.unparseable || effects.some(({ kind, opaque }) => opaque || !definitions.has(kind));
  const wide = effects.some(({ targets }) => targets.some(({ type }) => type === 'schema' || type === 'extension'));
  if (unseen || wide) return { functions, views: 'all' };
  return { functions, views: effects.flatMap((effect) => namesMade(effect, viewTypes(effect))) };
}

/** A table becomes a view by a rule, or takes a view's name. */
function viewTypes({ newName, newSchema, part }: Effect): readonly TargetType[] {
  return (newName ?? newSchema) !== undefined || part === 'rule' ? ['view', 'table'] : ['view'];
}

function namesMade({ targets, newName }: Effect, types: readonly TargetType[]): string[] {
  const names = targets.filter(({ type }) => types.includes(type)).map(({ name }) => name);
  return newName === undefined || names.length === 0 ? names : [...names, newName];
}

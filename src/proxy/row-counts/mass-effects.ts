/** The effects of a statement that change rows which were there before, and that may be many. */
import { changesRowsThatWere } from '../../sql/effect-traits.js';
import type { Effect, Facts, StatementFacts } from '../../sql/facts.js';

/** What counting needs of a statement that is about to run. */
export interface CountedStatement {
  readonly sql: string;
  readonly facts: Facts;
  readonly runs?: readonly string[] | undefined;
  readonly bindValues?: readonly (string | null)[];
  /** Digest of what else decides what the text means. */
  readonly sessionDigest: string;
  readonly catalogGeneration: number;
  /** Tables that only this client sees. */
  readonly isTemporary?: ((name: string, schema?: string) => boolean) | undefined;
}

export interface MassEffect {
  readonly effect: Effect;
  readonly statement: StatementFacts;
}

const none: readonly MassEffect[] = [];
const known = new WeakMap<Facts, readonly MassEffect[]>();

/** In the order of the text. Facts are shared by all runs of a text, so they are looked through once. */
export function massEffects(facts: Facts): readonly MassEffect[] {
  const found = known.get(facts);
  if (found !== undefined) return found;
  const all = facts.statements.flatMap((statement) =>
    statement.deferred
      ? []
      : statement.effects.filter(changesRowsThatWere).map((effect): MassEffect => ({ effect, statement })),
  );
  known.set(facts, all.length === 0 ? none : all);
  return all;
}

/** Adds rows, or changes some. */
export function changesRows(facts: Facts): boolean {
  return facts.statements.some(({ effects }) =>
    effects.some(({ kind }) => kind === 'insert' || kind === 'update' || kind === 'delete'),
  );
}

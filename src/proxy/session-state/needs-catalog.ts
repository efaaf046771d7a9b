/** Which statements are judged otherwise by who knows more of the catalog: while that is in doubt, they wait for a reading. */
import { kindsWith } from '../../sql/effect-traits.js';
import type { Effect, EffectKind, Facts } from '../../sql/facts.js';
import type { IsTemporary } from './catalog-change.js';
import type { CatalogDoubts } from './client-catalog.js';

const definitions = kindsWith('defines');

/** Rows of these are told apart by keys, which are not believed while the catalog is in doubt. */
const isByKey = (kind: EffectKind): boolean => kind === 'update' || kind === 'delete';

/** Custom settings have a dot in their names: "Customized Options" in the PostgreSQL manual. */
function setsOwnSetting({ kind, targets }: Effect): boolean {
  return kind === 'session' && targets.some(({ type, name }) => type === 'setting' && name.includes('.'));
}

/**
 * True where knowing more of the catalog may change what is thought of a statement.
 * @param isTemporary undefined where the client has made nothing for itself
 */
export function dependsOnCatalog(
  facts: Facts,
  isTemporary: IsTemporary | undefined,
  { doubtsKeys, doubtsSettings }: Omit<CatalogDoubts, 'doubts'>,
): boolean {
  const isJudgedByName = ({ kind }: Effect): boolean =>
    isTemporary !== undefined && (definitions.has(kind) || kind === 'truncate');
  const isInDoubt = (effect: Effect): boolean =>
    (doubtsKeys && isByKey(effect.kind)) || (doubtsSettings && setsOwnSetting(effect));
  return facts.statements.some(({ effects }) =>
    effects.some((effect) => effect.opaque || isInDoubt(effect) || isJudgedByName(effect)),
  );
}

/** While nothing is known of the database, only what is no more than a word to the server needs to know nothing of it. */
export function needsNoCatalog({ statements, unparseable }: Facts): boolean {
  return !unparseable && statements.every(({ transaction }) => transaction === 'begin');
}

const touching = kindsWith('touches-rows');

/** It reads or writes rows of what may be another since it was read: a trigger, a rule or a view may be new. */
export function touchesDoubted(facts: Facts, { doubts }: Pick<CatalogDoubts, 'doubts'>): boolean {
  return facts.statements.some(({ effects }) =>
    effects.some(({ kind, targets }) => touching.has(kind) && targets.some(({ name }) => doubts(name))),
  );
}

const isQuietKind = (kind: EffectKind): boolean =>
  definitions.has(kind) || kind === 'grant' || kind === 'transaction' || kind === 'session';

/** The server answers with nothing but that it is done, so that there is nothing to mask. */
export function returnsNothing(facts: Facts): boolean {
  const { statements, unparseable } = facts;
  const isQuiet = ({ kind, opaque }: Effect): boolean => !opaque && isQuietKind(kind);
  return !unparseable && statements.every(({ effects }) => effects.length > 0 && effects.every(isQuiet));
}

/** What is made for the client alone, or in an open transaction, shows at once where it is known what it is made of. */
export function makesOwn({ statements }: Facts, inTransaction: boolean): boolean {
  const isOwn = ({ kind, temporary }: Effect): boolean => temporary === true || (inTransaction && kind === 'create');
  return statements.some(({ effects }) => effects.some(isOwn));
}

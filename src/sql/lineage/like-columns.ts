/**
 * Columns of a new table that are those of another (CREATE TABLE ... LIKE): their names and types, and what it says is
 * taken along. Nothing is copied of what the other holds.
 *
 * Must not know masks. Code of the application's own that fills or checks columns makes them unknown.
 */
import type { TableLikeClause } from 'libpg-query';
import type { CatalogColumn, SearchPath } from './catalog.js';
import type { Definitions } from './new-columns.js';

/** TableLikeOption in parsenodes.h. */
const including = { comments: 1, constraints: 4, generated: 16 };
/** FirstNormalObjectId in transam.h: lower numbers are PostgreSQL's own. */
const firstOfOthers = 16_384;

/** @param before how many columns stand before them @returns undefined where they bring more than values with them */
export function columnsLike(
  { relation, options = 0 }: TableLikeClause,
  before: number,
  { definitions: { catalog }, searchPath }: { readonly definitions: Definitions; readonly searchPath: SearchPath },
): readonly CatalogColumn[] | undefined {
  const model = catalog.find(relation?.schemaname, relation?.relname ?? '', searchPath);
  if (model === undefined || (options & including.constraints && (model.behind?.length ?? 0) > 0)) return undefined;
  const isNew = model.oid < 0;
  const isPlain = ({ type, generated, byDefault, from }: CatalogColumn): boolean => {
    if (byDefault !== undefined || (isNew && from !== undefined)) return false;
    if (generated !== undefined && options & including.generated) return false;
    return isNew || type < firstOfOthers || noneRuns;
  };
  // the default of a domain comes with its type, and so do its conditions
  const noneRuns = catalog.behind('made', 'domain')?.length === 0 && catalog.behind('cast', '*')?.length === 0;
  if (!model.columns.every((one) => one.name !== '' && isPlain(one))) return undefined;
  return model.columns.map(({ name, type, textual, tags = [] }, at) => {
    const kept = options & including.comments ? tags.filter((one) => one.in === 'comment') : [];
    return { name, number: before + at + 1, type, textual, ...(kept.length > 0 ? { tags: kept } : {}) };
  });
}

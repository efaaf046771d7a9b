/**
 * Masks of relations that no catalog has yet: a rule that names one of their columns holds from its first row on, and so
 * does a tag. Pure.
 *
 * Values of other masked columns may not be copied there: such a column may be called otherwise when it is committed, and
 * then no rule would name it.
 */
import type { MaskDeclaration } from '../policy/read-mask.js';
import { type BaseColumn, baseColumn, type CatalogRelation } from '../sql/lineage/catalog.js';
import { alsoMasked, declaredIn, type MaskedColumn } from './masked-columns.js';
import type { MaskContext } from './plan.js';

export function withDeclared(
  context: MaskContext,
  declarations: readonly MaskDeclaration[],
  relations: readonly (CatalogRelation | undefined)[],
): MaskContext {
  const columns = new Map<BaseColumn, MaskedColumn>();
  for (const relation of relations) {
    for (const column of relation?.columns ?? []) {
      const hiding = relation && declaredIn(relation, column, declarations);
      if (hiding) columns.set(baseColumn(relation.oid, column.number), { ...hiding, column, relation });
    }
  }
  if (columns.size === 0) return context;
  const { masked, secret } = context;
  return { ...context, masked: alsoMasked(masked, columns), secret: alsoMasked(secret, columns) };
}

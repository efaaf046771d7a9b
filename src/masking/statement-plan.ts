/**
 * From the lineage of a text's statements: whether it may run, and how what comes back is rewritten. Pure; plans by text and
 * by session are the masker's.
 */
import type { Lineage } from '../sql/lineage/analyser.js';
import { anyColumn, type Flow } from '../sql/lineage/catalog.js';
import { union } from '../sql/lineage/flow.js';
import { isMeasured } from '../sql/lineage/measured.js';
import { emptyShape, openShape, type Shape, unknownShape } from '../sql/lineage/shape.js';
import type { MaskLookup } from './masked-columns.js';
import { type MaskContext, secretConstants, tainted } from './plan.js';
import { type RewritePlan, rewritePlan } from './rewrite-plan.js';

export type MaskPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'deny'; readonly reason: string; readonly hint: string }
  | RewritePlan;

const none: MaskPlan = { kind: 'none' };

/** Text that no grammar of ours reads. The server very probably rejects it; if not, nothing of its result passes. */
export function notUnderstood(context: MaskContext): MaskPlan {
  if (context.nothingMasked) return none;
  return rewritePlan(unknownShape, undefined, true, [], context);
}

/** What becomes of a text of statements, by their lineage. */
export function planOf(lineages: readonly Lineage[], context: MaskContext): MaskPlan {
  const { secret, nothingMasked = false } = context;
  for (const lineage of nothingMasked ? [] : lineages) {
    if (lineage.unfollowed) {
      return {
        kind: 'deny',
        reason:
          'This may run code that was defined in this run (a trigger, rule, default, policy or function), and what that code writes is not known.',
        hint: 'Commit the definitions first. What code that puts its SQL together while it runs does is never known: write it out.',
      };
    }
    if (leaks(lineage, context)) {
      return {
        kind: 'deny',
        reason: 'This would copy values of masked columns to where they are not masked.',
        hint: 'Leave the masked columns out of what is written. Right after DDL, commit first.',
      };
    }
  }
  const diagnostics = !nothingMasked && lineages.some((one) => mayShowValues(one, context));
  const output = outputOf(lineages);
  const copies = lineages.flatMap((one) => (typeof one.kind === 'object' ? [one] : []));
  const returns = lineages.some((one) => one.output !== emptyShape);
  if (!diagnostics && !returns && copies.length === 0) return none;
  const said = new Set([...output.all].filter(isMeasured));
  const inferred = union([...lineages.map((one) => one.inferred), said]);
  return rewritePlan(output, copies, diagnostics, namesOf(inferred, secret), context, {
    results: resultsOf(lineages),
    grouped: lineages.length === 1 ? lineages[0]?.grouped : undefined,
  });
}

/** In its errors and notices. */
function mayShowValues(lineage: Lineage, { secret, catalog }: MaskContext): boolean {
  if (lineage.kind === 'end' || lineage.opaque || lineage.unbound || lineage.triggers) return true;
  const touched = [...lineage.relations].filter((oid) => secret.has(oid));
  const onlyReads = (lineage.kind === 'query' || typeof lineage.kind === 'object') && !lineage.writes;
  if (!onlyReads || touched.some((oid) => catalog.byOid(oid)?.secured !== false)) return touched.length > 0;
  return tainted(lineage.examined, secret) || secret.of(lineage.examined).length > 0;
}

/** Where several statements come in one Query and some may or may not send rows, any result may be any of them. */
function resultsOf(lineages: readonly Lineage[]): readonly Shape[] {
  if (lineages.length < 2 || lineages.some((one) => one.maySend)) return [];
  return lineages.flatMap((one) => (one.output === emptyShape || typeof one.kind === 'object' ? [] : [one.output]));
}

/** Any of the results. */
function outputOf(lineages: readonly Lineage[]): Shape {
  const [only, ...more] = lineages;
  if (only === undefined) return emptyShape;
  return more.length === 0 ? only.output : openShape(union(lineages.map((one) => one.output.all)));
}

function leaks(lineage: Lineage, { secret: masked, formed }: MaskContext): boolean {
  return lineage.sinks.some(({ flow, into }) => {
    // what has no lasting number yet may be called otherwise when it is committed
    const isLasting = into !== undefined && !into.startsWith('-');
    // what has a form shows all but what the form says
    if (isLasting && masked.get(into) !== undefined && !formed(into)) return false;
    return masked.in(flow).length > 0 || flow.has(anyColumn) || secretConstants(flow, masked) !== undefined;
  });
}

function namesOf(flow: Flow, masked: MaskLookup): string[] {
  return masked.of(flow).map(({ relation, column }) => `${relation.schema}.${relation.name}.${column.name}`);
}

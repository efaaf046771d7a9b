/** `aggregates` of a mask: what may be seen of a masked column that is not one of its values. */
import { configKeys } from './config-keys.js';
import type { Value } from './yaml-source.js';

/** `hide`: how many values there are, nothing else. `min_group`: also statistics of as many values or more. */
export type AggregatePolicy = 'allow' | 'hide' | { readonly minGroup: number };

/** A group of one is a value. */
const smallestGroup = 2;
const largestGroup = 1_000_000;

export function readAggregates(value: Value): AggregatePolicy {
  if (!value.isMapping) return value.oneOf(['allow', 'hide']);
  const fields = value.fields(configKeys.mask_aggregates);
  const read = (item: Value): number => item.integer(smallestGroup, largestGroup);
  return { minGroup: fields.required('min_group', read, '5') };
}

/** The one that shows less. */
export function stricterAggregates(a: AggregatePolicy, b: AggregatePolicy): AggregatePolicy {
  if (a === 'hide' || b === 'allow') return a;
  if (b === 'hide' || a === 'allow') return b;
  return a.minGroup >= b.minGroup ? a : b;
}

/** For people; completes "aggregates: ...". Undefined for what holds where nothing is said. */
export function aggregatesShown(policy: AggregatePolicy): string | undefined {
  if (policy === 'hide') return undefined;
  return policy === 'allow'
    ? 'sums, averages, lengths and comparisons'
    : `sums and averages where count() of the column beside them is ${policy.minGroup} or more`;
}

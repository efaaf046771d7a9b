/**
 * `intent:` whether it is recorded what agents say they were asked for, and what processes were started with. Prompts are a
 * person's own words, so that their own file, or the organisation's, switches it off; the highest file that says something counts.
 */
import type { Value } from './yaml-source.js';

const intentUses = ['on', 'off'] as const;
export type IntentUse = (typeof intentUses)[number];

export function readIntent(value: Value): IntentUse {
  return value.oneOf(intentUses);
}

/** How long something that a person has said yes to may last. */
import { readDuration } from './read-identity.js';
import type { Value } from './yaml-source.js';

const shortestSpanMs = 60_000;
const longestSpanMs = 12 * 3_600_000;

/** Milliseconds. */
export function readSpan(value: Value): number {
  const span = readDuration(value);
  return span >= shortestSpanMs && span <= longestSpanMs ? span : value.fail('expected a time from 1m to 12h');
}

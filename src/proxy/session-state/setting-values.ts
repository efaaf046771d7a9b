/**
 * What the parameters of set_config() are bound to: PostgREST says search_path so, for each request.
 *
 * Taken for known is plain ASCII in a parameter that is text to the server: another type may have a cast of somebody's own, other
 * bytes depend on the client's encoding.
 */
import type { Facts } from '../../sql/facts.js';
import type { Candidate } from '../candidate.js';
import { isRowWork } from './row-work.js';

/** OIDs that a parameter may be declared with: undeclared, text, unknown, character varying. */
const textTypes: ReadonlySet<number> = new Set([0, 25, 705, 1043]);

/** By number from 1; undefined where no setting is set to a parameter. */
export function settingValuesOf(candidate: Candidate): ReadonlyMap<number, string> | undefined {
  if (isRowWork(candidate.facts)) return undefined;
  const { facts, bound, runs = [], bindValues = [], bytesAmongValues = [] } = candidate;
  const [prepared, ...others] = bound?.prepared ?? [];
  if (prepared === undefined || others.length > 0 || runs.length > 0) return undefined;
  const found = new Map<number, string>();
  for (const number of parametersIn(facts)) {
    const shown = bindValues[number - 1];
    if (shown === undefined || shown === null || !textTypes.has(prepared.parameterTypes[number - 1] ?? 0)) continue;
    const value = bytesAmongValues.includes(number - 1) ? Buffer.from(shown.slice(2), 'hex').toString('latin1') : shown;
    if (/^[\x20-\x7e]*$/.test(value)) found.set(number, value);
  }
  return found.size === 0 ? undefined : found;
}

function parametersIn({ statements }: Facts): number[] {
  const found: number[] = [];
  for (const { effects } of statements) {
    for (const { valueParameter } of effects) if (valueParameter !== undefined) found.push(valueParameter);
  }
  return found;
}

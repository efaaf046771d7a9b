/**
 * Where a statement holds passwords and other secrets: the one place that decides it, for the journal, the prompt and all
 * that is made of them. It goes by tokens, not by a tree, so that it holds for texts that no grammar reads too.
 *
 * Hidden is the literal or the part of it that is the secret, never names, verbs or conditions.
 */

import { finished, type Steps } from '../steps.js';
import { isSecretSetting, mentionsSecrets, worthLooking } from './credentials.js';
import { Finder, type Secrets } from './finder.js';
import { tokensIn } from './tokens.js';

export const noSecrets: Secrets = { ranges: [], values: [], parameters: new Set() };

/** What stands in the place of a secret; of a literal within its quotes. */
export const hiddenMark = '<hidden>';

/** @param readable false for a text that no grammar reads: then each literal beside a word for a secret is one */
export function secretsIn(sql: string, readable = true): Secrets {
  return finished(secretsInSteps(sql, readable));
}

/** The same, with pauses. */
export function* secretsInSteps(sql: string, readable: boolean): Steps<Secrets> {
  if (!worthLooking(sql)) return noSecrets;
  yield;
  const found = yield* new Finder(sql, 0).findInSteps();
  const secrets = (readable || !mentionsSecrets(sql) ? found : found.hideEverything()).secrets();
  return isNothing(secrets) ? noSecrets : secrets;
}

function isNothing({ ranges, values, parameters }: Secrets): boolean {
  return ranges.length === 0 && values.length === 0 && parameters !== 'all' && parameters.size === 0;
}

/** Of a text that is a value: a connection string, an address, a command, perhaps SQL. */
export function secretsOfValue(value: string): Secrets {
  return worthLooking(value) ? new Finder(value, 1).find().value().secrets() : noSecrets;
}

/**
 * Parameters that are secret by what another one of the same statement says: of `set_config($1, $2, true)` the second,
 * where the first is a setting for a secret.
 *
 * @param bind the values, of which short ones may be such names
 */
export function parametersNamedBy(sql: string, bind: readonly (string | null)[]): Secrets['parameters'] {
  if (!bind.some(isName)) return noSecrets.parameters;
  let spelled = '';
  let from = 0;
  for (const { kind, start, end, value } of tokensIn(sql)) {
    const named = kind === 'parameter' ? bind[Number(value) - 1] : undefined;
    if (!isName(named)) continue;
    spelled += `${sql.slice(from, start)}'${named}'`;
    from = end;
  }
  return secretsIn(spelled + sql.slice(from)).parameters;
}

/** Of nothing that a literal would have to escape. */
function isName(value: string | null | undefined): value is string {
  return typeof value === 'string' && /^[\w. -]{3,128}$/.test(value) && isSecretSetting(value);
}

/** Of an EXECUTE whose statement takes secrets: all of its values. */
export function argumentsIn(sql: string): Secrets {
  return new Finder(sql, 0).hideEverything().secrets();
}

/** The text with its secrets taken out. */
export function withoutSecrets(sql: string, { ranges }: Secrets): string {
  let text = '';
  let from = 0;
  for (const { start, end } of ranges) {
    text += sql.slice(from, start) + hiddenMark;
    from = end;
  }
  return text + sql.slice(from);
}

/** A text that was made of the statement (a message, a description), without what it repeats. */
export function scrubbed(text: string, { values }: Secrets): string {
  let clean = text;
  for (const value of values) {
    // a short one is in everything
    if (value.length < 4) clean = clean === value ? hiddenMark : clean.replace(asAWord(value), hiddenMark);
    else clean = clean.replaceAll(value, hiddenMark);
  }
  return clean;
}

function asAWord(value: string): RegExp {
  const literal = value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`(?<=["'=\\s]|^)${literal}(?=["',;\\s]|$)`, 'g');
}

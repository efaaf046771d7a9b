/**
 * Settings and options of objects: SET and ALTER ... SET, options of a user mapping, a subscription's connection.
 *
 * What lives here: places in a row of tokens. What it must not know: what is done there.
 */
import { isSecretSetting } from './credentials.js';
import { openOptions } from './secret-arguments.js';
import type { TokenRow } from './token-row.js';

/** What SET, at `set`, gives to a setting for a secret; it takes a value without quotes, too. */
export function secretsOfSetting(row: TokenRow, set: number, first: number, end: number): number[] {
  const begins = set === first || row.isAny(set - 1, [';', 'begin', 'then', 'else', 'loop']);
  if (!begins && !row.isAny(first, ['alter', 'create'])) return [];
  let at = row.isAny(set + 1, ['session', 'local']) ? set + 2 : set + 1;
  while (row.is(at + 1, '.')) at += 2;
  const name = row.at(at)?.value ?? '';
  if (!row.isAny(at + 1, ['=', 'to'])) return [];
  // ssl_passphrase_command: a program that prints it
  if (/pass(?:phrase|word)_command$/.test(name) && /^\s*(?:echo|printf)\b/.test(row.at(at + 2)?.value ?? ''))
    return [at + 2];
  if (!isSecretSetting(row.is(at - 1, '.') ? `.${name}` : name)) return [];
  const found: number[] = [];
  for (at += 2; at < end && !row.isAny(at, [';', 'default']); at++) found.push(at);
  return found;
}

/** OPTIONS of a user mapping, from behind the word: all of them but the ones that say who. */
export function secretsOfMapping(row: TokenRow, from: number, end: number): number[] {
  const found: number[] = [];
  for (let at = from; at + 1 < end; at++) {
    if (row.at(at + 1)?.kind === 'string' && !openOptions.has(row.at(at)?.value ?? '')) found.push(at + 1);
  }
  return found;
}

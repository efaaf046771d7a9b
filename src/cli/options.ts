/** Option values as commander gives them, checked. */
import { DbguardError } from '../errors.js';
import { didYouMean } from '../policy/did-you-mean.js';
import type { OptionValues } from './command.js';

export function textOption(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Throws `usage` for a word that is not among `words`. */
export function oneOfOption<const T extends string>(
  options: OptionValues,
  name: string,
  words: readonly T[],
): T | undefined {
  const value = textOption(options, name);
  const found = words.find((word) => word === value);
  if (value === undefined || found !== undefined) return found;
  const guess = didYouMean(value, words);
  throw new DbguardError('usage', `--${name} takes one of ${words.join(', ')}`, {
    hint: guess === undefined ? 'See dbguard --help.' : `Did you mean "${guess}"?`,
  });
}

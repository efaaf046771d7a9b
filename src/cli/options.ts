/** Option values as commander gives them, checked. */
import { DbguardError } from '../errors.js';
import { didYouMean } from '../policy/did-you-mean.js';

/** `name` is one of the flags that this command has: see OptionsOf. */
export function textOption<Options extends object>(options: Options, name: keyof Options & string): string | undefined {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Throws `usage` for a word that is not among `words`. */
export function oneOfOption<Options extends object, const T extends string>(
  options: Options,
  name: keyof Options & string,
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

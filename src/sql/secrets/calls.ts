/**
 * Calls of functions that are given secrets: which of the arguments are some.
 *
 * What lives here: places in a row of tokens. What it must not know: what is done there.
 */
import { isSecretName, isSecretSetting, mentionsSecrets } from './credentials.js';
import { looksGenerated } from './prose.js';
import {
  hashes,
  logins,
  newAccounts,
  pairs,
  passwordKeepers,
  paths,
  plainArguments,
  secretArguments,
} from './secret-arguments.js';
import type { TokenRow } from './token-row.js';

interface Argument {
  /** Index of its first token. */
  readonly from: number;
  readonly to: number;
}

/** Indexes of the values in the call whose parenthesis opens at `open` that are secret. */
export function secretsOfCall(row: TokenRow, name: string, open: number, end: number): readonly number[] {
  const judge = judgeOf(row, name);
  if (judge === undefined) return [];
  const given = argumentsFrom(row, open, end);
  return given.flatMap((argument, place) => {
    const values = row.values(argument.from, argument.to, plainArguments);
    return values.filter((at) => judge(at, place, given));
  });
}

/** Whether the value at an index is a secret, by its argument's place, from 0. */
type Judge = (at: number, place: number, given: readonly Argument[]) => boolean;

function judgeOf(row: TokenRow, name: string): Judge | undefined {
  const text = (at: number): string => (row.at(at)?.kind === 'string' ? (row.at(at)?.value ?? '') : '');
  const named = (argument: Argument | undefined): boolean =>
    argument !== undefined && isSecretName(text(argument.from).replace(/[}"\s]+$/, ''));
  if (Object.hasOwn(secretArguments, name)) {
    const places = secretArguments[name];
    return (_at, place) => places?.includes(place) ?? true;
  }
  if (name === 'set_config')
    return (at, _place, given) => {
      // in order, or by their names: setting_name => 'x', new_value => 'y'
      const [setting, value] = ['setting_name', 'new_value'].map(
        (label, place) => given.find(({ from }) => row.is(from, label) && row.is(from + 1, '=')) ?? given[place],
      );
      if (setting === undefined || value === undefined || at < value.from || at >= value.to) return false;
      return isSecretSetting(row.values(setting.from, setting.to, plainArguments).map(text).join(''));
    };
  if (paths.has(name)) return (_at, place, given) => place === 2 && named(given[1]);
  if (pairs.has(name)) return (_at, place, given) => place % 2 === 1 && named(given[place - 1]);
  if (hashes.test(name))
    return (at, place, [first]) => place === 0 && first !== undefined && isHashedSecret(row, at, first);
  if (passwordKeepers.test(name))
    return (_at, place, { length }) => place > 0 || (length === 1 && !/^(?:re)?set|^change|^update/.test(name));
  if (logins.test(name)) return (_at, place) => place > 0;
  if (newAccounts.test(name)) return (at, place) => place > 0 && looksGenerated(text(at));
  return undefined;
}

/** Nobody hashes a constant that is no secret but to make test data, of which a short word is left in clear. */
function isHashedSecret(row: TokenRow, at: number, { from, to }: Argument): boolean {
  const converted = row.is(from, 'convert_to') && at === from + 2;
  if (!converted && (at !== from || row.behindCasts(at + 1, to) !== to)) return false;
  const token = row.at(at);
  if (token?.kind === 'string' && (token.value.length >= 8 || looksGenerated(token.value))) return true;
  return row.tokens.some(({ kind, value }) => kind !== 'other' && mentionsSecrets(value));
}

function argumentsFrom(row: TokenRow, open: number, end: number): Argument[] {
  const found: Argument[] = [];
  const behind = row.behind(open, end);
  const close = row.is(behind - 1, ')') ? behind - 1 : behind;
  let from = open + 1;
  for (let at = from; at < close; at = row.behind(at, end)) {
    if (!row.is(at, ',')) continue;
    found.push({ from, to: at });
    from = at + 1;
  }
  return [...found, { from, to: close }];
}

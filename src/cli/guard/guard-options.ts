/** Options that `dbguard run` and `dbguard proxy` share. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { DbguardError, reasonOf } from '../../errors.js';
import { profileNames } from '../../policy/profiles.js';
import { oneOfOption, textOption } from '../options.js';
import type { OptionValues } from '../table.js';
import type { GuardOptions } from './contract.js';

export function guardFlags(
  options: OptionValues,
): Pick<GuardOptions, 'config' | 'connection' | 'from' | 'policyFile' | 'profile' | 'reason'> {
  return {
    config: textOption(options, 'config'),
    connection: textOption(options, 'connection'),
    from: textOption(options, 'from'),
    policyFile: textOption(options, 'policy'),
    profile: oneOfOption(options, 'profile', profileNames),
    reason: textOption(options, 'reason')?.trim() || undefined,
  };
}

/** `--listen HOST:PORT`, loopback only: what comes in there is not encrypted. Throws `usage`. */
export function listenAddress(text: string | undefined): { host: string; port: number } {
  const given = text ?? '127.0.0.1:0';
  const match = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(given);
  const host = match?.[1] === 'localhost' ? '127.0.0.1' : (match?.[1] ?? '');
  const port = Number(match?.[2]);
  if (!match || port > 65535 || isIP(host) === 0) {
    throw new DbguardError('usage', `--listen takes an address and a port, not "${given}"`, {
      hint: 'For example: --listen 127.0.0.1:6432 (port 0 takes a free one).',
    });
  }
  if (!/^127\./.test(host) && host !== '::1') {
    throw new DbguardError('usage', `--listen takes a loopback address, not ${host}`, {
      hint: 'The loopback side is not encrypted. Use 127.0.0.1 or ::1, and an SSH tunnel from other machines.',
    });
  }
  return { host, port };
}

/** First line of `--password-file`. Throws `usage` where there is none. */
export function readPasswordFile(path: string): string {
  let password: string | undefined;
  try {
    password = readFileSync(path, 'utf8').split(/\r?\n/)[0];
  } catch (error) {
    throw new DbguardError('usage', `cannot read the password file ${path}: ${reasonOf(error)}`, {
      hint: 'Write a password of your choice into that file, readable by you alone.',
      cause: error,
    });
  }
  if (!password || password.length < 8) {
    throw new DbguardError('usage', 'the password in --password-file is shorter than 8 characters', {
      hint: 'Write a longer one, for example from: openssl rand -hex 16',
    });
  }
  return password;
}

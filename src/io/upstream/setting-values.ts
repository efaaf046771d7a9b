/** Reads values of connection parameters, each with an error that names the parameter. */
import { printable } from '../../untrusted-text.js';
import { invalid } from './conninfo.js';
import type { Keyword, Settings } from './keywords.js';

export function oneOf<const T extends string, F extends T | undefined>(
  settings: Settings,
  keyword: Keyword,
  allowed: readonly T[],
  fallback: F,
): T | F {
  const value = settings.get(keyword);
  if (value === undefined || value === '') return fallback;
  const known = allowed.find((candidate) => candidate === value);
  if (known === undefined) {
    throw invalid(`${keyword} cannot be "${shown(value)}"`, `It takes ${allowed.join(', ')}.`);
  }
  return known;
}

/** Empty where it is not given. */
export function list(settings: Settings, keyword: Keyword): string[] {
  const value = settings.get(keyword);
  return value ? value.split(',') : [];
}

/** undefined where it is not given or empty. */
export function integer(settings: Settings, keyword: Keyword): number | undefined {
  const value = settings.get(keyword);
  if (value === undefined || value === '') return undefined;
  if (!/^\s*[-+]?\d{1,10}\s*$/.test(value)) {
    throw invalid(`${keyword} must be an integer, not "${shown(value)}"`, `Give ${keyword} a whole number.`);
  }
  return Number(value);
}

export function portNumber(value: string): number {
  const port = /^\d{1,5}$/.test(value.trim()) ? Number(value) : 0;
  if (port < 1 || port > 65535) throw invalid(`port "${shown(value)}" is not a number from 1 to 65535`, 'Check port.');
  return port;
}

/** Attacker-free but possibly pasted in by mistake: short and printable. */
function shown(value: string): string {
  return printable(value, 40);
}

/**
 * `requires`: the oldest dbguard that can enforce a file. Where replicas are changed one after the other, an old one must say that
 * a policy is beyond it, and not run what it understands of it.
 */
import type { DbguardError } from '../errors.js';
import type { Value } from './yaml-source.js';

/** As package.json says; test/policy/required-version.test.ts holds them together, since this floor reads no files. */
export const ownVersion = '0.1.0';

const form = /^>=\s*(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?$/;

/** Path of the key. */
export const requires = 'requires';

/** Why a file was refused that says so itself; no other file of the same time is to be taken in its place. */
export class BeyondThisVersion extends Error {}

export function isBeyondThisVersion({ cause }: DbguardError): boolean {
  return cause instanceof BeyondThisVersion;
}

export function readRequires(value: Value, running: string): string {
  const text = value.string('the oldest version that can enforce this file, such as ">=1.4"');
  const wanted = form.exec(text);
  if (!wanted) return value.fail('expected the oldest version that can enforce this file, such as ">=1.4"');
  if (!isAtLeast(running, wanted.slice(1))) {
    return value.fail(
      `this file needs dbguard ${text.slice(2).trim()} or later, and this is ${running}: update it; it cannot enforce all that the file says`,
    );
  }
  return text;
}

/** A version before its release (1.4.0-rc.1) is not yet that version: semver.org, section 11. */
function isAtLeast(running: string, wanted: readonly (string | undefined)[]): boolean {
  const [numbers = '', ...before] = running.split('+')[0]?.split('-') ?? [];
  const have = numbers.split('.').map(Number);
  for (const [index, part] of wanted.entries()) {
    const difference = (have[index] ?? 0) - Number(part ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return before.length === 0;
}

/** Whether what was heard through dbguard is what the server says. */

import type { Dialogue } from '../helpers/dialogue.js';
import { differences } from './differences.js';

/** Lines of a diff, direct `-` and through dbguard `+`; empty when dbguard could not be told from the server. */
export function compare(dialogue: Dialogue, direct: readonly string[], guarded: readonly string[]): string[] {
  if (dialogue.ownAnswer === 'closes') {
    const last = guarded.filter((line) => !line.includes(' never heard Z')).at(-1);
    return last === undefined || / E SFATAL.*\\00C08P01\\00|C0A000\\00/.test(last) ? [] : [`+ ${last}`];
  }
  if (dialogue.ownAnswer === 'same-code') return differences(direct.map(codesOnly), guarded.map(codesOnly));
  return differences(direct, guarded);
}

/** An ErrorResponse as its severity and SQLSTATE. */
function codesOnly(line: string): string {
  const [, client, severity, code] = /^(\S+) E S\w+\\00V(\w+)\\00C(\w{5})/.exec(line) ?? [];
  return code === undefined ? line : `${client} E ${severity} ${code}`;
}

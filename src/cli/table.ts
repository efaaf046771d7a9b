import type { CommandEntry } from './command.js';

/** Every command of dbguard, in the order of `--help`. */
export const commandTable: readonly CommandEntry[] = [];

/** What a group of commands is about, for `dbguard --help`. */
export const groupSummaries: Readonly<Record<string, string>> = {
  transcripts: 'list, read and verify signed transcripts',
  policy: 'test and check policies',
};

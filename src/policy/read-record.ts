/** `record` of a connection: what clients are shown, and the screen of `dbguard run`, kept beside the transcript. */
import { recipientProblem } from './age-recipient.js';
import { configKeys } from './config-keys.js';
import { readDuration } from './read-identity.js';
import type { Value } from './yaml-source.js';

export interface RecordConfig {
  readonly results: boolean;
  readonly terminal: boolean;
  /** Rows of one statement. */
  readonly maxRows: number;
  /** age's recipients; none: not encrypted. */
  readonly encryptTo: readonly string[];
  /** Undefined: until somebody deletes it. */
  readonly keepDays?: number;
  /** What cannot be recorded any more ends the session. */
  readonly required: boolean;
}

const usualRows = 1000;
const mostRows = 1_000_000;
const mostRecipients = 50;
const dayMs = 86_400_000;
const mostDays = 36_500;

export function readRecord(value: Value): RecordConfig {
  const fields = value.fields(configKeys.record);
  const results = fields.optional('results', (item) => item.oneOf(['masked', 'off'])) === 'masked';
  const terminal = fields.optional('terminal', (item) => item.oneOf(['on', 'off'])) === 'on';
  const keepDays = fields.optional('keep', readDays);
  return {
    results,
    terminal,
    maxRows: fields.optional('max_rows', (item) => item.integer(1, mostRows)) ?? usualRows,
    encryptTo: fields.optional('encrypt_to', readRecipients) ?? [],
    ...(keepDays === undefined ? {} : { keepDays }),
    required: fields.optional('required', (item) => item.boolean()) ?? false,
  };
}

function readRecipients(value: Value): readonly string[] {
  const all = value.list(readRecipient, 'expected at least one recipient; leave the key out to record in the clear');
  return all.length <= mostRecipients ? all : value.fail(`expected at most ${mostRecipients} recipients`);
}

function readRecipient(value: Value): string {
  const text = value.string('age1... or ssh-ed25519 AAAA...').trim();
  const problem = recipientProblem(text);
  // the comment of a line of authorized_keys says nothing
  return problem === undefined ? text.split(/\s+/).slice(0, 2).join(' ') : value.fail(problem);
}

/** A rule of the bucket deletes by whole days. */
function readDays(value: Value): number {
  const days = readDuration(value) / dayMs;
  return Number.isInteger(days) && days >= 1 && days <= mostDays
    ? days
    : value.fail('expected whole days, such as 90d');
}

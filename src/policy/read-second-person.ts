/** `second_person`: who may approve what somebody else asks for, and how long that takes and counts. Grants nothing by itself. */
import { configKeys } from './config-keys.js';
import { readDuration } from './read-identity.js';
import type { Value } from './yaml-source.js';

const webhookFormats = ['slack', 'teams', 'json'] as const;
export type WebhookFormat = (typeof webhookFormats)[number];

export interface Webhook {
  /** Knows whoever posts there: never printed. */
  readonly url: string;
  readonly format: WebhookFormat;
}

/** Times in milliseconds. */
export interface SecondPersonConfig {
  /** E-mail addresses, and `group:` with the name of a group. */
  readonly approvers: readonly string[];
  readonly min: number;
  /** How strongly the issuer must vouch for an approver's key. */
  readonly level: 'nonce' | 'dpop';
  /** How long ago an approver may have logged in. */
  readonly maxLoginAgeMs: number;
  /** How long a statement waits: outside of a transaction, and inside of one, where it holds locks. */
  readonly waitMs: number;
  readonly waitInTransactionMs: number;
  /** How long an approval may be used. */
  readonly validForMs: number;
  readonly webhooks: readonly Webhook[];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const mostApprovers = 10;

export function readSecondPerson(value: Value): SecondPersonConfig {
  const fields = value.fields(configKeys.second_person);
  const approvers = fields.required('approvers', (item) => item.oneOrMore(readApprover), '[lead@example.com]');
  const time = (
    key: 'wait' | 'wait_in_transaction' | 'valid_for' | 'max_age',
    ms: number,
    least: number,
    most: number,
  ) => fields.optional(key, (item) => readTime(item, least, most)) ?? ms;
  return {
    approvers,
    min: fields.optional('min', (item) => item.integer(1, mostApprovers)) ?? 1,
    level: fields.optional('level', (item) => item.oneOf(['nonce', 'dpop'])) ?? 'dpop',
    maxLoginAgeMs: time('max_age', 12 * HOUR, MINUTE, 30 * 24 * HOUR),
    waitMs: time('wait', 10 * MINUTE, 1000, HOUR),
    waitInTransactionMs: time('wait_in_transaction', MINUTE / 3, 1000, 10 * MINUTE),
    validForMs: time('valid_for', 30 * MINUTE, MINUTE, 24 * HOUR),
    webhooks: fields.optional('notify', (item) => item.oneOrMore(readWebhook)) ?? [],
  };
}

function readApprover(value: Value): string {
  const text = value.string('an e-mail address, or "group:" and the name of a group');
  const isOne = /^group:\S.*$/.test(text) || /^[^\s@]+@[^\s@]+$/.test(text);
  return isOne ? text : value.fail('expected an e-mail address, or "group:" and the name of a group');
}

function readTime(value: Value, least: number, most: number): number {
  const milliseconds = readDuration(value);
  if (milliseconds >= least && milliseconds <= most) return milliseconds;
  return value.fail(`expected a time from ${words(least)} to ${words(most)}`);
}

function words(ms: number): string {
  if (ms >= HOUR) return `${ms / HOUR}h`;
  return ms >= MINUTE ? `${ms / MINUTE}m` : `${ms / 1000}s`;
}

function readWebhook(value: Value): Webhook {
  const fields = value.fields(configKeys.notify);
  return {
    url: fields.required('webhook', readUrl, 'https://hooks.example.com/...'),
    format: fields.optional('format', (item) => item.oneOf(webhookFormats)) ?? 'json',
  };
}

/** What leaves this machine is encrypted; plain http is for a receiver on it. */
function readUrl(value: Value): string {
  const text = value.string('the URL of a webhook');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLocal = url !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal)) return text;
  return value.fail('expected an https URL');
}

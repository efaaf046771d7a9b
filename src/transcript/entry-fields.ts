/**
 * Which fields each kind of entry has, and what may stand in them: FORMAT.md's table as code. A test holds the two
 * against each other.
 */
import type { EntryKind } from './entry.js';
import { isRecord } from './line.js';

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const number: Check = (value) => typeof value === 'number';
/** Of microseconds and milliseconds: below zero where the clock was set back. */
const span: Check = (value) => Number.isSafeInteger(value);
const texts: Check = (value) => Array.isArray(value) && value.every(text);
const anything: Check = () => true;
/** In full, or the number of the entry that has them. */
const facts: Check = (value) => isFacts(value) || count(value);
const word =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(String(value)) && text(value);

const transaction = word('I', 'T', 'E');
const decider = word(
  ...['person', 'second-person', 'rule', 'earlier-approval', 'earlier-denial'],
  ...['timeout', 'disconnect', 'cancel', 'nobody'],
);

/** Who never lets anything through. */
export const byNobody: ReadonlySet<unknown> = new Set(['earlier-denial', 'timeout', 'disconnect', 'cancel', 'nobody']);

function isHidden(value: unknown): boolean {
  return isRecord(value) && isBytes(value.salt, 16) && isBytes(value.digest, 32);
}

/** In the one spelling that an encoder gives them. */
function isBytes(value: unknown, length: number): boolean {
  const bytes = Buffer.from(String(value), 'base64url');
  return bytes.length === length && bytes.toString('base64url') === value;
}

/** What may be disclosed: the type of its value. */
export const disclosable: Readonly<Record<string, Readonly<Record<string, 'text' | 'list'>>>> = {
  connection: { arguments: 'text' },
  intent: { said: 'text' },
  parse: { sql: 'text' },
  statement: { sql: 'text', bind: 'list' },
  approval: { shown: 'text' },
  verdict: { reason: 'text' },
  window: { reason: 'text' },
  grant: { reason: 'text' },
  network: { reason: 'text' },
};

const open = [
  ...['v', 'subject', 'level', 'clientId', 'audience', 'method', 'loggedInAt', 'loginKey', 'salt', 'idToken'],
  ...[
    'accessToken',
    'sessionKey',
    'certificate',
    'connection',
    'policy',
    'version',
    'agent',
    'previous',
    'gateway',
    'proof',
  ],
];

/** Of the process that has connected, or that has said something. */
const process = { pid: count, program: text, ancestors: texts, agentSession: text, trace: text };

export const entryFields: Readonly<Record<EntryKind, Readonly<Record<string, Check>>>> = {
  // readOpen judges these
  open: Object.fromEntries(open.map((name) => [name, anything])),
  connection: {
    event: word('open', 'process', 'close', 'own'),
    conn: count,
    ...process,
    user: text,
    loopbackUser: text,
    role: text,
    database: text,
    applicationName: text,
    backendPid: count,
    window: count,
    address: text,
    reason: text,
  },
  intent: {
    event: word('prompt', 'tool'),
    agent: text,
    session: text,
    call: text,
    tool: text,
    prompt: count,
    dropped: count,
    ...process,
  },
  parse: { conn: count, text: count, facts, hidden: isHidden },
  statement: {
    conn: count,
    protocol: word('execute', 'function', 'connection'),
    name: text,
    portal: text,
    text: count,
    continues: count,
    hex: (value) => Array.isArray(value) && value.every(count),
    facts,
    hidden: isHidden,
    tx: transaction,
    decision: word('allow', 'ask', 'second-person', 'deny'),
    rule: text,
    intent: count,
    fit: word('process', 'text', 'session', 'time', 'other'),
  },
  'dry-run': { of: count },
  approval: { of: count, id: text, object: word('request', 'verdict', 'claim'), envelope: isRecord },
  verdict: {
    of: count,
    decision: word('allow', 'deny', 'abort'),
    by: decider,
    channel: text,
    name: text,
    scope: word('once', 'session', 'transaction'),
    under: count,
    rule: text,
    shown: text,
    waitedMs: span,
    estimatedRows: number,
  },
  window: {
    event: word('open', 'end'),
    of: count,
    access: text,
    role: text,
    connection: text,
    forMs: count,
    channel: text,
    why: word('time', 'person'),
  },
  grant: { of: count, role: text, access: text, lacking: texts, window: count },
  outcome: {
    of: count,
    how: word('done', 'failed', 'skipped', 'rejected', 'lost', 'undone'),
    tag: text,
    tags: count,
    rows: count,
    bytes: count,
    us: span,
    sqlstate: text,
    role: text,
    masked: texts,
    inferred: texts,
    detected: texts,
    tx: transaction,
  },
  recording: {
    event: word('begin', 'chunk', 'end'),
    stream: word('results', 'terminal'),
    keepDays: count,
    maxRows: count,
    maxBytes: count,
    recipients: texts,
    chunk: count,
    digest: (value) => isBytes(value, 32),
    size: count,
    why: word('session', 'failed'),
  },
  network: {
    host: text,
    port: count,
    decision: word('allow', 'deny'),
    by: decider,
    channel: text,
    rule: text,
    waitedMs: span,
  },
  heartbeat: {},
  redaction: { session: text, of: count, digests: isRecord, reason: text },
  seal: { totals: isRecord, final: (value) => value === true },
};

/** What an entry of that kind is nothing without. `of` is not here: what it has to name is checked whatever stands there. */
const needed: Readonly<Partial<Record<EntryKind, readonly string[]>>> = {
  connection: ['event'],
  intent: ['event', 'agent'],
  verdict: ['decision', 'by'],
  window: ['event'],
  grant: ['role', 'access'],
  outcome: ['how'],
  recording: ['event', 'stream'],
  network: ['host', 'port', 'decision', 'by'],
  approval: ['object'],
  redaction: ['session', 'of', 'digests'],
};

export function neededBy(kind: string): readonly string[] {
  return (Object.hasOwn(needed, kind) && needed[kind as EntryKind]) || [];
}

/** What the parser read, in full. */
export function isFacts(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isRecord);
  return isRecord(value) && typeof value.unparseable === 'string';
}

/** Undefined for a kind that version 1 does not have. Not an object's own `constructor` or `toString` either. */
export function fieldsOf(kind: string): Readonly<Record<string, Check>> | undefined {
  return Object.hasOwn(entryFields, kind) ? entryFields[kind as EntryKind] : undefined;
}

export function checkOf(fields: Readonly<Record<string, Check>>, name: string): Check | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/**
 * What `dbguard approvals` takes from the other end of the socket. The other end may be a program of the agent that only
 * looks like a run: what it says is checked field by field, and nothing of it acts on the person's terminal.
 */
import type { ImpactLine } from '../proxy/statement/asker.js';
import { sanitise, singleLine } from '../untrusted-text.js';
import type { Preview } from './preview.js';
import { type AskedMessage, type FromRun, parseObject, type RunDescription } from './protocol.js';
import { parseFromWindows } from './window-protocol.js';

/** A message, or undefined where the line is none. */
export function parseFromRun(line: string): FromRun | undefined {
  const message = parseObject(line);
  try {
    return message && read(message);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

class Malformed extends Error {}

type Fields = Readonly<Record<string, unknown>>;

function read(message: Fields): FromRun | undefined {
  switch (message.type) {
    case 'refused':
      return { type: 'refused', why: singleLine(text(message.why), 300) };
    case 'hello':
      return { type: 'hello', run: runOf(fields(message.run)), pending: list(message.pending, askedOf) };
    case 'asked':
      return askedOf(message);
    case 'settled': {
      const { id, decision, by } = message;
      return { type: 'settled', id: name(id), decision: oneOf(decision, decisions), by: singleLine(text(by), 80) };
    }
    case 'result':
      return { type: 'result', id: name(message.id), result: oneOf(message.result, results) };
    default:
      return parseFromWindows(message);
  }
}

const decisions = ['allow', 'deny', 'abort'] as const;
const results = ['settled', 'unknown', 'not-for-session', 'changed'] as const;
const severities = ['info', 'warning', 'danger'] as const;
const dryRunStates = ['none', 'running', 'done'] as const;

function runOf(run: Fields): RunDescription {
  return {
    sid: name(run.sid),
    pid: number(run.pid),
    agent: singleLine(text(run.agent)),
    subject: singleLine(text(run.subject)),
    connection: singleLine(text(run.connection)),
  };
}

function askedOf(value: unknown): AskedMessage {
  const asked = fields(value);
  const { sessionObstacle, dryRun } = asked;
  return {
    type: 'asked',
    id: name(asked.id),
    preview: previewFrom(fields(asked.preview)),
    digest: name(asked.digest),
    askedAt: number(asked.askedAt),
    expiresAt: number(asked.expiresAt),
    ...(sessionObstacle === undefined ? {} : { sessionObstacle: singleLine(text(sessionObstacle)) }),
    ...(dryRun === undefined ? {} : { dryRun: oneOf(dryRun, dryRunStates) }),
  };
}

function previewFrom(preview: Fields): Preview {
  const size = fields(preview.size);
  return {
    headline: clean(preview.headline),
    production: preview.production === true,
    facts: list(preview.facts, (value) => {
      const fact = fields(value);
      return { label: clean(fact.label), text: clean(fact.text) };
    }),
    warnings: list(preview.warnings, clean),
    statement: clean(preview.statement),
    size: { characters: number(size.characters), lines: number(size.lines), hidden: number(size.hidden) },
    values: list(preview.values, clean),
    why: clean(preview.why),
    impact: list(preview.impact, impactLine),
    dryRun: list(preview.dryRun, impactLine),
    ...(preview.askedFor === undefined ? {} : { askedFor: singleLine(text(preview.askedFor), 300) }),
    ...(preview.window === undefined ? {} : { window: singleLine(text(preview.window), 20) }),
  };
}

function impactLine(value: unknown): ImpactLine {
  const line = fields(value);
  return { label: clean(line.label), text: clean(line.text), severity: oneOf(line.severity, severities) };
}

function clean(value: unknown): string {
  return sanitise(text(value)).text;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Malformed();
  return value;
}

/** What a person types to name it. */
function name(value: unknown): string {
  const known = text(value);
  if (!/^[\w-]{1,64}$/.test(known)) throw new Malformed();
  return known;
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed();
  return value;
}

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw new Malformed();
  return value as Fields;
}

function list<T>(value: unknown, one: (item: unknown) => T): T[] {
  if (!Array.isArray(value)) throw new Malformed();
  return value.map(one);
}

function oneOf<T extends string>(value: unknown, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new Malformed();
  return found;
}

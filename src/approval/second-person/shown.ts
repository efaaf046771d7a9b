/**
 * The text that says what a second person is asked: made by the one who asks, kept beside the signed request, and read
 * by whoever answers. It holds no picture of a prompt: the reader draws their own, from the statement itself.
 */

import { DbguardError } from '../../errors.js';
import { subjectName } from '../../identity/subject-name.js';
import { durationWords } from '../../policy/units.js';
import type { ApprovalRequest, ImpactLine } from '../../proxy/statement/asker.js';
import { connectionAsked } from '../../proxy/statement/connection-on-request.js';
import type { Facts } from '../../sql/facts.js';
import type { ApprovalRequestClaims } from '../../transcript/approval-objects.js';
import { parseSigned } from '../../transcript/envelope.js';
import { isRecord } from '../../transcript/line.js';
import { singleLine } from '../../untrusted-text.js';
import { type Preview, previewOf } from '../preview.js';

/** What it says; `facts` are found anew by who reads it. */
export type ShownFields = Pick<
  ApprovalRequest,
  | 'agent'
  | 'connection'
  | 'database'
  | 'user'
  | 'environment'
  | 'searchPath'
  | 'sql'
  | 'runs'
  | 'bindValues'
  | 'transactionStatus'
  | 'soFar'
  | 'asked'
  | 'impact'
> & {
  readonly salt: string;
  /** See recognised.ts. */
  readonly exact?: string;
  readonly ruling: Pick<ApprovalRequest['ruling'], 'rule' | 'origin' | 'reason' | 'as' | 'connects'>;
};

/**
 * @param salt 22 random characters of base64url: short statements could be guessed from the digest
 * @param exact by which another session of the same person recognises the statement
 */
export function shownText(request: ApprovalRequest, salt: string, exact?: string): string {
  const { agent, connection, database, user, environment, searchPath, sql, runs, bindValues } = request;
  const { transactionStatus, soFar, asked, impact, ruling } = request;
  const { rule, origin, reason, as, connects } = ruling;
  return JSON.stringify({
    salt,
    sql,
    bind: bindValues,
    runs,
    ...{ agent, connection, database, user, environment, searchPath, transactionStatus, soFar, asked },
    ruling: { rule, origin, reason, as, connects },
    impact,
    exact,
  });
}

/** Reads attacker-controlled text. Throws `transcript-invalid`. */
export function readShown(text: string): ShownFields {
  const fields = parseSigned(text, WHAT);
  const ruling = record(fields.ruling);
  const impact = record(fields.impact);
  const { estimatedRows } = impact;
  const soFar = fields.soFar === undefined ? undefined : readSoFar(record(fields.soFar));
  const asked = fields.asked === undefined ? undefined : record(fields.asked);
  return {
    salt: string(fields.salt),
    agent: string(fields.agent),
    connection: string(fields.connection),
    database: string(fields.database),
    ...optionalTexts(fields, ['user', 'environment', 'searchPath', 'exact']),
    sql: string(fields.sql),
    ...(fields.runs === undefined ? {} : { runs: list(fields.runs, string) }),
    bindValues: list(fields.bind, (value) => (value === null ? null : string(value))),
    transactionStatus: fields.transactionStatus === 'T' ? 'T' : 'I',
    ...(soFar ? { soFar } : {}),
    ...(asked ? { asked: { text: string(asked.text), fits: asked.fits === true } } : {}),
    impact: {
      lines: list(impact.lines, readLine),
      ...(typeof estimatedRows === 'number' ? { estimatedRows } : {}),
    },
    ruling: {
      rule: string(ruling.rule),
      origin: string(ruling.origin),
      reason: string(ruling.reason),
      ...(ruling.as === undefined ? {} : { as: readRole(record(ruling.as)) }),
      ...(ruling.connects === undefined ? {} : { connects: { forMs: number(record(ruling.connects).forMs) } }),
    },
  };
}

/** The request as its reader's own screen shows it. Who asks is what the issuer says, not what the text does. */
export function requestShown(
  shown: ShownFields,
  claims: ApprovalRequestClaims,
  factsOf: (sql: string) => Facts,
): ApprovalRequest {
  const { subject } = claims.who;
  const { connects } = shown.ruling;
  // what runs as SQL must not be shown as anything else
  if (connects && shown.sql !== connectionAsked(claims.connection, connects.forMs)) unusable();
  return {
    ...shown,
    ruling: { decision: 'second-person', ...shown.ruling },
    id: claims.id,
    sid: claims.sid,
    entry: 0,
    connectionNumber: 0,
    connection: claims.connection,
    subject: subjectName(subject),
    facts: connects ? { statements: [] } : factsOf(shown.sql),
    askedAt: claims.at,
    expiresAt: claims.expiresAt,
  };
}

/** What the reader's own login sees, or why it sees nothing. */
export type OwnView = { readonly lines: readonly ImpactLine[] } | { readonly not: string };

/** Which words are whose. */
export function teamPreview(request: ApprovalRequest, { who, demands }: ApprovalRequestClaims, own?: OwnView): Preview {
  const preview = previewOf(request);
  const asks = singleLine(subjectName(who.subject), 120);
  return {
    ...preview,
    facts: [
      ...preview.facts,
      { label: 'asked by', text: `${asks}, as ${singleLine(who.subject.iss, 80)} says` },
      ...(demands.min > 1 ? [{ label: 'needed', text: `${demands.min} people have to approve it` }] : []),
      {
        label: 'how long',
        text: `an approval counts for ${durationWords(demands.validFor)}: a statement that no longer waits then runs when the agent sends it again`,
      },
      {
        label: 'whose words',
        text: `statement, comments, values and what it was asked for are the agent’s; rows and tables are as seen by the one who asks${own ? ', those with “you:” by your own login' : ''}`,
      },
    ],
    impact: [...preview.impact, ...(own ? ownLines(own) : [])],
  };
}

function ownLines(own: OwnView): ImpactLine[] {
  if ('not' in own) return [{ label: 'you', text: `not seen by your own login: ${own.not}`, severity: 'info' }];
  return own.lines.map((line) => ({ ...line, label: `you: ${line.label}` }));
}

const WHAT = 'what is asked';

function readSoFar(fields: Record<string, unknown>): NonNullable<ApprovalRequest['soFar']> {
  return {
    statements: number(fields.statements),
    partlyUndone: fields.partlyUndone === true,
    changes: list(fields.changes, (value) => {
      const { what, rows, times } = record(value);
      return { what: string(what), rows: rows === undefined ? undefined : number(rows), times: number(times) };
    }),
  };
}

function readRole(fields: Record<string, unknown>): NonNullable<ApprovalRequest['ruling']['as']> {
  return {
    role: string(fields.role),
    access: string(fields.access),
    lacking: list(fields.lacking, string),
    ...optionalTexts(fields, ['reason']),
  };
}

function readLine(value: unknown): ImpactLine {
  const { label, text, severity } = record(value);
  const known = (['info', 'warning', 'danger'] as const).find((one) => one === severity);
  return { label: string(label), text: string(text), severity: known ?? 'danger' };
}

function optionalTexts<K extends string>(
  fields: Record<string, unknown>,
  names: readonly K[],
): { [key in K]?: string } {
  const found: { [key in K]?: string } = {};
  for (const name of names) if (fields[name] !== undefined) found[name] = string(fields[name]);
  return found;
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : unusable();
}

function list<T>(value: unknown, one: (item: unknown) => T): T[] {
  return Array.isArray(value) ? value.map(one) : unusable();
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : unusable();
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : unusable();
}

function unusable(): never {
  throw new DbguardError('transcript-invalid', 'what is asked lacks a field, or has one that cannot stand there');
}

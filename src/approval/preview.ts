/**
 * What a person is shown of a request: one structure that the terminal prompt, `dbguard approvals` and the digest in
 * the verdict are all made of. Everything in it is sanitised.
 */
import { createHash } from 'node:crypto';
import { durationWords } from '../policy/units.js';
import type { ApprovalRequest, DryRun, DryRunRow, ImpactLine } from '../proxy/statement/asker.js';
import { sanitise, singleLine } from '../untrusted-text.js';
import { grouped } from '../words.js';
import { headline } from './headline.js';
import { transactionContext } from './transaction-context.js';

export interface Preview {
  readonly headline: string;
  readonly production: boolean;
  /** Who asks, where, in what state, by which rule. */
  readonly facts: readonly { readonly label: string; readonly text: string }[];
  /** Tricks in the text, what cannot be shown, what cannot be undone. */
  readonly warnings: readonly string[];
  readonly statement: string;
  /** Characters and lines of the whole statement. */
  readonly size: { readonly characters: number; readonly lines: number; readonly hidden: number };
  readonly values: readonly string[];
  readonly why: string;
  /** What the agent says that it was asked for: one line, its words. */
  readonly askedFor?: string;
  readonly impact: readonly ImpactLine[];
  /** Approving it for longer lets everything of its kind run as its role, for so long. */
  readonly window?: string;
  /** What running and undoing it has shown; empty before somebody wanted that. */
  readonly dryRun: readonly ImpactLine[];
}

const coversTransaction =
  'Approving it approves the further changes of this transaction (schema, whole tables) up to COMMIT or ROLLBACK. TRUNCATE, GRANT and code that cannot be seen are asked about still.';

/** Of a longer statement, the beginning and the end are shown; the digest covers all of it. */
const headCharacters = 200_000;
const tailCharacters = 50_000;
const valueCharacters = 2000;
const valuesMax = 500;
const cellCharacters = 40;
/** A sample is there to be recognised: it must not push the statement off the screen. */
const rowCharacters = 100;

export function previewOf(request: ApprovalRequest, dryRun?: DryRun): Preview {
  const { sql } = request;
  const hidden = Math.max(0, sql.length - headCharacters - tailCharacters);
  const shown = hidden === 0 ? sql : sql.slice(0, headCharacters) + omitted(hidden) + sql.slice(-tailCharacters);
  const { text, warnings } = sanitise(shown);
  const values = request.bindValues.map((value, index) => `$${index + 1} = ${literal(value)}`);
  const manyValues = values.length - valuesMax;
  return {
    headline: headline(request),
    production: isProduction(request.environment) || isProduction(request.connection),
    facts: placeOf(request),
    warnings: [
      ...warnings,
      ...(request.ruling.covers === 'transaction' && request.transactionStatus === 'T' ? [coversTransaction] : []),
      ...(hidden > 0 ? [`${grouped(hidden)} characters in the middle are not shown. The digest covers them.`] : []),
      ...(request.facts.unparseable
        ? [`dbguard could not read it: ${singleLine(request.facts.unparseable.message, 120)}`]
        : []),
    ],
    statement: text,
    size: { characters: sql.length, lines: sql.split('\n').length, hidden },
    values: manyValues > 0 ? [...values.slice(0, valuesMax), `… and ${grouped(manyValues)} more values`] : values,
    why: singleLine(request.ruling.reason, 1200),
    impact: [...runs(request), ...[...estimates(request, dryRun), ...transactionContext(request)].map(sanitisedLine)],
    dryRun: dryRun ? dryRunLines(dryRun).map(sanitisedLine) : [],
    ...windowOf(request),
    ...askedFor(request),
  };
}

/** Why a person at a screen would not see all of it; undefined where they do. */
export function notShownWhole({
  sql,
  bindValues,
  runs = [],
}: Pick<ApprovalRequest, 'sql' | 'bindValues' | 'runs'>): string | undefined {
  if (sql.length > headCharacters + tailCharacters) return `it has ${grouped(sql.length)} characters`;
  if (bindValues.length > valuesMax) return `it has ${grouped(bindValues.length)} values`;
  if (bindValues.some((value) => (value?.length ?? 0) > valueCharacters)) return 'one of its values is too long';
  return runs.some((text) => text.length > valueCharacters) ? 'what it runs by name is too long' : undefined;
}

const askedCharacters = 160;

function askedFor({ asked }: ApprovalRequest): Pick<Preview, 'askedFor'> {
  if (asked === undefined) return {};
  const unfit = asked.fits ? '' : ' (another process than the one it speaks of sends this)';
  return { askedFor: `${singleLine(asked.text, askedCharacters)}, the agent says${unfit}` };
}

function windowOf({ ruling: { as } }: ApprovalRequest): Pick<Preview, 'window'> {
  return as?.longestMs === undefined ? {} : { window: durationWords(as.longestMs) };
}

/** What a dry run has counted is not estimated beside it. */
function estimates({ impact }: ApprovalRequest, dryRun: DryRun | undefined): readonly ImpactLine[] {
  if (!dryRun || 'refused' in dryRun) return impact.lines;
  const counted = new Set(['rows', ...dryRun.lines.map(({ label }) => label)]);
  return impact.lines.filter(({ label }) => label === '' || !counted.has(label));
}

function sanitisedLine({ label, text, severity }: ImpactLine): ImpactLine {
  return { label: singleLine(label, 80), text: singleLine(text, 300), severity };
}

function dryRunLines(dryRun: DryRun): ImpactLine[] {
  if ('refused' in dryRun) {
    return [{ label: 'dry run', text: `not possible: ${dryRun.refused}`, severity: 'warning' }];
  }
  const label = (index: number): string => (index === 0 ? 'for example' : '');
  const rows = dryRun.rows.map((row, index) => ({
    label: label(index),
    text: rowWords(row),
    severity: 'info' as const,
  }));
  return [...dryRun.lines, ...rows];
}

/** `- id 17, status paid` or `~ id 17, status paid → shipped`; of a wide row its first columns. */
function rowWords({ sign, cells }: DryRunRow): string {
  const words = cells.map(({ column, was, value }) => {
    const change = was === undefined ? cell(value) : `${cell(was)} → ${cell(value)}`;
    return `${singleLine(column, 40)} ${change}`;
  });
  const shown: string[] = [];
  for (const word of words) {
    if (shown.length > 0 && shown.join(', ').length + word.length > rowCharacters) break;
    shown.push(word);
  }
  const hidden = words.length - shown.length;
  const more = hidden > 0 ? `, and ${hidden} more ${hidden === 1 ? 'column' : 'columns'}` : '';
  return `${sign} ${shown.join(', ')}${more}`;
}

function cell(value: string | null): string {
  return value === null ? 'NULL' : singleLine(value, cellCharacters) || "''";
}

/** The canonical text of a request: what was on the screen, whatever its size, and digests of what it stands for. */
export function previewText(request: ApprovalRequest, preview: Preview = previewOf(request)): string {
  return [
    preview.headline,
    ...preview.facts.map(({ label, text }) => `${label}: ${text}`),
    ...preview.warnings.map((warning) => `warning: ${warning}`),
    `statement (${preview.size.characters} characters, SHA-256 ${sha256(request.sql)}):`,
    preview.statement,
    `values (${request.bindValues.length}, SHA-256 ${sha256(JSON.stringify(request.bindValues))}):`,
    ...preview.values,
    `why: ${preview.why}`,
    ...(preview.askedFor === undefined ? [] : [`asked for: ${preview.askedFor}`]),
    ...(preview.window === undefined ? [] : [`for a time: ${preview.window}`]),
    ...[...preview.impact, ...preview.dryRun].map((line) => `${line.severity}: ${line.label}: ${line.text}`),
    '',
  ].join('\n');
}

/** SHA-256 over `previewText`, base64url: what a verdict says was shown. */
export function previewDigest(request: ApprovalRequest, preview?: Preview): string {
  return sha256(previewText(request, preview));
}

/** The names people give to what must not break. */
export function isProduction(name: string | undefined): boolean {
  return name !== undefined && /(?:^|[^a-z])(?:prod|production|live|prd)(?:[^a-z]|$)/i.test(name);
}

function placeOf(request: ApprovalRequest): { label: string; text: string }[] {
  const environment = request.environment === undefined ? '' : ` (${singleLine(request.environment, 40)})`;
  const role = request.user === undefined ? '' : ` as ${singleLine(request.user, 60)}`;
  return [
    { label: 'agent', text: `${singleLine(request.agent, 60)}, for ${singleLine(request.subject, 80)}` },
    {
      label: 'where',
      text: `${singleLine(request.connection, 60)}${environment}, database ${singleLine(request.database, 60)}${role}`,
    },
    { label: 'rule', text: `${singleLine(request.ruling.rule, 80)} (${singleLine(request.ruling.origin, 80)})` },
    ...(request.searchPath === undefined ? [] : [{ label: 'search_path', text: singleLine(request.searchPath, 120) }]),
  ];
}

/** What EXECUTE stands for: said at length, since it is what will run. */
function runs(request: ApprovalRequest): ImpactLine[] {
  return (request.runs ?? []).map((text) => ({ label: 'runs', text: runText(text), severity: 'warning' }));
}

function runText(text: string): string {
  const shown = singleLine(text, valueCharacters);
  return text.length > valueCharacters
    ? `${shown} (${grouped(text.length)} characters, SHA-256 ${sha256(text)})`
    : shown;
}

function literal(value: string | null): string {
  if (value === null) return 'NULL';
  const shown = singleLine(value, valueCharacters);
  return value.length > valueCharacters ? `'${shown}' (${grouped(value.length)} characters)` : `'${shown}'`;
}

function omitted(characters: number): string {
  return `\n\n          … ${grouped(characters)} characters not shown …\n\n`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

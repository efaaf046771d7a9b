/** What the terminal browser says of one statement, and of what is proven: passages with labels. Texts are attacker-controlled. */
import { isRecord } from '../../transcript/line.js';
import { sanitise } from '../../untrusted-text.js';
import { counted, grouped } from '../../words.js';
import { intentLine } from '../intent-words.js';
import type { ReadItem } from '../read-item.js';
import type { Verdict } from '../session-report.js';
import type { Row } from '../statement-rows.js';
import type { Mood } from '../timeline.js';
import type { Verified } from './browser-state.js';

export interface Passage {
  readonly label?: string;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad' | 'waiting' | 'quiet' | 'strong';
  readonly sql?: boolean;
}

const blank: Passage = { text: '', tone: 'plain' };

/** One row in full: its text, what the parser read in it, who decided what after being shown what, and what came of it. */
export function statementPassages({ main, parts }: Row): Passage[] {
  const { item, facts, fields } = main;
  const { text, bind, intent, title, mood } = item;
  const isSql = item.kind === 'statement' || item.kind === 'parse';
  const said: (Passage | false)[] = [
    text !== undefined && { text, tone: 'plain', sql: isSql },
    bind !== undefined && { label: 'with', text: bind, tone: 'plain' },
    blank,
    ...(text === undefined
      ? []
      : sanitise(text).warnings.map((trick): Passage => ({ label: 'beware', text: trick, tone: 'bad' }))),
    { label: 'when', text: `${time(item.at)} UTC`, tone: 'plain' },
    { label: item.kind, text: title, tone: moods[mood] },
    intent !== undefined && { label: 'asked for', text: intentLine(intent).replace(/^asked for: /, ''), tone: 'quiet' },
    intent?.given !== undefined && { label: 'tool call', text: intent.given, tone: 'quiet' },
    ...factsPassages(facts),
    ...shownPassages(main),
    transactions[String(fields.tx)] !== undefined && {
      label: 'transaction',
      text: transactions[String(fields.tx)] ?? '',
      tone: 'quiet',
    },
  ];
  return [...said.filter((one) => one !== false), ...parts.flatMap(partPassages)];
}

/** ReadyForQuery of the PostgreSQL protocol; outside of one there is nothing to say. */
const transactions: Readonly<Record<string, string>> = {
  T: 'in a transaction block',
  E: 'in a failed transaction block',
};

const moods: Readonly<Record<Mood, Passage['tone']>> = {
  plain: 'plain',
  good: 'good',
  bad: 'bad',
  waiting: 'waiting',
  quiet: 'plain',
};

function partPassages(part: ReadItem): Passage[] {
  const { item, fields } = part;
  const { waitedMs, scope, masked } = fields;
  const said: (Passage | false)[] = [
    blank,
    { label: item.kind, text: item.title, tone: moods[item.mood] },
    { label: 'when', text: `${time(item.at)} UTC (#${item.n})`, tone: 'quiet' },
    typeof scope === 'string' && { label: 'scope', text: scope, tone: 'plain' },
    typeof waitedMs === 'number' && { label: 'waited', text: `${(waitedMs / 1000).toFixed(1)} s`, tone: 'plain' },
    Array.isArray(masked) && { label: 'masked', text: masked.join(', '), tone: 'waiting' },
    item.text !== undefined && { label: 'text', text: item.text, tone: 'plain' },
    ...shownPassages(part),
  ];
  return said.filter((one) => one !== false);
}

/** What a person had on the screen: of a second person the text, of the one at the terminal its digest and its estimate. */
function shownPassages({ fields, disclosed }: ReadItem): Passage[] {
  const said: (Passage | false)[] = [
    typeof disclosed.shown === 'string' && { label: 'was shown', text: indented(disclosed.shown), tone: 'plain' },
    typeof fields.estimatedRows === 'number' && {
      label: 'preview',
      text: `about ${counted(fields.estimatedRows, 'row')}`,
      tone: 'plain',
    },
    typeof fields.shown === 'string' && {
      label: 'screen',
      text: `SHA-256 ${fields.shown}`,
      tone: 'quiet',
    },
  ];
  return said.filter((one) => one !== false);
}

function indented(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    if (!isRecord(value)) return json;
    const { salt: _, ...rest } = value;
    return JSON.stringify(rest, undefined, 2);
  } catch {
    return json;
  }
}

function factsPassages(facts: unknown): Passage[] {
  if (isRecord(facts) && 'unparseable' in facts)
    return [{ label: 'parser', text: `did not understand it: ${words(facts.unparseable)}`, tone: 'waiting' }];
  if (!Array.isArray(facts)) return [];
  return facts.filter(isRecord).flatMap(({ command, effects }) => {
    const each = Array.isArray(effects) ? effects.filter(isRecord) : [];
    const lines = each.map(effectWords);
    return [{ label: 'does', text: [String(command ?? ''), ...lines].join('\n'), tone: 'plain' as const }];
  });
}

function effectWords(effect: Readonly<Record<string, unknown>>): string {
  const { kind, targets, bounded, detail, opaque, ...rest } = effect;
  const where = Array.isArray(targets) && targets.length > 0 ? ` ${targets.map(words).join(', ')}` : '';
  const every = bounded === false && ['update', 'delete'].includes(String(kind)) ? ', without a condition' : '';
  const said = typeof detail === 'string' ? `: ${detail}` : '';
  const blind = opaque === true ? ', code that cannot be seen' : '';
  const more = Object.entries(rest).map(([name, value]) => `, ${value === true ? name : `${name} ${words(value)}`}`);
  return `  ${String(kind)}${where}${every}${blind}${said}${more.join('')}`;
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const marks = { yes: '✓', no: '✗', unknown: '?' } as const;
const tones = { yes: 'good', no: 'bad', unknown: 'waiting' } as const;
const severities = { failure: 'bad', warning: 'waiting', note: 'quiet' } as const;

/** What `transcripts verify` says of a session, in its words. @param name the whole id */
export function proofPassages(name: string, verified: Verified | undefined): Passage[] {
  const id: Passage = { text: `session ${name}`, tone: 'strong' };
  if (verified === undefined) return [id, { text: 'not verified yet: v verifies it', tone: 'quiet' }];
  const { words: verdict, lines, findings } = verified;
  return [
    id,
    { text: verdict, tone: verdictTones[verified.verdict] },
    blank,
    ...lines.map(
      ({ holds, label, text }): Passage => ({ label: `${marks[holds]} ${label}`, text, tone: tones[holds] }),
    ),
    ...(findings.length > 0 ? [blank] : []),
    ...findings.map(({ severity, code, message, segment, more }): Passage => {
      const where = segment === undefined ? '' : `segment ${segment}: `;
      const others = more === undefined ? '' : ` (and ${grouped(more)} more like it)`;
      return { text: `${severity} ${code}  ${where}${message}${others}`, tone: severities[severity] };
    }),
  ];
}

export const verdictTones: Readonly<Record<Verdict, 'good' | 'waiting' | 'bad'>> = {
  proven: 'good',
  local: 'waiting',
  unproven: 'waiting',
  invalid: 'bad',
};
export const verdictMarks: Readonly<Record<Verdict, string>> = { proven: '✓', local: '~', unproven: '?', invalid: '✗' };

function time(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'an impossible time' : date.toISOString().replace('T', ' ').slice(0, 23);
}

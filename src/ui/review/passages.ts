/** Text that is read from top to bottom: passages with a label before them, wrapped to the screen. */
import { sanitise } from '../../untrusted-text.js';
import { textWidth } from '../character-width.js';
import { type Row, type Span, wrap } from '../document-rows.js';
import { highlight } from '../highlight.js';
import { type Tone, toneStyles } from './cells.js';

export interface Passage {
  readonly label?: string;
  readonly text: string;
  readonly tone: Tone;
  /** It is SQL, and in colours. */
  readonly sql?: boolean;
}

/** Of one passage; a result of a million rows is looked at elsewhere. */
const longest = 200_000;

export function passageRows(passages: readonly Passage[], columns: number): Row[] {
  const width = Math.max(20, columns - 1);
  const labels = passages.map(({ label = '' }) => textWidth(label)).filter((wide) => wide <= width / 3);
  const indent = Math.max(0, ...labels) + 2;
  return passages.flatMap((passage) => rowsOf(passage, width, indent));
}

function rowsOf({ label, text, tone, sql }: Passage, width: number, indent: number): Row[] {
  if (text === '') return [[]];
  const clean = sanitise(text.slice(0, longest)).text;
  const more: Span[] =
    text.length > longest ? [{ style: 'faint', text: '\n… (it is longer: transcripts show has all of it)' }] : [];
  const spans: Span[] = sql
    ? highlight(clean).map((token) => ({ style: token.kind, text: token.text }))
    : [{ style: toneStyles[tone], text: clean }];
  if (label === undefined) return wrap([...spans, ...more], width, 0);
  const lead: Span = { style: 'label', text: label.padEnd(indent - 1).concat(' ') };
  return wrap([lead, ...spans, ...more], width, indent);
}

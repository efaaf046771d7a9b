/**
 * What a page lists: one row for whatever stands by itself (a statement, a connection, a grant of time), with what was
 * decided about it and what came of it. Pure: no document is known here.
 */
import { sanitise, singleLine } from '../../untrusted-text.js';
import type { Mood } from '../timeline.js';
import type { PageItem } from './verify-page.js';

export type Standing = 'allowed' | 'asked' | 'denied' | 'failed' | 'other';

export interface Row {
  readonly session: number;
  readonly n: number;
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
  readonly kind: string;
  readonly connection?: number;
  /** One line, nothing hidden in it. */
  readonly line: string;
  readonly main: PageItem;
  /** What belongs to it, in order. */
  readonly parts: PageItem[];
  standing: Standing;
  /** What is said of its end, in one line. */
  end: string;
  mood: Mood;
  /** In lower case: what a search looks in. */
  search: string;
}

/** Of interest to verification only. */
const quiet: ReadonlySet<string> = new Set(['heartbeat', 'seal']);

export class Rows {
  readonly all: Row[] = [];
  readonly #byNumber = new Map<string, Row>();

  add(entry: PageItem): void {
    const { session, item } = entry;
    if (quiet.has(item.kind)) return;
    const owner = item.of === undefined ? undefined : this.#byNumber.get(`${session} ${item.of}`);
    if (owner) addPart(owner, entry);
    else this.#begin(entry);
  }

  #begin(entry: PageItem): void {
    const { session, item } = entry;
    const row: Row = {
      session,
      n: item.n,
      at: item.at,
      kind: item.kind,
      ...(item.connection === undefined ? {} : { connection: item.connection }),
      line: singleLine(item.text ?? item.title, 400),
      main: entry,
      parts: [],
      standing: standingOf(entry),
      end: '',
      mood: item.mood,
      search: searchable(entry),
    };
    this.all.push(row);
    this.#byNumber.set(`${session} ${item.n}`, row);
  }
}

function standingOf({ item, fields }: PageItem): Standing {
  if (item.kind !== 'statement') return 'other';
  const { decision } = fields;
  if (decision === 'allow') return 'allowed';
  return decision === 'deny' ? 'denied' : 'asked';
}

function addPart(row: Row, entry: PageItem): void {
  const { item, fields } = entry;
  row.parts.push(entry);
  row.search += `\n${searchable(entry)}`;
  if (item.kind === 'verdict' && fields.decision !== 'allow') row.standing = 'denied';
  const failed = item.kind === 'outcome' && item.mood === 'bad';
  if (failed && row.standing !== 'denied') row.standing = 'failed';
  if (item.kind === 'verdict' || (item.kind === 'outcome' && (row.standing !== 'denied' || row.end === ''))) {
    row.end = singleLine(item.title, 200);
    row.mood = item.mood;
  }
}

function searchable({ item }: PageItem): string {
  return sanitise([item.title, item.text ?? '', item.bind ?? ''].join('\n')).text.toLowerCase();
}

export interface Filter {
  /** Words that all have to be in it. */
  readonly text: string;
  readonly standing: 'any' | Standing | 'statements';
  readonly session?: number;
  readonly connection?: number;
}

export function matches(filter: Filter, words: readonly string[], row: Row): boolean {
  if (filter.session !== undefined && row.session !== filter.session) return false;
  if (filter.connection !== undefined && row.connection !== filter.connection) return false;
  if (!hasStanding(filter.standing, row)) return false;
  return words.every((word) => row.search.includes(word));
}

/** Of a search: what is in quotes is one. */
export function wordsOf(text: string): string[] {
  const found =
    sanitise(text)
      .text.toLowerCase()
      .match(/"[^"]*"?|\S+/g) ?? [];
  return found.map((word) => word.replaceAll('"', '').trim()).filter((word) => word !== '');
}

function hasStanding(wanted: Filter['standing'], row: Row): boolean {
  if (wanted === 'any') return true;
  if (wanted === 'statements') return row.kind === 'statement';
  // somebody was asked, whatever they said
  if (wanted === 'asked') return row.standing === 'asked' || isAsked(row);
  return row.standing === wanted;
}

function isAsked({ main: { fields } }: Row): boolean {
  return fields.decision === 'ask' || fields.decision === 'second-person';
}

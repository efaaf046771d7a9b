/**
 * A session row by row, as the page and the terminal browser list it: one row for whatever stands by itself (a statement, a
 * connection, a grant of time), with what was decided about it and what came of it. Pure: no document and no screen is known
 * here. Of a hundred thousand rows most are never looked at: their words are made when they are.
 */
import { sanitise, singleLine } from '../untrusted-text.js';
import type { ReadItem } from './read-item.js';
import type { Mood } from './timeline.js';
import { summariseFacts } from './views/facts-columns.js';

export type Standing = 'allowed' | 'asked' | 'denied' | 'failed' | 'other';

export class Row {
  readonly main: ReadItem;
  /** What belongs to it, in order. */
  readonly parts: ReadItem[] = [];
  standing: Standing;
  mood: Mood;
  #end = '';
  #line: string | undefined;
  #search: string | undefined;
  #effects: readonly string[] | undefined;

  constructor(main: ReadItem) {
    this.main = main;
    this.mood = main.item.mood;
    this.standing = standingOf(main);
  }

  get session(): number {
    return this.main.session;
  }

  get n(): number {
    return this.main.item.n;
  }

  /** Milliseconds since 1970 UTC. */
  get at(): number {
    return this.main.item.at;
  }

  get kind(): string {
    return this.main.item.kind;
  }

  get connection(): number | undefined {
    return this.main.item.connection;
  }

  /** One line, nothing hidden in it. */
  get line(): string {
    this.#line ??= singleLine(this.main.item.text ?? this.main.item.title, 400);
    return this.#line;
  }

  /** What is said of its end, in one line. */
  get end(): string {
    return singleLine(this.#end, 200);
  }

  /** In lower case: what a search looks in. */
  get search(): string {
    this.#search ??= [this.main, ...this.parts].map(searchable).join('\n');
    return this.#search;
  }

  /** Kinds of effects that the parser read in a statement. */
  get effects(): readonly string[] {
    this.#effects ??= this.kind === 'statement' ? (summariseFacts(this.main.facts)?.effects ?? []) : [];
    return this.#effects;
  }

  add(part: ReadItem): void {
    const { item, fields } = part;
    this.parts.push(part);
    this.#search = undefined;
    if (item.kind === 'verdict' && fields.decision !== 'allow') this.standing = 'denied';
    const failed = item.kind === 'outcome' && item.mood === 'bad';
    if (failed && this.standing !== 'denied') this.standing = 'failed';
    if (item.kind === 'verdict' || (item.kind === 'outcome' && (this.standing !== 'denied' || this.#end === ''))) {
      this.#end = item.title;
      this.mood = item.mood;
    }
  }
}

/** Of interest to verification only. */
const quiet: ReadonlySet<string> = new Set(['heartbeat', 'seal']);

export class Rows {
  readonly all: Row[] = [];
  readonly #bySession = new Map<number, Map<number, Row>>();

  add(entry: ReadItem): void {
    const { session, item } = entry;
    if (quiet.has(item.kind) || isChunk(entry)) return;
    const owner = item.of === undefined ? undefined : this.#of(session).get(item.of);
    if (owner) {
      owner.add(entry);
      return;
    }
    const row = new Row(entry);
    this.all.push(row);
    this.#of(session).set(item.n, row);
  }

  #of(session: number): Map<number, Row> {
    let rows = this.#bySession.get(session);
    if (rows === undefined) {
      rows = new Map();
      this.#bySession.set(session, rows);
    }
    return rows;
  }
}

/** Of a recording: where it begins and ends is of interest. */
function isChunk({ item, fields }: ReadItem): boolean {
  return item.kind === 'recording' && fields.event === 'chunk';
}

function standingOf({ item, fields }: ReadItem): Standing {
  if (item.kind !== 'statement') return 'other';
  const { decision } = fields;
  if (decision === 'allow') return 'allowed';
  return decision === 'deny' ? 'denied' : 'asked';
}

function searchable({ item }: ReadItem): string {
  return sanitise([item.title, item.text ?? '', item.bind ?? ''].join('\n')).text.toLowerCase();
}

export interface Filter {
  /** Words that all have to be in it. */
  readonly text: string;
  readonly standing: 'any' | Standing | 'statements';
  readonly effect?: string | undefined;
  readonly session?: number;
  readonly connection?: number;
}

export function matches(filter: Filter, words: readonly string[], row: Row): boolean {
  if (filter.session !== undefined && row.session !== filter.session) return false;
  if (filter.connection !== undefined && row.connection !== filter.connection) return false;
  if (!hasStanding(filter.standing, row)) return false;
  if (filter.effect !== undefined && !row.effects.includes(filter.effect)) return false;
  return words.every((word) => row.search.includes(word));
}

/** Every kind of effect that a row has, in order. */
export function effectsIn(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap(({ effects }) => effects))].sort();
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

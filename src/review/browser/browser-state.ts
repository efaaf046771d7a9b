/**
 * What the terminal browser shows, and where its reader is: a list of sessions, one session, one statement. Pure data; what
 * events do to it stands in browser-events.ts and browser-keys.ts.
 */
import type { Finding } from '../../transcript/finding.js';
import type { ProofLine } from '../proof-words.js';
import type { RecordedAnswer } from '../recorded-answer.js';
import type { Recording } from '../recordings.js';
import type { Verdict } from '../session-report.js';
import { type Filter, matches, type Row, wordsOf } from '../statement-rows.js';
import { isFound, type ListedSession, type ListFilter, nameOf, passes } from './listed-session.js';
import { fitted, type Pane, topPane } from './pane.js';

/** What the verifier said, here and now, of a session as its objects lay then. */
export interface Verified {
  readonly verdict: Verdict;
  readonly words: string;
  readonly lines: readonly ProofLine[];
  readonly findings: readonly Finding[];
  readonly statements: number;
  readonly asked: number;
  readonly denied: number;
  /** As in `ListedSession`. */
  readonly listing: string;
}

export interface SessionScreen {
  readonly name: string;
  /** All that were read, and those that pass the filters. */
  readonly rows: readonly Row[];
  readonly shown: readonly Row[];
  readonly pane: Pane;
  readonly search: string;
  readonly standing: Filter['standing'];
  /** A kind of effect; undefined: any. */
  readonly effect: string | undefined;
  /** Kinds of effects that occur. */
  readonly effects: readonly string[];
  readonly done: boolean;
  /** Why it cannot be read to its end. */
  readonly problem?: string;
  /** Of what clients were shown; undefined where nothing was recorded, or before all is read. */
  readonly recording?: Recording;
  /** The proof stands in the place of the rows. */
  readonly proof: boolean;
  readonly proofTop: number;
}

export interface StatementScreen {
  readonly row: Row;
  /** First line in sight, of so many. */
  readonly top: number;
  readonly lines: number;
  /** What was recorded of it; undefined where nothing was, and while it is fetched. */
  readonly recorded?: RecordedAnswer;
}

/** What is typed into the last line. */
export interface Typing {
  readonly what: 'search' | 'reason';
  readonly text: string;
}

export interface Notice {
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
}

export interface BrowserState {
  readonly size: { readonly columns: number; readonly rows: number };
  /** By name; every one that is known of. */
  readonly sessions: ReadonlyMap<string, ListedSession>;
  readonly verified: ReadonlyMap<string, Verified>;
  /** The bucket is still being listed. */
  readonly listing: boolean;
  readonly shown: readonly ListedSession[];
  readonly pane: Pane;
  readonly search: string;
  readonly filter: ListFilter;
  readonly session?: SessionScreen | undefined;
  readonly statement?: StatementScreen | undefined;
  readonly typing?: Typing | undefined;
  /** A reason was given; the redaction waits for a yes. */
  readonly confirming?: { readonly n: number; readonly reason: string } | undefined;
  /** First line of the help in sight; undefined: it is not shown. */
  readonly help?: number | undefined;
  readonly notice?: Notice | undefined;
  /** What goes on. */
  readonly busy?: string | undefined;
  /** The reader has left. */
  readonly over: boolean;
}

/** What the reader wants done that is not on the screen alone. */
export type Want =
  | { readonly kind: 'open' | 'verify' | 'page' | 'replay'; readonly name: string }
  | { readonly kind: 'answer'; readonly name: string; readonly recording: Recording; readonly row: Row }
  | { readonly kind: 'redact'; readonly name: string; readonly n: number; readonly reason: string }
  | { readonly kind: 'verify-all' | 'stop' | 'list-again' };

export interface Step {
  readonly state: BrowserState;
  readonly want?: Want;
}

export function startBrowser(size: BrowserState['size']): BrowserState {
  return {
    size,
    sessions: new Map(),
    verified: new Map(),
    listing: true,
    shown: [],
    pane: topPane,
    search: '',
    filter: 'everything',
    over: false,
  };
}

/** Title, heads of columns; what is chosen, what is said, keys. */
const aroundList = 5;
const aroundSession = 5;
const aroundStatement = 4;

export function listHeight({ size }: BrowserState): number {
  return Math.max(1, size.rows - aroundList);
}

export function sessionHeight({ size }: BrowserState): number {
  return Math.max(1, size.rows - aroundSession);
}

export function statementHeight({ size }: BrowserState): number {
  return Math.max(1, size.rows - aroundStatement);
}

/** The verdict, where it is of the session as it lies there now. */
export function verdictOf({ verified, sessions }: BrowserState, name: string): Verified | undefined {
  const found = verified.get(name);
  return found !== undefined && found.listing === sessions.get(name)?.listing ? found : undefined;
}

export function chosenSession({ shown, pane, session, sessions }: BrowserState): ListedSession | undefined {
  return session === undefined ? shown[pane.selected] : sessions.get(session.name);
}

export function chosenRow({ session, statement }: BrowserState): Row | undefined {
  return statement?.row ?? session?.shown[session.pane.selected];
}

/** A row in full; what was recorded of a statement is wanted with it. */
export function lookedAt(state: BrowserState, row: Row): Step {
  return recordedOf({ ...state, statement: { row, top: 0, lines: 0 } }, row);
}

/** With the wish for what was recorded of it, where anything can have been. */
export function recordedOf(state: BrowserState, row: Row): Step {
  const { session } = state;
  if (session?.recording === undefined || row.kind !== 'statement') return { state };
  return { state, want: { kind: 'answer', name: session.name, recording: session.recording, row } };
}

/** Anew, after the sessions, the search or the filter have changed: the newest first, the chosen one stays chosen. */
export function listed(state: BrowserState): BrowserState {
  const words = wordsOf(state.search);
  const before = state.shown[state.pane.selected];
  const shown = [...state.sessions.values()]
    .filter((one) => isFound(one, words) && passes(one, state.filter, verdictOf(state, nameOf(one))?.verdict))
    .sort((a, b) => (a.sid === b.sid ? (a.subject < b.subject ? -1 : 1) : a.sid < b.sid ? 1 : -1));
  // who stands at the top stays there while sessions come
  const stays = before !== undefined && state.pane.selected > 0;
  const place = stays ? shown.findIndex((one) => nameOf(one) === nameOf(before)) : 0;
  const moved = place - state.pane.selected;
  const pane = place < 0 ? state.pane : { selected: place, top: Math.max(0, state.pane.top + (stays ? moved : 0)) };
  return { ...state, shown, pane: fitted(pane, shown.length, listHeight(state)) };
}

/** Anew, after its rows, the search or a filter have changed. */
export function filtered(state: BrowserState, session: SessionScreen): BrowserState {
  const words = wordsOf(session.search);
  const { effect } = session;
  const filter: Filter = { text: session.search, standing: session.standing, effect };
  const isPlain = words.length === 0 && session.standing === 'any' && effect === undefined;
  const shown = isPlain ? session.rows : session.rows.filter((row) => matches(filter, words, row));
  const before = session.shown[session.pane.selected];
  const place =
    before === undefined ? 0 : shown[session.pane.selected] === before ? session.pane.selected : shown.indexOf(before);
  const pane = place < 0 ? topPane : { selected: place, top: session.pane.top };
  return { ...state, session: { ...session, shown, pane: fitted(pane, shown.length, sessionHeight(state)) } };
}

/** What each key of the terminal browser does, screen by screen. Pure: a key in, a state and maybe a wish out. */
import type { Filter } from '../statement-rows.js';
import {
  type BrowserState,
  chosenRow,
  chosenSession,
  filtered,
  listed,
  listHeight,
  lookedAt,
  type SessionScreen,
  type Step,
  sessionHeight,
  statementHeight,
  type Typing,
  type Want,
} from './browser-state.js';
import { type ListedSession, listFilters, nameOf } from './listed-session.js';
import { moved, topPane } from './pane.js';

/** Characters of a search or a reason. */
const longest = 200;
const standings: readonly Filter['standing'][] = ['any', 'statements', 'asked', 'denied', 'failed'];

/** @param key as KeyDecoder names it */
export function pressed(before: BrowserState, key: string): Step {
  const state = before.notice === undefined ? before : { ...before, notice: undefined };
  if (key === 'ctrl-c') return { state: { ...state, over: true } };
  if (state.typing !== undefined) return typed(state, state.typing, key);
  if (state.confirming !== undefined) return confirmed(state, state.confirming, key);
  if (state.help !== undefined) return { state: { ...state, help: scrolled(state.help, key, statementHeight(state)) } };
  if (key === '?') return { state: { ...state, help: 0 } };
  if (state.statement !== undefined) return inStatement(state, key);
  return state.session === undefined ? inList(state, key) : inSession(state, state.session, key);
}

function inList(state: BrowserState, key: string): Step {
  const pane = moved(state.pane, key, state.shown.length, listHeight(state));
  if (pane !== undefined) return { state: { ...state, pane } };
  const chosen = chosenSession(state);
  switch (key) {
    case 'q':
      return { state: { ...state, over: true } };
    case 'escape':
      if (state.busy !== undefined) return { state, want: { kind: 'stop' } };
      return { state: listed({ ...state, search: '', filter: 'everything' }) };
    case 'f':
    case 'F':
      return { state: listed({ ...state, filter: next(listFilters, state.filter, key === 'f' ? 1 : -1) }) };
    case 'V':
      return { state, want: { kind: 'verify-all' } };
    case 'R':
      return state.listing ? { state } : { state, want: { kind: 'list-again' } };
    case 'enter':
    case 'right':
      return chosen === undefined ? { state } : opened(state, chosen);
    default:
      return ofSession(state, chosen, key);
  }
}

export function opened(state: BrowserState, chosen: ListedSession): Step {
  if (chosen.since === 'gone') return refused(state, 'It is not in the bucket any more: there is nothing to open.');
  const name = nameOf(chosen);
  const none = { rows: [], shown: [], effects: [], done: false, proof: false, proofTop: 0 };
  const session: SessionScreen = { name, pane: topPane, search: '', standing: 'any', effect: undefined, ...none };
  return { state: { ...state, session }, want: { kind: 'open', name } };
}

function inSession(state: BrowserState, session: SessionScreen, key: string): Step {
  if (session.proof) return inProof(state, session, key);
  const pane = moved(session.pane, key, session.shown.length, sessionHeight(state));
  if (pane !== undefined) return { state: { ...state, session: { ...session, pane } } };
  switch (key) {
    case 'q':
    case 'left':
    case 'backspace':
      return { state: { ...state, session: undefined } };
    case 'escape':
      return session.search === '' && session.standing === 'any' && session.effect === undefined
        ? { state: { ...state, session: undefined } }
        : { state: filtered(state, { ...session, search: '', standing: 'any', effect: undefined }) };
    case 'f':
    case 'F':
      return {
        state: filtered(state, { ...session, standing: next(standings, session.standing, key === 'f' ? 1 : -1) }),
      };
    case 'e':
    case 'E': {
      const effects = [undefined, ...session.effects];
      return { state: filtered(state, { ...session, effect: next(effects, session.effect, key === 'e' ? 1 : -1) }) };
    }
    case 'd':
    case 'D':
      return { state: toDenial(state, session, key === 'd' ? 1 : -1) };
    case 'i':
      return { state: { ...state, session: { ...session, proof: true, proofTop: 0 } } };
    case 'enter':
    case 'right': {
      const row = chosenRow(state);
      return row === undefined ? { state } : lookedAt(state, row);
    }
    case 'x':
      return redacting(state);
    default:
      return ofSession(state, chosenSession(state), key);
  }
}

function inProof(state: BrowserState, session: SessionScreen, key: string): Step {
  const proofTop = scrolled(session.proofTop, key, statementHeight(state));
  if (proofTop !== undefined) return { state: { ...state, session: { ...session, proofTop } } };
  if (['i', 'q', 'escape', 'left', 'backspace', 'enter'].includes(key))
    return { state: { ...state, session: { ...session, proof: false } } };
  return ofSession(state, chosenSession(state), key);
}

function inStatement(state: BrowserState, key: string): Step {
  const { statement, session } = state;
  if (statement === undefined || session === undefined) return { state: { ...state, statement: undefined } };
  const top = scrolled(statement.top, key, statementHeight(state));
  if (top !== undefined) {
    const last = Math.max(0, statement.lines - statementHeight(state));
    return { state: { ...state, statement: { ...statement, top: Math.min(top, last) } } };
  }
  switch (key) {
    case 'q':
    case 'left':
    case 'backspace':
    case 'escape':
    case 'enter':
      return { state: { ...state, statement: undefined } };
    case 'n':
    case 'p':
      return toRow(state, session, session.pane.selected + (key === 'n' ? 1 : -1));
    case 'd':
    case 'D': {
      const next = toDenial(state, session, key === 'd' ? 1 : -1);
      return next.session === undefined ? { state: next } : toRow(next, next.session, next.session.pane.selected);
    }
    case 'x':
      return redacting(state);
    default:
      // here p is the statement before: the page is written from the session's own screen
      return ofSession(state, chosenSession(state), key);
  }
}

/** The keys that every screen has. */
function ofSession(state: BrowserState, chosen: ListedSession | undefined, key: string): Step {
  if (key === '/') return { state: searching(state) };
  const kind = wishes[key];
  if (kind === undefined || chosen === undefined) return { state };
  if (chosen.since === 'gone') return refused(state, 'It is not in the bucket any more.');
  return { state, want: { kind, name: nameOf(chosen) } };
}

function searching(state: BrowserState): BrowserState {
  const { session, search } = state;
  const typing: Typing = { what: 'search', text: session?.search ?? search };
  const plain = session === undefined ? undefined : { ...session, proof: false };
  return { ...state, session: plain, statement: undefined, typing };
}

const wishes: Readonly<Record<string, 'verify' | 'page' | 'replay'>> = { v: 'verify', p: 'page', r: 'replay' };

function toDenial(state: BrowserState, session: SessionScreen, by: 1 | -1): BrowserState {
  const { shown, pane } = session;
  const isDenied = (at: number): boolean => shown[at]?.standing === 'denied';
  let at = pane.selected + by;
  while (at >= 0 && at < shown.length && !isDenied(at)) at += by;
  if (isDenied(at)) return inSight(state, session, at);
  return {
    ...state,
    notice: { text: by > 0 ? 'No denial behind this one.' : 'No denial before this one.', tone: 'plain' },
  };
}

function toRow(state: BrowserState, session: SessionScreen, at: number): Step {
  const next = inSight(state, session, at);
  const row = chosenRow({ ...next, statement: undefined });
  return row === undefined || row === state.statement?.row ? { state: next } : lookedAt(next, row);
}

function inSight(state: BrowserState, session: SessionScreen, at: number): BrowserState {
  const { length } = session.shown;
  const from = { ...session.pane, selected: at - 1 };
  return { ...state, session: { ...session, pane: moved(from, 'down', length, sessionHeight(state)) ?? session.pane } };
}

/** Undefined for a key that does not scroll. */
function scrolled(top: number, key: string, height: number): number | undefined {
  // the end is where the last line is: known to whoever lays out
  const by: Readonly<Record<string, number>> = {
    ...{ up: -1, k: -1, down: 1, j: 1, pageup: 1 - height, pagedown: height - 1, ' ': height - 1 },
    ...{ home: -Infinity, g: -Infinity, end: 1e9, G: 1e9 },
  };
  const step = by[key];
  return step === undefined ? undefined : Math.max(0, top + step);
}

function redacting(state: BrowserState): Step {
  const row = chosenRow(state);
  if (row === undefined) return { state };
  return { state: { ...state, typing: { what: 'reason', text: '' } } };
}

function confirmed(state: BrowserState, { n, reason }: NonNullable<BrowserState['confirming']>, key: string): Step {
  const after = { ...state, confirming: undefined };
  const { session } = state;
  if (key !== 'y' || session === undefined) return refused(after, 'Nothing was redacted.');
  const want: Want = { kind: 'redact', name: session.name, n, reason };
  return { state: after, want };
}

function typed(state: BrowserState, typing: Typing, key: string): Step {
  switch (key) {
    case 'enter':
      return typing.what === 'search' ? { state: { ...state, typing: undefined } } : reasonGiven(state, typing.text);
    case 'escape': {
      const after = { ...state, typing: undefined };
      return typing.what === 'search' ? { state: searched(after, '') } : refused(after, 'Nothing was redacted.');
    }
    case 'backspace':
      return { state: withText(state, typing, [...typing.text].slice(0, -1).join('')) };
    case 'ctrl-u':
      return { state: withText(state, typing, '') };
    default:
      // names of keys are words
      if ([...key].length !== 1 || typing.text.length >= longest) return { state };
      return { state: withText(state, typing, typing.text + key) };
  }
}

function reasonGiven(state: BrowserState, text: string): Step {
  const row = chosenRow(state);
  const after = { ...state, typing: undefined };
  const reason = text.trim();
  if (reason === '' || row === undefined) return refused(after, 'Nothing was redacted: it needs a reason.');
  return { state: { ...after, confirming: { n: row.n, reason } } };
}

function withText(state: BrowserState, { what }: Typing, text: string): BrowserState {
  const typing = { ...state, typing: { what, text } };
  return what === 'search' ? searched(typing, text) : typing;
}

function searched(state: BrowserState, search: string): BrowserState {
  return state.session === undefined ? listed({ ...state, search }) : filtered(state, { ...state.session, search });
}

function refused(state: BrowserState, text: string): Step {
  return { state: { ...state, notice: { text, tone: 'plain' } } };
}

function next<T>(all: readonly T[], one: T, by: 1 | -1): T {
  const at = all.indexOf(one);
  return all[(at + by + all.length) % all.length] ?? one;
}

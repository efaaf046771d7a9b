/** What happens to the terminal browser beside its keys: the window, sessions that are listed, rows that are read, verdicts. Pure. */
import type { RecordedAnswer } from '../recorded-answer.js';
import type { Recording } from '../recordings.js';
import { effectsIn, type Row } from '../statement-rows.js';
import { opened, pressed } from './browser-keys.js';
import {
  type BrowserState,
  filtered,
  listed,
  listHeight,
  type Notice,
  recordedOf,
  type SessionScreen,
  type Step,
  sessionHeight,
  statementHeight,
  type Verified,
} from './browser-state.js';
import { type ListedSession, nameOf } from './listed-session.js';
import { fitted } from './pane.js';

export type BrowserEvent =
  /** As KeyDecoder names it. */
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'size'; readonly columns: number; readonly rows: number }
  | { readonly kind: 'sessions'; readonly sessions: readonly ListedSession[] }
  | { readonly kind: 'listing'; readonly going: boolean }
  /** Rows of a session, all that were read so far. */
  | {
      readonly kind: 'rows';
      readonly name: string;
      readonly rows: readonly Row[];
      readonly done: boolean;
      readonly problem?: string;
      /** Of what clients were shown, once all is read. */
      readonly recording?: Recording | undefined;
    }
  /** What was recorded of a statement. */
  | { readonly kind: 'answer'; readonly row: Row; readonly recorded: RecordedAnswer }
  | { readonly kind: 'verified'; readonly name: string; readonly verified: Verified }
  /** The statement takes so many lines on this screen, or its session's proof does. */
  | { readonly kind: 'laid-out'; readonly lines: number }
  | { readonly kind: 'open'; readonly name: string }
  | { readonly kind: 'notice'; readonly notice: Notice }
  | { readonly kind: 'busy'; readonly text: string | undefined };

export function browserEvent(state: BrowserState, event: BrowserEvent): Step {
  if (event.kind === 'key') return pressed(state, event.key);
  if (event.kind !== 'open') {
    const after = happened(state, event);
    // it was looked at before all was read: only now is it known where its answer lies
    const isKnownNow = event.kind === 'rows' && event.recording !== undefined && after.statement !== undefined;
    return isKnownNow ? recordedOf(after, after.statement.row) : { state: after };
  }
  const session = state.sessions.get(event.name);
  return session === undefined ? { state } : opened(state, session);
}

function happened(state: BrowserState, event: Exclude<BrowserEvent, { kind: 'key' | 'open' }>): BrowserState {
  switch (event.kind) {
    case 'size':
      return resized(state, { columns: event.columns, rows: event.rows });
    case 'sessions': {
      const sessions = new Map(state.sessions);
      for (const one of event.sessions) sessions.set(nameOf(one), one);
      return listed({ ...state, sessions });
    }
    case 'listing':
      return { ...state, listing: event.going };
    case 'rows':
      return state.session?.name === event.name ? withRows(state, state.session, event) : state;
    case 'verified':
      return listed({ ...state, verified: new Map(state.verified).set(event.name, event.verified) });
    case 'laid-out':
      return laidOut(state, event.lines);
    case 'answer':
      return state.statement?.row === event.row
        ? { ...state, statement: { ...state.statement, recorded: event.recorded } }
        : state;
    case 'notice':
      return { ...state, notice: event.notice };
    case 'busy':
      return { ...state, busy: event.text };
  }
}

function resized(state: BrowserState, size: BrowserState['size']): BrowserState {
  const next = { ...state, size };
  const pane = fitted(state.pane, state.shown.length, listHeight(next));
  const { session } = state;
  if (session === undefined) return { ...next, pane };
  const inSession = fitted(session.pane, session.shown.length, sessionHeight(next));
  return { ...next, pane, session: { ...session, pane: inSession } };
}

function withRows(
  state: BrowserState,
  session: SessionScreen,
  { rows, done, problem, recording }: Extract<BrowserEvent, { kind: 'rows' }>,
): BrowserState {
  const effects = done ? effectsIn(rows) : session.effects;
  const said = problem === undefined ? {} : { problem };
  return filtered(state, { ...session, rows, done, effects, ...said, ...(recording ? { recording } : {}) });
}

function laidOut(state: BrowserState, lines: number): BrowserState {
  const { statement, session } = state;
  const last = Math.max(0, lines - statementHeight(state));
  if (state.help !== undefined) return { ...state, help: Math.min(state.help, last) };
  if (statement !== undefined) {
    return { ...state, statement: { ...statement, lines, top: Math.min(statement.top, last) } };
  }
  if (session === undefined || !session.proof) return state;
  return { ...state, session: { ...session, proofTop: Math.min(session.proofTop, last) } };
}

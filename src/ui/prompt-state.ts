/**
 * What keys do to an approval prompt. Pure: events and time in, the next state out.
 *
 * A key answers only when it stands alone: nothing typed for a while before it, and nothing right after it. A person
 * who types into the agent while the prompt comes up, a paste, or a key held down answers nothing.
 *
 * What lives here: where in the prompt the person is. What it must not know: screens, requests, who asks.
 */
import type { Verdict } from '../approval/approvals.js';
import type { KeyEvent } from './keys.js';

/** Silence before a key counts, in milliseconds. */
export const quietMs = 400;
/** Silence after it. */
export const aloneMs = 200;
/** How long it is said that typing was ignored: whoever pressed a key too early looks at the screen only then. */
const noticeMs = 2000;
const reasonMax = 300;

type Action = 'once' | 'session' | 'try' | 'deny' | 'reason' | 'abort';

export interface PromptState {
  readonly mode: 'choosing' | 'reason';
  /** Asked for once more: the statement was not read to its end, or the session would end. */
  readonly confirming: Action | undefined;
  /** A key that becomes an answer unless another one follows. */
  readonly chosen: { readonly action: Action; readonly at: number } | undefined;
  readonly lastTypedAt: number;
  /** Typing was ignored: say so. */
  readonly ignored: boolean;
  readonly scroll: number;
  /** The furthest row that was on the screen. */
  readonly seenTo: number;
  readonly reason: string;
}

/** Longer between two ticks: dbguard stood still, stopped by a signal perhaps, and keys waited unread. */
export const stallMs = 1000;

/** When keys that waited were typed cannot be told: none of them counts. */
export function stalled(state: PromptState, now: number): PromptState {
  return { ...state, chosen: undefined, lastTypedAt: now };
}

/** What the state must know of the screen. */
export interface View {
  /** Rows of the whole document, and of the window onto it. */
  readonly rows: number;
  /** Rows, from the first, that must have been seen before one key approves. */
  readonly essential: number;
  readonly windowRows: number;
  readonly sessionAllowed: boolean;
  /** A dry run can be asked for, and has not been yet. */
  readonly dryRunOffered: boolean;
}

const actions: Readonly<Record<string, Action>> = {
  a: 'once',
  s: 'session',
  t: 'try',
  d: 'deny',
  r: 'reason',
  x: 'abort',
};

export function promptStart(now: number): PromptState {
  return {
    mode: 'choosing',
    confirming: undefined,
    chosen: undefined,
    lastTypedAt: now,
    ignored: false,
    scroll: 0,
    seenTo: 0,
    reason: '',
  };
}

/** Keys count from now on. */
export function isSettled(state: PromptState, now: number): boolean {
  return now - state.lastTypedAt >= quietMs;
}

export function promptEvent(state: PromptState, event: KeyEvent, now: number, view: View): PromptState {
  if (event.kind === 'noise' || event.kind === 'report') return state;
  if (event.kind === 'paste') return typed(state, now);
  if (state.mode === 'reason') return reasonKey(state, event.key, now);
  const scroll = scrolled(state.scroll, event.key, view);
  if (scroll !== undefined) return seen({ ...state, scroll }, view);
  const action = event.key === 'ctrl-c' ? 'deny' : actions[event.key];
  const usable = action !== undefined && offered(action, view);
  if (!isSettled(state, now) || state.chosen || !usable) return typed(state, now);
  return { ...state, chosen: { action, at: now }, lastTypedAt: now, ignored: false };
}

function offered(action: Action, view: View): boolean {
  if (action === 'session') return view.sessionAllowed;
  return action !== 'try' || view.dryRunOffered;
}

/** What is shown is something else now: a key that was pressed for the old does not count for the new. */
export function shownAnew(state: PromptState, now: number): PromptState {
  return { ...state, chosen: undefined, confirming: undefined, lastTypedAt: now, scroll: 0 };
}

/** Time has passed. `verdict` is final; `tryOut`: a dry run is wanted. */
export function promptTick(
  state: PromptState,
  now: number,
  view: View,
): { readonly state: PromptState; readonly verdict?: Verdict; readonly tryOut?: true } {
  const { chosen } = state;
  if (!chosen || now - chosen.at < aloneMs) {
    return { state: state.ignored && now - state.lastTypedAt >= noticeMs ? { ...state, ignored: false } : state };
  }
  const next: PromptState = { ...state, chosen: undefined, lastTypedAt: chosen.at - quietMs };
  if (chosen.action === 'try') return { state: { ...next, confirming: undefined }, tryOut: true };
  if (chosen.action === 'reason') return { state: { ...next, mode: 'reason', confirming: undefined } };
  if (needsConfirmation(chosen.action, state, view) && state.confirming !== chosen.action) {
    return { state: { ...next, confirming: chosen.action } };
  }
  return { state: next, verdict: verdicts[chosen.action] };
}

/** The window shows the rows from `scroll` on. */
export function seen(state: PromptState, view: View): PromptState {
  const scroll = Math.max(0, Math.min(state.scroll, view.rows - view.windowRows));
  return { ...state, scroll, seenTo: Math.max(state.seenTo, Math.min(view.rows, scroll + view.windowRows)) };
}

/** Rows are others at another width: what was seen to its end stays seen, of the rest only what is on the screen. */
export function resized(state: PromptState, before: View, view: View): PromptState {
  const whole = before.rows > 0 && state.seenTo >= before.essential;
  return seen({ ...state, seenTo: whole ? view.essential : 0 }, view);
}

/** The reason, typed and finished with Enter. */
export function reasonVerdict(state: PromptState, event: KeyEvent): Verdict | undefined {
  if (state.mode !== 'reason' || event.kind !== 'key' || event.key !== 'enter') return undefined;
  const reason = state.reason.trim();
  return reason === '' ? { decision: 'deny' } : { decision: 'deny', reason };
}

const verdicts: Readonly<Record<Exclude<Action, 'reason' | 'try'>, Verdict>> = {
  once: { decision: 'allow', scope: 'once' },
  session: { decision: 'allow', scope: 'session' },
  deny: { decision: 'deny' },
  abort: { decision: 'abort' },
};

function needsConfirmation(action: Action, state: PromptState, view: View): boolean {
  if (action === 'abort') return true;
  return (action === 'once' || action === 'session') && state.seenTo < view.essential;
}

function typed(state: PromptState, now: number): PromptState {
  return { ...state, chosen: undefined, confirming: undefined, lastTypedAt: now, ignored: true };
}

function reasonKey(state: PromptState, key: string, now: number): PromptState {
  if (key === 'escape' || key === 'ctrl-c') return { ...state, mode: 'choosing', reason: '', lastTypedAt: now };
  if (key === 'backspace') return { ...state, reason: [...state.reason].slice(0, -1).join('') };
  if (key === 'ctrl-u') return { ...state, reason: '' };
  const isText = [...key].length === 1 && state.reason.length < reasonMax;
  return isText ? { ...state, reason: state.reason + key } : state;
}

function scrolled(scroll: number, key: string, view: View): number | undefined {
  const last = Math.max(0, view.rows - view.windowRows);
  const page = Math.max(1, view.windowRows - 1);
  switch (key) {
    case 'up':
      return Math.max(0, scroll - 1);
    case 'down':
      return Math.min(last, scroll + 1);
    case 'pageup':
      return Math.max(0, scroll - page);
    case 'pagedown':
    case ' ':
      return Math.min(last, scroll + page);
    case 'home':
      return 0;
    case 'end':
      return last;
    default:
      return undefined;
  }
}

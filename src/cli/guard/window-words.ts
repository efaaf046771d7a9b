/**
 * What the person is told of roles and connections that are had for a time: what can be given, what begins and ends, and
 * how much is left.
 *
 * What lives here: the words, and when they change. What it must not know: who gives one, what becomes of statements.
 */
import type { WindowDesk } from '../../approval/window-protocol.js';
import { notifyDesktop } from '../../io/terminal/notify.js';
import { durationWords } from '../../policy/units.js';
import type { AccessWindow } from '../../proxy/session-state/access-windows.js';
import { singleLine } from '../../untrusted-text.js';

type Kind = Pick<AccessWindow, 'access' | 'role' | 'connection'>;

const minuteMs = 60_000;
const lookMs = 1000;

/** Undefined where nothing can be given for a time. */
export function givable({ rules }: Pick<WindowDesk, 'rules'>): string | undefined {
  const [first, ...more] = rules.filter(({ decision }) => decision !== 'second-person');
  if (first === undefined) return undefined;
  const all = [first, ...more].map(({ name, role, forMs = 0 }) => {
    const as = role === undefined ? '' : `as ${singleLine(role, 40)}, `;
    return `${singleLine(name, 40)} (${as}for ${durationWords(forMs)} at most)`;
  });
  const which = more.length === 0 ? singleLine(first.name, 40) : 'NAME';
  return `dbguard: you can give for a time: ${all.join(', ')}; from another terminal: dbguard access grant ${which}`;
}

/** Short enough for the title of a window; empty where nothing is open. */
function leftWords(open: readonly AccessWindow[]): string {
  return open.map((one) => `${left(one.leftMs)} ${whatOf(one)}`).join(', ');
}

function left(leftMs: number): string {
  return leftMs < minuteMs ? '<1 min' : `${Math.ceil(leftMs / minuteMs)} min`;
}

function whatOf({ role, connection, access }: Kind): string {
  if (role !== undefined) return `as ${singleLine(role, 40)}`;
  return `on ${singleLine(connection ?? access, 40)}`;
}

/** @param now of the clock on the wall, milliseconds since 1970 UTC */
function beganLine({ access, role, leftMs }: AccessWindow, now: number): string {
  const what = role === undefined ? 'clients can connect' : `statements run as ${singleLine(role, 40)}`;
  const name = singleLine(access, 40);
  return `dbguard: ${name}: ${what} for ${durationWords(leftMs)}, until ${timeOfDay(now + leftMs)}; to end it: dbguard access end ${name}`;
}

function endedLine({ access, role }: Kind): string {
  const then = role === undefined ? 'its clients are disconnected' : 'each statement is asked about again';
  return `dbguard: ${singleLine(access, 40)} is over: ${then}`;
}

function timeOfDay(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes()].map((one) => String(one).padStart(2, '0')).join(':');
}

/** A line at each begin and end, on a terminal that nobody else draws on. Returns the way to stop it. */
export function sayWindows(windows: WindowDesk, say: (line: string) => void): () => void {
  const stops = [
    windows.onBegin((window) => say(beganLine(window, Date.now()))),
    windows.onEnd((_n, window) => say(endedLine(window))),
  ];
  return () => stops.forEach((stop) => void stop());
}

/** What is left, again and again while something is open. Returns the way to stop it. */
export function countDown(windows: WindowDesk, show: (words: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const words = leftWords(windows.list());
    show(words);
    if (words === '') clearInterval(timer);
    timer = words === '' ? undefined : (timer ?? setInterval(look, lookMs).unref());
  };
  const stops = [windows.onBegin(look), windows.onEnd(look), () => clearInterval(timer)];
  look();
  return () => stops.forEach((stop) => void stop());
}

/** For whoever looks elsewhere: the end alone, since they have seen to the begin themselves. */
export function notifyOfEnds(windows: WindowDesk, env: NodeJS.ProcessEnv): () => void {
  return windows.onEnd((_n, window) => notifyDesktop('dbguard', endedLine(window).slice('dbguard: '.length), env));
}

/**
 * What `dbguard access` and a run say to each other about roles that are had for a time, on the socket of
 * `dbguard approvals`. Who is on the other end has been looked up there; what it says is checked field by field here.
 */
import type { AccessWindows } from '../proxy/session-state/access-windows.js';
import { singleLine } from '../untrusted-text.js';

/** An entry of `access` that can be opened for a time, and how much of that time is left where it is open. */
export interface ShownWindow {
  readonly access: string;
  /** Undefined of a connection. */
  readonly role?: string;
  readonly longestMs: number;
  readonly reasonRequired: boolean;
  readonly leftMs?: number;
  readonly reason?: string;
}

export type ToWindows =
  | { readonly type: 'windows' }
  | { readonly type: 'open-window'; readonly access: string; readonly forMs?: number; readonly reason?: string }
  | { readonly type: 'end-window'; readonly access: string };

export type FromWindows =
  | { readonly type: 'windows'; readonly windows: readonly ShownWindow[] }
  /** `obstacle`: in words that follow "because". */
  | { readonly type: 'window-opened'; readonly leftMs: number }
  | { readonly type: 'window-refused'; readonly obstacle: string }
  | { readonly type: 'window-ended'; readonly wasOpen: boolean };

/** Where a run's times are opened, ended, and watched. */
export type WindowDesk = Pick<AccessWindows, 'rules' | 'open' | 'of' | 'list' | 'end' | 'onBegin' | 'onEnd'>;

/** The run's side. */
export function answerWindows(desk: WindowDesk, message: ToWindows, channel: string): FromWindows {
  switch (message.type) {
    case 'windows':
      return { type: 'windows', windows: shownWindows(desk) };
    case 'open-window': {
      const { access, forMs, reason } = message;
      const opened = desk.open({ access, reason, channel, ...(forMs === undefined ? {} : { forMs }) });
      return 'obstacle' in opened
        ? { type: 'window-refused', obstacle: opened.obstacle }
        : { type: 'window-opened', leftMs: opened.leftMs };
    }
    case 'end-window':
      return { type: 'window-ended', wasOpen: desk.end(message.access) };
  }
}

function shownWindows(desk: WindowDesk): ShownWindow[] {
  return desk.rules.map(({ name, role, forMs = 0, reasonRequired }) => {
    const { leftMs, reason } = desk.of(name) ?? {};
    return {
      ...{ access: name, longestMs: forMs, reasonRequired },
      ...(role === undefined ? {} : { role }),
      ...(leftMs === undefined ? {} : { leftMs }),
      ...(reason === undefined ? {} : { reason }),
    };
  });
}

type Fields = Readonly<Record<string, unknown>>;

const longestReason = 1000;

/** Undefined where it is no message about windows, or malformed. */
export function parseToWindows({ type, access, forMs, reason }: Fields): ToWindows | undefined {
  if (type === 'windows') return { type };
  if (typeof access !== 'string') return undefined;
  if (type === 'end-window') return { type, access };
  if (type !== 'open-window' || !(forMs === undefined || isTime(forMs))) return undefined;
  if (!(reason === undefined || (typeof reason === 'string' && reason.length <= longestReason))) return undefined;
  return { type, access, ...(forMs === undefined ? {} : { forMs }), ...(reason === undefined ? {} : { reason }) };
}

/** Of a run, or of what only looks like one: nothing of it acts on the person's terminal. */
export function parseFromWindows(message: Fields): FromWindows | undefined {
  const { type, windows, leftMs, obstacle, wasOpen } = message;
  if (type === 'windows' && Array.isArray(windows)) {
    const shown = windows.map(shownFrom);
    return shown.includes(undefined) ? undefined : { type, windows: shown.flatMap((one) => one ?? []) };
  }
  if (type === 'window-opened' && isTime(leftMs)) return { type, leftMs };
  if (type === 'window-refused' && typeof obstacle === 'string') return { type, obstacle: singleLine(obstacle, 300) };
  if (type === 'window-ended' && typeof wasOpen === 'boolean') return { type, wasOpen };
  return undefined;
}

function shownFrom(value: unknown): ShownWindow | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { access, role, longestMs, reasonRequired, leftMs, reason } = value as Fields;
  if (typeof access !== 'string' || !isTime(longestMs)) return undefined;
  return {
    ...{
      access: singleLine(access, 80),
      longestMs,
      reasonRequired: reasonRequired === true,
    },
    ...(typeof role === 'string' ? { role: singleLine(role, 80) } : {}),
    ...(isTime(leftMs) ? { leftMs } : {}),
    ...(typeof reason === 'string' ? { reason: singleLine(reason, 300) } : {}),
  };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

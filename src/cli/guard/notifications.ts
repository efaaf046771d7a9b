/** How a person who looks elsewhere hears of a new ask: the terminal's bell, and a notification on the desktop. */

import type { ApprovalDesk } from '../../approval/approvals.js';
import { DbguardError } from '../../errors.js';
import { notifyDesktop } from '../../io/terminal/notify.js';
import { singleLine } from '../../untrusted-text.js';

export interface Notifications {
  readonly bell: boolean;
  readonly desktop: boolean;
}

const ways: Readonly<Record<string, Notifications>> = {
  all: { bell: true, desktop: true },
  bell: { bell: true, desktop: false },
  desktop: { bell: false, desktop: true },
  off: { bell: false, desktop: false },
};

/** `DBGUARD_NOTIFY`. Throws DbguardError `usage`. */
export function notificationsFrom(env: NodeJS.ProcessEnv): Notifications {
  const wanted = env.DBGUARD_NOTIFY || 'all';
  const found = ways[wanted];
  if (found) return found;
  throw new DbguardError('usage', `DBGUARD_NOTIFY is "${singleLine(wanted, 40)}"`, {
    hint: `It may be ${Object.keys(ways).join(', ')}.`,
  });
}

/** What a notification program needs, and none of what else is in our environment. */
const passedOn = ['PATH', 'HOME', 'LANG', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_RUNTIME_DIR'];
const desktopBus = 'DBUS_SESSION_BUS_ADDRESS';
/** Arguments of a process can be read by everybody on the machine: the headline, never the statement. */
const headlineMax = 100;

/** What a notification program may have of our environment. */
export function desktopEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries([...passedOn, desktopBus].map((name) => [name, env[name]]));
}

export function notifyOfAsks(desk: ApprovalDesk, env: NodeJS.ProcessEnv): () => void {
  const ownEnv = desktopEnvironment(env);
  return desk.onChange((event) => {
    // those behind it come up by themselves; an agent that floods the queue does not flood the desktop
    if (event.kind !== 'asked' || desk.pending.length > 1) return;
    const { preview, request } = event.pending;
    const where = `${singleLine(request.connection, 40)}${preview.production ? ' (production)' : ''}`;
    notifyDesktop(`dbguard waits for you: ${where}`, singleLine(preview.headline, headlineMax), ownEnv);
  });
}

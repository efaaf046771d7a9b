/**
 * Variables that lead out of a fence: to sockets of other programs, or to files that are not there inside. What is behind them
 * is out of reach anyway; with the variable a program would try, and fail in a way that nobody understands.
 */
import { contains } from './paths.js';
import type { FencePlan } from './plan.js';

/** Each names a program outside: a terminal, a multiplexer, a keeper of keys, a bus, an editor, a container's daemon. */
const outside: readonly string[] = [
  'DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|SESSION_MANAGER|WINDOWID|AT_SPI_.*|XDG_RUNTIME_DIR',
  'TMUX|TMUX_PANE|STY|WINDOW|ZELLIJ.*',
  'KITTY_LISTEN_ON|WEZTERM_UNIX_SOCKET|ALACRITTY_SOCKET|GNOME_TERMINAL_.*|KONSOLE_DBUS_.*',
  'SSH_AUTH_SOCK|SSH_AGENT_PID|GPG_AGENT_INFO|.*_ASKPASS',
  'DBUS_.*|NOTIFY_SOCKET|LISTEN_(?:FDS|PID|FDNAMES)',
  'DOCKER_(?:HOST|CONTEXT|CERT_PATH|CONFIG)|CONTAINER_HOST|KUBECONFIG',
  'VSCODE_.*|NVIM|NVIM_LISTEN_ADDRESS|EMACS_SOCKET_NAME|CLAUDE_CODE_SSE_PORT',
];
const leadsOut = new RegExp(`^(?:${outside.join('|')})$`);

/** What is missing in a search path is passed over; the others are the child's own place. */
const harmless = /^(?:.*PATH|XDG_(?:DATA|CONFIG)_DIRS|HOME|PWD|OLDPWD|SHELL|_)$/;

/** Where sockets and other programs' passing files lie. */
const passing = /(?:^|[:=,;@\s])(\/(?:run|var\/run|tmp|var\/tmp)\/[^:,;\s]+)/g;

/** Programs that know a proxy get a sentence where they may not go; the others find the gateway by the names. */
export function networkVariables(proxyPort: number): Record<string, string> {
  const url = `http://127.0.0.1:${proxyPort}`;
  const own = 'localhost,127.0.0.1,::1';
  return { HTTPS_PROXY: url, https_proxy: url, NO_PROXY: own, no_proxy: own };
}

/** Of the network outside: a proxy there is used by the gateway, and cannot be reached from inside. */
export const outsideNetwork = /^(?:https?|all|no|ftp|npm_config_(?:https?_)?)_?proxy$/i;

export interface FencedEnvironment {
  readonly env: Record<string, string>;
  /** Names, sorted, of what was taken out. */
  readonly removed: readonly string[];
}

export function fencedEnvironment(env: Readonly<Record<string, string>>, plan: FencePlan): FencedEnvironment {
  const kept: Record<string, string> = {};
  const removed: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (leadsOut.test(name) || (!harmless.test(name) && namesMissingPlace(value, plan))) removed.push(name);
    else kept[name] = value;
  }
  return { env: kept, removed: removed.sort() };
}

function namesMissingPlace(value: string, { mounts }: FencePlan): boolean {
  if (value.includes('unix:abstract=')) return true;
  const shown = mounts.filter(({ kind }) => kind === 'read' || kind === 'write');
  return [...value.matchAll(passing)].some(([, path = '']) => !shown.some(({ at }) => contains(at, path)));
}

/**
 * What a fenced child sees of the file system, as a plain list: built from nothing, so that what is not in it is not there.
 *
 * What lives here: places -> mounts. What it must not know: bubblewrap, seatbelt, how a place is looked at.
 *
 * Names that an agent could have put there before (a link in its own folder, a line of PATH) open nothing: every place is
 * taken as what it really is, and none is opened that holds the home folder or anything secret.
 */
import { DbguardError } from '../../errors.js';
import type { AgentPlaces } from './agent-places.js';
import { contains, within } from './paths.js';
import {
  holdsSockets,
  homeReadable,
  homeSecrets,
  linuxSystem,
  linuxSystemFiles,
  macSystem,
  scratchFolders,
} from './places.js';
import { packageOf, toolFolder } from './tools.js';

/** What stands at a path. */
export interface Found {
  /** Absolute, without a link in it. */
  readonly real: string;
  readonly kind: 'folder' | 'file';
  /** The path is a link itself: what stands in it. */
  readonly link?: string;
}

export type Look = (path: string) => Found | undefined;

export type Mount =
  /** `from` is shown at `at`; with `write` it can be changed there. */
  | { readonly kind: 'read' | 'write'; readonly from: string; readonly at: string }
  | { readonly kind: 'link'; readonly to: string; readonly at: string }
  /** Private, writable, and gone at the end. */
  | { readonly kind: 'scratch'; readonly at: string }
  /** The few devices that every program needs; the fence's own processes. */
  | { readonly kind: 'devices' | 'processes'; readonly at: string }
  /** Something empty in the place of what is there. */
  | { readonly kind: 'hidden-folder' | 'hidden-file'; readonly at: string };

export interface FenceRequest {
  readonly system: 'linux' | 'mac';
  readonly home: string;
  /** Where the child starts. */
  readonly cwd: string;
  /** The folder that the agent works in, `cwd` or one above it. */
  readonly project: string;
  /** Folders beside the project that git writes to for it. */
  readonly gitFolders: readonly string[];
  readonly program: string;
  /** dbguard itself, which its hooks are run from. */
  readonly own: string;
  /** What its arguments name, as far as it is there: shown, and not to be changed. */
  readonly named: readonly string[];
  /** Folders in which the child looks for programs and modules. */
  readonly searched: readonly string[];
  readonly agent: AgentPlaces;
  /** Unix sockets in the agent's folders, of processes that run already. */
  readonly sockets: readonly string[];
  /** What the person's own files open besides, absolute. */
  readonly opened: { readonly read: readonly string[]; readonly write: readonly string[] };
  /** Settings that decide over the agent: read-only, wherever they lie. */
  readonly settled: readonly string[];
  /** Never: dbguard's own folders, a bucket that is a folder. */
  readonly closed: readonly string[];
  /** Of the proxy's unix socket; it may lie in a closed folder. */
  readonly socketDir: string;
  /** Files that stand in the place of others: `from` is shown, and cannot be changed, where `at` would be. */
  readonly replaced: readonly { readonly from: string; readonly at: string }[];
}

export interface FencePlan {
  readonly cwd: string;
  /** A later one lies over an earlier one. */
  readonly mounts: readonly Mount[];
}

/** Throws DbguardError `usage` where the project, or what a setting opens, cannot be opened without opening too much. */
export function planFence(request: FenceRequest, look: Look): FencePlan {
  const planner = new Planner(request, look);
  planner.ground();
  planner.open('write', request.project, 'the folder that you started it in');
  for (const path of request.gitFolders) planner.offer('write', path);
  for (const path of request.opened.write) planner.open('write', path, 'sandbox.write');
  for (const path of request.opened.read) planner.open('read', path, 'sandbox.read');
  const { folders, files, doors } = request.agent;
  for (const path of [...folders, ...files]) planner.offer('write', path);
  for (const name of homeReadable) planner.offer('read', within(request.home, name));
  for (const path of request.searched)
    if (look(path)?.kind === 'folder') planner.offer('read', toolFolder(path, request.home));
  // a Python of a virtual environment is a link to the system's, and finds its modules beside the link
  for (const path of [request.program, request.own])
    for (const one of new Set([path, look(path)?.real ?? path])) planner.offer('read', packageOf(one, request.home));
  for (const path of request.named) planner.offer('read', path);
  if (request.system === 'linux') for (const path of linuxSystemFiles) planner.target(path);
  planner.hide([...request.sockets, ...planner.secrets]);
  for (const path of doors) planner.empty(path);
  for (const path of request.settled) planner.settle(path);
  planner.socket(request.socketDir);
  for (const { from, at } of request.replaced) planner.replace(from, at);
  const cwd = look(request.cwd)?.real ?? request.cwd;
  return { cwd, mounts: planner.inOrder() };
}

class Planner {
  readonly secrets: readonly string[];
  readonly #request: FenceRequest;
  readonly #look: Look;
  readonly #home: string;
  readonly #closed: readonly string[];
  /** Real paths that no place may hold or lie in, but for the project and what a person named. */
  readonly #secret: readonly string[];
  /** Real paths that a person opened: also a secret, where it is named by itself. */
  readonly #chosen = new Set<string>();
  readonly #mounts: Mount[] = [];
  /** Over everything else, in this order. */
  readonly #overlays: Mount[] = [];

  constructor(request: FenceRequest, look: Look) {
    this.#request = request;
    this.#look = look;
    this.#home = this.#real(request.home);
    this.secrets = [...homeSecrets.map((name) => within(request.home, name)), ...request.closed];
    this.#closed = request.closed.map((path) => this.#real(path));
    this.#secret = this.secrets.map((path) => this.#real(path));
  }

  /** What every program finds, whatever it is. */
  ground(): void {
    const { system, home } = this.#request;
    if (system === 'mac') {
      for (const path of macSystem) this.#offerSystem(path);
      return;
    }
    this.#mounts.push({ kind: 'devices', at: '/dev' }, { kind: 'processes', at: '/proc' });
    // the home folder too: a place of the system may hold it
    for (const at of [...scratchFolders, home]) if (at !== '/') this.#mounts.push({ kind: 'scratch', at });
    for (const path of linuxSystem) this.#offerSystem(path);
  }

  /** A place that a person chose. */
  open(kind: 'read' | 'write', path: string, what: string): void {
    const found = this.#look(path);
    if (!found) throw new DbguardError('usage', `the fence cannot open ${path}: there is nothing`, { hint: fitting });
    const { real } = found;
    const much = this.#tooMuchIn(kind, real);
    if (much !== undefined) throw tooMuch(path, what, much);
    const own = this.#closed.find((one) => contains(one, real));
    if (own !== undefined) throw tooMuch(path, what, 'what dbguard keeps to itself');
    this.#chosen.add(real);
    if (this.#mounts.some((one) => one.kind === kind && contains(one.at, path) && contains(one.from, real))) return;
    this.#mounts.push({ kind, from: real, at: path });
    if (real !== path) this.#mounts.push({ kind, from: real, at: real });
  }

  /** A place that is opened where it is there, and where it holds nothing that must stay closed. */
  offer(kind: 'read' | 'write', path: string | undefined): void {
    const found = path === undefined ? undefined : this.#look(path);
    if (path === undefined || !found) return;
    const { real } = found;
    if (this.#tooMuchIn(kind, real) !== undefined || this.#secret.some((one) => contains(one, real))) return;
    if (this.#closed.some((one) => contains(real, one)) && kind === 'write') return;
    // already there, and as writable as it may be
    if (this.#visible(path, real)) return;
    this.#mounts.push({ kind, from: real, at: path });
  }

  /** What a link of the system leads to, where that is not visible by itself. */
  target(path: string): void {
    const found = this.#look(path);
    if (found && !this.#visible(found.real, found.real)) {
      this.#mounts.push({ kind: 'read', from: found.real, at: found.real });
    }
  }

  hide(paths: readonly string[]): void {
    for (const path of paths) {
      const found = this.#look(path);
      if (!found || this.#chosen.has(found.real)) continue;
      const kind = found.kind === 'folder' ? 'hidden-folder' : 'hidden-file';
      for (const at of this.#shownAt(found.real)) this.#overlays.push({ kind, at });
    }
  }

  /** Private, also where there is nothing yet: a daemon that is started later would put its socket there. */
  empty(path: string): void {
    for (const at of this.#shownAt(this.#real(path), 'write')) this.#overlays.push({ kind: 'scratch', at });
  }

  settle(path: string): void {
    const found = this.#look(path);
    // a link that leads elsewhere would show it over what was hidden before
    if (found?.kind !== 'file' || this.#secret.some((one) => contains(one, found.real))) return;
    for (const at of this.#shownAt(found.real, 'write')) this.#overlays.push({ kind: 'read', from: found.real, at });
  }

  socket(folder: string): void {
    const found = this.#look(folder);
    if (found) this.#overlays.push({ kind: 'read', from: found.real, at: folder });
  }

  replace(from: string, path: string): void {
    const real = this.#real(path);
    for (const at of this.#shownAt(real)) this.#overlays.push({ kind: 'read', from: this.#real(from), at });
  }

  inOrder(): readonly Mount[] {
    const depth = ({ at }: Mount): number => at.split('/').filter(Boolean).length;
    return [...this.#mounts.toSorted((a, b) => depth(a) - depth(b)), ...this.#overlays];
  }

  /** What would be open with it, in words. */
  #tooMuchIn(kind: 'read' | 'write', real: string): string | undefined {
    if (contains(real, this.#home)) return 'your home folder';
    if (holdsSockets(real)) return 'the sockets of other programs';
    const system = this.#request.system === 'mac' ? macSystem : linuxSystem;
    if (kind === 'write' && system.some((one) => contains(real, this.#real(one)))) return 'the system’s own files';
    return undefined;
  }

  #offerSystem(path: string): void {
    const found = this.#look(path);
    if (!found) return;
    if (found.link !== undefined && this.#request.system === 'linux') {
      this.#mounts.push({ kind: 'link', to: found.link, at: path });
    } else this.#mounts.push({ kind: 'read', from: found.real, at: path });
  }

  /** By its own name, or through a link of the system. */
  #visible(at: string, real: string): boolean {
    const linked = this.#mounts.some((one) => one.kind === 'link' && contains(one.at, at));
    if (linked && at !== real) return this.#visible(real, real);
    return this.#mounts.some(
      (one) => (one.kind === 'read' || one.kind === 'write') && contains(one.at, at) && contains(one.from, real),
    );
  }

  /** Everywhere inside of the fence where a place can be seen, and is not the place that was opened. */
  #shownAt(real: string, only?: 'write'): string[] {
    const places = this.#mounts.flatMap((one) => {
      if (one.kind !== 'write' && (only === 'write' || one.kind !== 'read')) return [];
      return contains(one.from, real) ? [within(one.at, real.slice(one.from.length))] : [];
    });
    return [...new Set(places)];
  }

  #real(path: string): string {
    return this.#look(path)?.real ?? path;
  }
}

const fitting = 'Name a folder that exists, or take it out of sandbox in your own dbguard.yaml.';

function tooMuch(path: string, what: string, holds: string): DbguardError {
  return new DbguardError('usage', `the fence cannot open ${path} (${what}): ${holds} would be open with it`, {
    hint: 'Start dbguard in the folder of a project, and open no more than a part of your home folder.',
  });
}

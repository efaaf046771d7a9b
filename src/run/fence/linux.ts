/**
 * The fence on Linux: a plan as arguments of bubblewrap (bwrap(1)). Its options are those of bubblewrap 0.4.
 *
 * Why `--cap-drop ALL`: bubblewrap leaves root its capabilities. Why no `--disable-userns`: agents that fence their own commands
 * with bubblewrap need a user namespace inside; the kernel does not let one undo a mount of the namespace above it
 * (mount_namespaces(7), "locked").
 */
import type { FencePlan, Mount } from './plan.js';

export interface LinuxFence {
  readonly plan: FencePlan;
  /** The child keeps the controlling terminal that it is started on. */
  readonly terminal: boolean;
}

const namespaces: readonly string[] = [
  '--unshare-user-try',
  '--unshare-pid',
  '--unshare-ipc',
  '--unshare-uts',
  '--unshare-cgroup-try',
  '--die-with-parent',
  '--cap-drop',
  'ALL',
];

/** Before the command. */
export function bubblewrapArguments({ plan, terminal }: LinuxFence): string[] {
  return [
    ...namespaces,
    // a child without a terminal would share dbguard's process group, and could signal it with kill(0)
    ...(terminal ? [] : ['--new-session']),
    ...plan.mounts.flatMap(mountArguments),
    '--chdir',
    plan.cwd,
    '--',
  ];
}

function mountArguments(mount: Mount): string[] {
  switch (mount.kind) {
    case 'read':
      return ['--ro-bind', mount.from, mount.at];
    case 'write':
      return ['--bind', mount.from, mount.at];
    case 'link':
      return ['--symlink', mount.to, mount.at];
    case 'scratch':
      return ['--tmpfs', mount.at];
    case 'devices':
      return ['--dev', mount.at];
    case 'processes':
      return ['--proc', mount.at];
    case 'hidden-folder':
      return ['--tmpfs', mount.at, '--remount-ro', mount.at];
    case 'hidden-file':
      return ['--ro-bind', '/dev/null', mount.at];
  }
}

/**
 * Around the keeper of a network namespace. It may listen at the ports below 1024 of this namespace, and has no other right;
 * the child joins the namespace and not its rights: its own user namespace is one below.
 */
export const networkArguments: readonly string[] = [
  '--unshare-user-try',
  '--unshare-net',
  '--die-with-parent',
  '--cap-drop',
  'ALL',
  '--cap-add',
  'CAP_NET_BIND_SERVICE',
  '--dev-bind',
  '/',
  '/',
  '--',
];

/** Of nsenter(1): the user namespace first, since only in it one may join the other. */
export function joinArguments(pid: number): string[] {
  return ['--target', `${pid}`, '--user', '--net', '--preserve-credentials', '--'];
}

/** Whether it can be done here at all: the same namespaces around a program that does nothing. */
export const bubblewrapTrial: readonly string[] = [
  ...namespaces,
  '--ro-bind',
  '/',
  '/',
  '--dev',
  '/dev',
  '--proc',
  '/proc',
  '--',
  '/bin/sh',
  '-c',
  ':',
];

/** The program that builds the fence on this machine, tried once; or why there is none. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { bubblewrapTrial } from '../../run/fence/linux.js';
import {
  type KernelSettings,
  noFenceHere,
  noSeatbelt,
  notInstalled,
  type Obstacle,
  whyNot,
} from '../../run/fence/why-not.js';

export type FenceProgram =
  | { readonly system: 'linux' | 'mac'; readonly path: string }
  | { readonly obstacle: Obstacle };

const usual = ['/usr/bin', '/usr/local/bin', '/bin', '/run/current-system/sw/bin', '/run/wrappers/bin'];
const trialMs = 5000;

export async function findFenceProgram(env: NodeJS.ProcessEnv): Promise<FenceProgram> {
  switch (process.platform) {
    case 'linux':
      return findBubblewrap(env);
    case 'darwin': {
      const path = '/usr/bin/sandbox-exec';
      return existsSync(path) ? { system: 'mac', path } : { obstacle: noSeatbelt };
    }
    default:
      return { obstacle: noFenceHere };
  }
}

async function findBubblewrap(env: NodeJS.ProcessEnv): Promise<FenceProgram> {
  const folders = [...usual, ...(env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'))];
  const path = folders.map((folder) => join(folder, 'bwrap')).find(isSystems);
  if (path === undefined) return { obstacle: notInstalled };
  const said = await tryOut(path);
  return said === undefined ? { system: 'linux', path } : { obstacle: whyNot(said, kernelSettings(), inContainer()) };
}

/** A program that an agent could have put somewhere on PATH would be no fence: it has to be root's. */
function isSystems(path: string): boolean {
  try {
    const { uid, mode } = statSync(realpathSync(path));
    return uid === 0 && (mode & 0o022) === 0 && (mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** What it says when it fails. */
function tryOut(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(path, bubblewrapTrial, { timeout: trialMs, env: {}, cwd: '/' }, (error, _stdout, stderr) =>
      resolve(error ? stderr : undefined),
    );
  });
}

function kernelSettings(): KernelSettings {
  return {
    'user.max_user_namespaces': setting('user/max_user_namespaces'),
    'kernel.unprivileged_userns_clone': setting('kernel/unprivileged_userns_clone'),
    'kernel.apparmor_restrict_unprivileged_userns': setting('kernel/apparmor_restrict_unprivileged_userns'),
  };
}

function setting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Docker and Podman leave a file; the environment of Kubernetes' first process has a name of its own. */
function inContainer(): boolean {
  return (
    existsSync('/.dockerenv') || existsSync('/run/.containerenv') || process.env.KUBERNETES_SERVICE_HOST !== undefined
  );
}

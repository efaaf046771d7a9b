/** What servers have proved (upstream/server-proofs.ts), one small file for each server and user, under the state folder. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateDirPaths, stateDirs } from '../files/state-dirs.js';
import { authMethods } from './auth-method.js';
import type { Proof, ServerProofs } from './server-proofs.js';

const folder = 'servers';

/** A record that cannot be written is no reason to end a session: the next login proves it again. */
export function storedProofs(env: NodeJS.ProcessEnv): ServerProofs {
  const pathOf = (server: string, user: string) =>
    join(stateDirPaths(env).state, folder, `${createHash('sha256').update(`${server}\0${user}`).digest('hex')}.json`);
  return {
    of: (server, user) => read(pathOf(server, user)),
    learn(server, user, proof) {
      try {
        const path = pathOf(server, user);
        mkdirSync(join(stateDirs(env).state, folder), { recursive: true, mode: 0o700 });
        const partial = `${path}.${process.pid}.new`;
        writeFileSync(partial, `${JSON.stringify({ server, user, ...proof })}\n`, { mode: 0o600 });
        renameSync(partial, path);
      } catch {
        // see above
      }
    },
  };
}

/** @param server `host:port`, or the path of a socket. False where nothing was known of it. */
export function forgetServer(env: NodeJS.ProcessEnv, server: string): boolean {
  const root = join(stateDirPaths(env).state, folder);
  let had = false;
  for (const name of namesIn(root)) {
    const path = join(root, name);
    if (parsed(path)?.server !== server) continue;
    rmSync(path, { force: true });
    had = true;
  }
  return had;
}

function read(path: string): Proof | undefined {
  const { method, bound } = parsed(path) ?? {};
  const known = authMethods.find((one) => one === method);
  return known === undefined ? undefined : { method: known, bound: bound === true };
}

function parsed(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(root);
  } catch {
    return [];
  }
}

/**
 * The OS keychain (macOS Keychain, Windows Credential Manager, Secret Service) behind a time limit.
 */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SERVICE = 'dbguard';

export interface KeychainRequest {
  readonly operation: 'get' | 'set' | 'delete';
  readonly service: string;
  readonly account: string;
  readonly secret?: string;
}

export interface KeychainReply {
  readonly secret?: string | null;
  readonly error?: string;
}

/** Why there is no keychain here; a sentence for people, never a secret. */
export class KeychainUnavailable extends Error {}

export interface Keychain {
  get(account: string): Promise<string | undefined>;
  set(account: string, secret: string): Promise<void>;
  delete(account: string): Promise<void>;
}

/** Each call rejects with KeychainUnavailable after `limitMs` at the latest. */
export function osKeychain(env: NodeJS.ProcessEnv, limitMs: number): Keychain {
  const call = (request: Omit<KeychainRequest, 'service'>) => ask({ ...request, service: SERVICE }, env, limitMs);
  return {
    get: async (account) => (await call({ operation: 'get', account })).secret ?? undefined,
    set: async (account, secret) => void (await call({ operation: 'set', account, secret })),
    delete: async (account) => void (await call({ operation: 'delete', account })),
  };
}

async function ask(request: KeychainRequest, env: NodeJS.ProcessEnv, limitMs: number): Promise<KeychainReply> {
  if (process.platform === 'linux' && !hasSessionBus(env)) {
    throw new KeychainUnavailable('no D-Bus session, so no Secret Service');
  }
  // The same suffix as this file: .ts while tests run from source, .js when built.
  const helper = new URL(`./keychain-helper${extname(import.meta.url)}`, import.meta.url);
  // nobody can listen there: no debugger before the helper's first line. See bin/dbguard
  const execArgv = [...process.execArgv, '--inspect-port=192.0.2.1:9229'];
  const child = fork(fileURLToPath(helper), { env, execArgv, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  try {
    const reply = await new Promise<KeychainReply>((resolve, reject) => {
      const timer = setTimeout(() => reject(new KeychainUnavailable(`no answer within ${limitMs / 1000} s`)), limitMs);
      child.once('message', (message) => {
        clearTimeout(timer);
        resolve(message as KeychainReply);
      });
      child.once('error', reject);
      child.once('exit', () => {
        clearTimeout(timer);
        reject(new KeychainUnavailable('its helper process ended'));
      });
      child.send(request, (error) => error && reject(error));
    });
    if (reply.error !== undefined) throw new KeychainUnavailable(firstLine(reply.error));
    return reply;
  } catch (error) {
    throw error instanceof KeychainUnavailable ? error : new KeychainUnavailable('its helper process did not start');
  } finally {
    child.kill('SIGKILL');
  }
}

/** Without an address libsecret would try to start a bus by itself, which needs a display. */
function hasSessionBus(env: NodeJS.ProcessEnv): boolean {
  if (env.DBUS_SESSION_BUS_ADDRESS) return true;
  const runtime = env.XDG_RUNTIME_DIR;
  return runtime !== undefined && existsSync(join(runtime, 'bus'));
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 160);
}

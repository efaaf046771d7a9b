/** A developer's folder and state of their own, in the temp folder, and bin/dbguard run in them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, type Options, type ResultPromise } from 'execa';
import { stringify } from 'yaml';
import type { TestIdp } from './idp.js';
import { dbguardProgram } from './repository.js';

/** What a spawned dbguard is to its test: its streams as text, a rejected promise never. */
export type Spawned = ResultPromise<{ reject: false }>;

export interface Workspace {
  /** Working directory of every command: the project, with its dbguard.yaml. */
  readonly project: string;
  /** DBGUARD_HOME. */
  readonly home: string;
  /** The directory bucket that `configure` names. */
  readonly bucket: string;
  /** Everything a command gets from the environment; nothing of this process but PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes dbguard.yaml from a value; `bucket` is filled in unless given. */
  configure(config: Record<string, unknown>): void;
  /** Starts `dbguard ...args` without a terminal. Await it for exitCode, stdout and stderr. */
  dbguard(args: readonly string[], options?: { input?: string; env?: Record<string, string>; cwd?: string }): Spawned;
  /** `dbguard login`, with a person who confirms in the browser. Throws with its stderr when it fails. @param client another one than dbguard's own */
  login(idp: TestIdp, client?: string): Promise<void>;
  remove(): void;
}

/** @param more variables for every command */
export function makeWorkspace(more: Readonly<Record<string, string>> = {}): Workspace {
  const root = mkdtempSync(join(tmpdir(), 'dbguard-ws-'));
  const [project, home, bucket] = [join(root, 'project'), join(root, 'home'), join(root, 'bucket')];
  for (const folder of [project, home, bucket]) mkdirSync(folder, { mode: 0o700 });
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: root,
    LANG: 'C.UTF-8',
    DBGUARD_HOME: home,
    DBGUARD_TOKEN_STORE: 'file',
    ...more,
  };
  const workspace: Workspace = {
    project,
    home,
    bucket,
    env,
    configure(config) {
      // most tests are about something else, and look at the child from outside
      const text = stringify({ version: 1, bucket: `file:${bucket}`, sandbox: 'off', ...config });
      writeFileSync(join(project, 'dbguard.yaml'), text);
    },
    dbguard(args, options = {}) {
      const how = {
        cwd: options.cwd ?? project,
        env: { ...env, ...options.env },
        extendEnv: false,
        reject: false,
        forceKillAfterDelay: false, // dbguard drains first, and says how long
        ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
      } as const satisfies Options;
      // tap puts its loader into the environment of every process, and the loader cannot read bin/dbguard
      return execa('env', ['-u', 'NODE_OPTIONS', process.execPath, dbguardProgram, ...args], how) as Spawned;
    },
    async login(idp, client = idp.clientId) {
      const login = workspace.dbguard(['login', '--no-open', '--issuer', idp.issuer, '--client-id', client]);
      for await (const line of login.iterable({ from: 'stderr' })) {
        const page = /\(or open {2}(\S+) \)/.exec(line)?.[1];
        if (page !== undefined) await idp.approve(page);
      }
      const { exitCode, stderr } = await login;
      if (exitCode !== 0) throw new Error(`dbguard login failed: ${stderr}`);
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
  return workspace;
}

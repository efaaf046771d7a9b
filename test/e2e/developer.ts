/** A developer at work: a database, a login and a project folder of their own, all real, and gone when the test ends. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { startIdp, type TestIdp } from '../helpers/idp.js';
import { type PostgresOptions, startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { dbguardProgram, repositoryRoot } from '../helpers/repository.js';
import { Terminal } from '../helpers/terminal.js';
import { makeWorkspace, type Workspace } from '../helpers/workspace.js';
import type { ProviderOptions } from '../identity/provider.js';

export interface Developer {
  readonly postgres: TestPostgres;
  readonly idp: TestIdp;
  readonly workspace: Workspace;
  /** What every dbguard.yaml here needs, to be changed one by one. */
  readonly config: Readonly<Record<string, unknown>>;
  /** `dbguard run -- ...command` without a terminal. */
  run(command: readonly string[], options?: { input?: string; env?: Record<string, string> }): RunResult;
  /** `dbguard ...args` on a pty. */
  terminal(args: readonly string[], options?: PtyOptions): Terminal;
}

export interface PtyOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
}

type RunResult = ReturnType<Workspace['dbguard']>;

export interface DeveloperOptions {
  readonly postgres?: PostgresOptions;
  /** Before the login. */
  readonly loggedIn?: boolean;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly idp?: ProviderOptions;
  /** Of dbguard.yaml's identity section; the provider's own otherwise. */
  readonly scopes?: readonly string[];
  /** Of every command. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Scripts in `node -e` find the drivers of this repository. */
export const drivers = { NODE_PATH: join(repositoryRoot, 'node_modules') };

export async function developer(t: Test, options: DeveloperOptions = {}): Promise<Developer> {
  const [postgres, idp] = await Promise.all([startPostgres(options.postgres), startIdp(options.idp)]);
  const workspace = makeWorkspace(options.env);
  t.teardown(async () => {
    await Promise.all([postgres.stop(), idp.close()]);
    workspace.remove();
  });
  const config = {
    identity: { issuer: idp.issuer, client_id: idp.clientId, ...(options.scopes && { scopes: options.scopes }) },
    connections: { main: { url: postgres.url(), environment: 'development' } },
    default_connection: 'main',
    ...options.config,
  };
  workspace.configure(config);
  if (options.loggedIn !== false) await workspace.login(idp);
  return {
    postgres,
    idp,
    workspace,
    config,
    run: (command, how = {}) =>
      workspace.dbguard(['run', '--', ...command], { ...how, env: { ...drivers, ...how.env } }),
    terminal: (args, { env, columns = 160, rows = 30 } = {}) =>
      new Terminal('/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, dbguardProgram, ...args], {
        cwd: workspace.project,
        env: { ...workspace.env, ...drivers, ...env },
        columns,
        rows,
      }),
  };
}

/** The command for a script that has `client`, a connected node-postgres client, and prints what it returns as JSON. */
export function script(body: string): string[] {
  const program = `
    const { Client } = require('pg');
    (async () => {
      const client = new Client({ connectionString: process.env.DATABASE_URL });
      client.on('error', () => {});
      await client.connect();
      const failure = ({ code, message, hint, detail }) => ({ code, message, hint, detail });
      const attempt = (sql, values) => client.query(sql, values).then(({ rows }) => rows, failure);
      const result = await (async () => { ${body} })();
      await client.end();
      console.log(JSON.stringify(result));
    })();`;
  return [process.execPath, '-e', program];
}

/** The session id that the banner names. */
export function sessionOf(stderr: string): string {
  return /dbguard: session ([0-9a-z]+),/.exec(stderr)?.[1] ?? '';
}

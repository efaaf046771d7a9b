/** `dbguard proxy` in front of a test server, with a real login and a directory bucket, as a script would start it. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startIdp } from './idp.js';
import type { TestPostgres } from './postgres.js';
import { makeWorkspace, type Workspace } from './workspace.js';

/** The line that `dbguard proxy --json` prints when it listens. */
export interface ProxyLine {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly socket: string;
  readonly session: string;
}

export interface ProxyProcessOptions {
  /** The `policy` section of dbguard.yaml. Default: the built-in profile. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** More sections of dbguard.yaml. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly database?: string;
  /** More keys of the connection. */
  readonly connection?: Readonly<Record<string, unknown>>;
}

export interface ProxyProcess extends ProxyLine {
  readonly password: string;
  readonly workspace: Workspace;
  /** Process id of the proxy. */
  readonly pid: number;
  url(database?: string): string;
  /**
   * SIGTERM; resolves when the last entry is in the bucket, and `look` has seen it. Throws when the proxy did not exit
   * with 0.
   */
  stop(look?: () => void): Promise<void>;
}

export async function startProxyProcess(
  upstream: TestPostgres,
  options: ProxyProcessOptions = {},
): Promise<ProxyProcess> {
  const idp = await startIdp();
  const workspace = makeWorkspace();
  const remove = async () => {
    await idp.close();
    workspace.remove();
  };
  try {
    const password = randomBytes(12).toString('hex');
    const passwordFile = join(workspace.home, 'loopback-password');
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    const url = upstream.url(options.database);
    const connection = { url, databases: 'any', environment: 'development', ...options.connection };
    const settings = {
      identity: { issuer: idp.issuer, client_id: idp.clientId },
      connections: { main: connection },
      default_connection: 'main',
    };
    workspace.configure(settings);
    await workspace.login(idp);
    workspace.configure({ ...settings, ...(options.policy && { policy: options.policy }), ...options.config });
    // a file that is named may loosen the policy; one that is only found in the folder may not
    const config = join(workspace.project, 'dbguard.yaml');
    const args = ['proxy', '--json', '--config', config, '--listen', '127.0.0.1:0', '--password-file', passwordFile];
    const proxy = workspace.dbguard(args, options.env ? { env: options.env } : {});
    const said = await firstLine(proxy.iterable());
    if (said === undefined) {
      const { stderr, exitCode } = await proxy;
      throw new Error(`dbguard proxy ended with ${exitCode}: ${stderr}`);
    }
    const line: ProxyLine = JSON.parse(said);
    return {
      ...line,
      password,
      workspace,
      pid: proxy.pid ?? 0,
      url: (database = line.database) => `postgresql://${line.user}:${password}@${line.host}:${line.port}/${database}`,
      stop: async (look) => {
        proxy.kill('SIGTERM');
        const { exitCode, stderr } = await proxy;
        look?.();
        await remove();
        if (exitCode !== 0) throw new Error(`dbguard proxy ended with ${exitCode}: ${stderr}`);
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function firstLine(lines: AsyncIterable<unknown>): Promise<string | undefined> {
  const { value } = await lines[Symbol.asyncIterator]().next();
  return typeof value === 'string' ? value : undefined;
}

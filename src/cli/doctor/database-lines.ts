/** What a look at a database shows: reached, encrypted, what the login could do by itself, other ways to the same server. */
import { existsSync } from 'node:fs';
import { ControlConnection } from '../../io/catalog/control-connection.js';
import { readLoginRights } from '../../io/catalog/login-rights.js';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import { connectUpstream } from '../../io/upstream/connect.js';
import { loginFindings } from '../../policy/login-findings.js';
import { counted } from '../../words.js';
import { failure, type Line, ok, warning } from './check.js';

const sockets = ['/var/run/postgresql', '/run/postgresql', '/tmp'] as const;

/**
 * Throws as `connectUpstream` where it cannot be reached.
 * @param before what has to be done before other commands find the connection by `name`, in words
 */
export async function databaseLines(about: {
  readonly name: string;
  readonly upstream: UpstreamConfig;
  readonly signal: AbortSignal;
  readonly before: string;
}): Promise<Line[]> {
  const { name, upstream, signal, before } = about;
  const lines: Line[] = [];
  const parameters = new Map([['application_name', 'dbguard doctor']]);
  const first = await connectUpstream(upstream, parameters, { signal });
  const { tls, hostLabel, serverVersion } = first;
  first.socket.destroy();
  lines.push(ok(`${name}: PostgreSQL ${serverVersion.split(' ')[0] ?? ''} at ${hostLabel}`));
  const hosts = upstream.hosts.map(({ host }) => host);
  lines.push(encryption(tls !== undefined, hosts, upstream.tls.mode));
  const control = new ControlConnection(() => connectUpstream(upstream, parameters, { signal }));
  try {
    const rights = await readLoginRights((sql, values, timeoutMs) => control.ask(sql, values, timeoutMs));
    const found = loginFindings(rights);
    if (rights.attributes.has('SUPERUSER'))
      lines.push(
        failure(
          `${rights.login} is a superuser: nothing that is approved or masked binds it`,
          `${before}dbguard access setup --login ${name}_agent --connection ${name}`,
        ),
      );
    else if (found.length > 0)
      lines.push(
        warning(
          `${rights.login} has ${counted(found.length, 'right')} that it need not have`,
          `${before}dbguard access check --connection ${name}`,
        ),
      );
    else lines.push(ok(`${rights.login} can do nothing beyond what single objects grant`));
  } finally {
    await control.close();
  }
  lines.push(...beside(upstream.hosts));
  return lines;
}

function encryption(encrypted: boolean, hosts: readonly string[], mode: string): Line {
  const local = hosts.every((host) => /^(?:localhost|127\.|::1$|\/)/.test(host));
  if (encrypted && (mode === 'verify-full' || local)) return ok(`TLS (sslmode=${mode})`);
  if (encrypted)
    return warning(
      `TLS, but nobody checks whose server it is (sslmode=${mode})`,
      'Add sslmode=verify-full to the connection, and sslrootcert where the authority is your own.',
    );
  if (local) return ok('without TLS, on this machine');
  return failure(
    'without TLS: the password’s proof and all data can be read on the way',
    'Add sslmode=verify-full to the connection.',
  );
}

/** Other ways to the same server that an agent outside of the fence could take. */
function beside(hosts: readonly { readonly host: string; readonly port: number }[]): Line[] {
  return hosts.flatMap(({ host, port }) => {
    if (!/^(?:localhost|127\.|::1$)/.test(host)) return [];
    const socket = sockets.map((folder) => `${folder}/.s.PGSQL.${port}`).find((path) => existsSync(path));
    if (socket === undefined) return [];
    return [
      warning(
        `it listens at ${socket} too: where pg_hba.conf says peer or trust, that asks for no password`,
        'dbguard run --sandbox -- AGENT, or "local all all scram-sha-256" in pg_hba.conf',
      ),
    ];
  });
}

/** The database: reached, encrypted, and what the login could do by itself; what of it lies where an agent reads. */
import { existsSync } from 'node:fs';
import { ControlConnection } from '../../../io/catalog/control-connection.js';
import { readLoginRights } from '../../../io/catalog/login-rights.js';
import { findConnections, projectIn } from '../../../io/found/find.js';
import { connectUpstream } from '../../../io/upstream/connect.js';
import { loginFindings } from '../../../policy/login-findings.js';
import { counted } from '../../../words.js';
import { chooseConnection, upstreamOf } from '../../settings/connection.js';
import { chooseFound } from '../../settings/found-connection.js';
import { ensureTrusted } from '../../settings/trusted.js';
import { databaseUse } from '../../settings/uses.js';
import { type Check, failure, type Line, noTerminal, ok, type World, warning } from '../check.js';

const sockets = ['/var/run/postgresql', '/run/postgresql', '/tmp'] as const;

export const database: Check = {
  name: 'database',
  async run(world) {
    const { name, connection, upstream, sources, quiet, written } = await target(world);
    await ensureTrusted(quiet, sources, [await databaseUse(name, connection, upstream)]);
    const lines: Line[] = [];
    const parameters = new Map([['application_name', 'dbguard doctor']]);
    const first = await connectUpstream(upstream, parameters, { signal: world.signal });
    const { tls, hostLabel, serverVersion } = first;
    first.socket.destroy();
    lines.push(ok(`${name}: PostgreSQL ${serverVersion.split(' ')[0] ?? ''} at ${hostLabel}`));
    lines.push(
      encryption(
        tls !== undefined,
        upstream.hosts.map(({ host }) => host),
        upstream.tls.mode,
      ),
    );
    const control = new ControlConnection(() => connectUpstream(upstream, parameters, { signal: world.signal }));
    try {
      const rights = await readLoginRights((sql, values, timeoutMs) => control.ask(sql, values, timeoutMs));
      const found = loginFindings(rights);
      if (rights.attributes.has('SUPERUSER'))
        lines.push(
          failure(
            `${rights.login} is a superuser: nothing that is approved or masked binds it`,
            `${written ? '' : 'dbguard init, then: '}dbguard access setup --login ${name}_agent --connection ${name}`,
          ),
        );
      else if (found.length > 0)
        lines.push(
          warning(
            `${rights.login} has ${counted(found.length, 'right')} that it need not have`,
            `${written ? '' : 'dbguard init, then: '}dbguard access check --connection ${name}`,
          ),
        );
      else lines.push(ok(`${rights.login} can do nothing beyond what single objects grant`));
    } finally {
      await control.close();
    }
    lines.push(...beside(upstream.hosts));
    return lines;
  },
};

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

export const readable: Check = {
  name: 'passwords',
  async run({ context: { cwd, env } }) {
    const { found } = findConnections(projectIn(cwd, env));
    const files = new Set(found.flatMap((one) => one.files));
    if (files.size === 0) return [ok('none known in a file of this project')];
    return [...files].map((file) =>
      warning(
        `${file} holds a database password, and the agent can read it; the run’s own DATABASE_URL wins in most tools`,
        `Take it out of ${file}: put host:port:database:user:password into ~/.pgpass (chmod 600), then dbguard init`,
      ),
    );
  },
};

/** `written`: in a dbguard.yaml, where other commands find it too. */
async function target({ context, settings }: World) {
  const { sources: known, config } = settings();
  const quiet = noTerminal(context);
  const found = await chooseFound(quiet, known, {});
  const sources = found === undefined ? known : [...known, found.source];
  const files =
    found === undefined
      ? config
      : {
          ...config,
          connections: found.source.config.connections,
          defaultConnection: [...found.source.config.connections.keys()][0] ?? '',
        };
  const { name, connection } = chooseConnection({ config: files }, undefined);
  const upstream = upstreamOf(connection, name, found?.env ?? context.env);
  return { name, connection, upstream, sources, quiet, written: found === undefined };
}

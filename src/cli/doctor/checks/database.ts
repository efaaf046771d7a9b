/** The database: reached, encrypted, and what the login could do by itself; what of it lies where an agent reads. */
import { findConnections, projectIn } from '../../../io/found/find.js';
import { chooseConnection, upstreamOf } from '../../settings/connection.js';
import { chooseFound } from '../../settings/found-connection.js';
import { ensureTrusted } from '../../settings/trusted.js';
import { databaseUse } from '../../settings/uses.js';
import { type Check, noTerminal, ok, type World, warning } from '../check.js';
import { databaseLines } from '../database-lines.js';

export const database: Check = {
  name: 'database',
  async run(world) {
    const { name, connection, upstream, sources, quiet, written } = await target(world);
    await ensureTrusted(quiet, sources, [await databaseUse(name, connection, upstream)]);
    return databaseLines({ name, upstream, signal: world.signal, before: written ? '' : 'dbguard init, then: ' });
  },
};

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

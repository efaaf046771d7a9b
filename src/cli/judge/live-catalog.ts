/** The catalog of a connection, read once, for commands that judge without a session. */
import { DbguardError } from '../../errors.js';
import { ControlConnection } from '../../io/catalog/control-connection.js';
import { openCatalog } from '../../io/catalog/function-catalogs.js';
import { connectUpstream } from '../../io/upstream/connect.js';
import type { CompiledPolicy } from '../../policy/engine.js';
import type { Analyser } from '../../sql/facts.js';
import type { Grammar } from '../../sql/grammar/grammar.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';

const connectPatienceMs = 10_000;

export async function withLiveCatalog<T>(
  files: Pick<CompiledPolicy, 'config'>,
  name: string,
  env: NodeJS.ProcessEnv,
  grammar: Grammar,
  use: (analyser: Analyser) => Promise<T>,
): Promise<T> {
  const upstream = upstreamOf(chooseConnection(files, name).connection, name, env);
  const parameters = new Map([['application_name', 'dbguard explain']]);
  const control = new ControlConnection(() => connectUpstream(upstream, parameters));
  try {
    // first, for an error in words of its own
    await control.ask('SELECT 1', [], connectPatienceMs);
    const catalog = await openCatalog(control, grammar);
    catalog.stop();
    if (!catalog.believed) throw unreadable(name);
    return await use(catalog.analyser);
  } finally {
    await control.close();
  }
}

function unreadable(name: string): DbguardError {
  return new DbguardError('upstream-unreachable', `the catalog of connection "${name}" could not be read`, {
    hint: 'Its login must be able to read pg_proc and pg_class (PostgreSQL 14 and later). --offline judges without it.',
  });
}

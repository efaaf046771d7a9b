/** The catalog of a connection, read once, for commands that judge without a session. */
import { DbguardError } from '../../errors.js';
import { readAnalyser } from '../../io/catalog/catalogs.js';
import { ControlConnection } from '../../io/catalog/control-connection.js';
import type { LoadedConfig } from '../../io/files/config-files.js';
import { connectUpstream } from '../../io/upstream/connect.js';
import { combineConfigs } from '../../policy/combine.js';
import type { Analyser } from '../../sql/facts.js';
import type { Grammar } from '../../sql/grammar/grammar.js';
import type { CommandContext } from '../command.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';
import { ensureTrusted } from '../settings/trusted.js';
import { databaseUse } from '../settings/uses.js';

const connectPatienceMs = 10_000;

export async function withLiveCatalog<T>(
  context: CommandContext,
  sources: readonly LoadedConfig[],
  name: string,
  grammar: Grammar,
  use: (analyser: Analyser) => Promise<T>,
): Promise<T> {
  const { connection } = chooseConnection({ config: combineConfigs(sources) }, name);
  const upstream = upstreamOf(connection, name, context.env);
  await ensureTrusted(context, sources, [await databaseUse(name, connection, upstream)]);
  const parameters = new Map([['application_name', 'dbguard explain']]);
  const control = new ControlConnection(() => connectUpstream(upstream, parameters));
  try {
    // first, for an error in words of its own
    await control.ask('SELECT 1', [], connectPatienceMs);
    const analyser = await readAnalyser(control, grammar);
    if (analyser === undefined) throw unreadable(name);
    return await use(analyser);
  } finally {
    await control.close();
  }
}

function unreadable(name: string): DbguardError {
  return new DbguardError('upstream-unreachable', `the catalog of connection "${name}" could not be read`, {
    hint: 'Its login must be able to read pg_proc and pg_class (PostgreSQL 14 and later). --offline judges without it.',
  });
}

/** What an approver's own login sees of the tables that a request is about: on the connection of that name in their own settings. */
import type { OwnView } from '../../approval/second-person/shown.js';
import { messageOf } from '../../errors.js';
import { ControlConnection } from '../../io/catalog/control-connection.js';
import { measureTables } from '../../io/catalog/impact.js';
import type { LoadedConfig } from '../../io/files/config-files.js';
import { connectUpstream } from '../../io/upstream/connect.js';
import { combineConfigs } from '../../policy/combine.js';
import type { ApprovalRequest } from '../../proxy/statement/asker.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { upstreamOf } from '../settings/connection.js';
import { refuseUntrusted } from '../settings/trusted.js';
import { databaseUse } from '../settings/uses.js';

const connectMs = 10_000;

/** Nobody needs a database to answer: whatever is in the way is said, and the rest is shown all the same. */
export function ownView(
  context: CommandContext,
  sources: readonly LoadedConfig[],
): (about: ApprovalRequest) => Promise<OwnView> {
  return async ({ connection: name, database, facts }) => {
    try {
      const connection = combineConfigs(sources).connections.get(name);
      if (connection === undefined) return { not: `your settings have no connection ${singleLine(name, 60)}` };
      const named = upstreamOf(connection, name, context.env);
      const { databases } = connection;
      if (database !== named.database && databases !== 'any' && !databases.includes(database)) {
        return {
          not: `your connection ${singleLine(name, 60)} does not go to the database ${singleLine(database, 60)}`,
        };
      }
      const upstream = { ...named, database };
      refuseUntrusted(context, sources, [await databaseUse(name, connection, upstream)]);
      const parameters = new Map([['application_name', 'dbguard approvals']]);
      const signal = AbortSignal.timeout(connectMs);
      const control = new ControlConnection(() => connectUpstream(upstream, parameters, { signal }));
      try {
        return { lines: await measureTables(facts, control) };
      } finally {
        await control.close();
      }
    } catch (error) {
      return { not: singleLine(messageOf(error), 200) };
    }
  };
}

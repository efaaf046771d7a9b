/** The connection that a command is about, from its name in dbguard.yaml to where the server is. */
import { DbguardError } from '../../errors.js';
import type { UpstreamConfig } from '../../io/upstream/config.js';
import { storedProofs } from '../../io/upstream/proofs-file.js';
import { rdsTokens } from '../../io/upstream/rds-tokens.js';
import { resolveUpstream } from '../../io/upstream/resolve.js';
import type { CompiledPolicy } from '../../policy/engine.js';
import type { ConnectionConfig } from '../../policy/read-connection.js';

/** `--connection`, else the configuration's default. */
export function chooseConnection(
  files: Pick<CompiledPolicy, 'config'>,
  wanted: string | undefined,
): { name: string; connection: ConnectionConfig } {
  const { connections, defaultConnection } = files.config;
  const name = wanted ?? defaultConnection;
  const known = [...connections.keys()];
  const connection = name === undefined ? undefined : connections.get(name);
  if (name !== undefined && connection) return { name, connection };
  const listed = known.length > 0 ? `dbguard.yaml has: ${known.join(', ')}.` : 'Add one under "connections".';
  if (name === undefined) {
    throw new DbguardError('connection-unknown', 'no connection was chosen', {
      hint: `${listed} Name one with --connection, or set default_connection.`,
    });
  }
  throw new DbguardError('connection-unknown', `there is no connection "${name}"`, { hint: listed });
}

export function upstreamOf(connection: ConnectionConfig, name: string, env: NodeJS.ProcessEnv): UpstreamConfig {
  const overrides = {
    ...(connection.service === undefined ? {} : { service: connection.service }),
    ...(connection.applicationName === undefined ? {} : { application_name: connection.applicationName }),
  };
  try {
    const resolved = resolveUpstream(
      {
        ...(connection.url === undefined ? {} : { url: connection.url }),
        ...(connection.passwordCommand === undefined ? {} : { passwordCommand: connection.passwordCommand }),
        overrides,
      },
      env,
    );
    const { rdsIam } = connection;
    const minted = rdsIam && { password: undefined, minted: rdsTokens(rdsIam.region, env) };
    return { ...resolved, auth: { ...resolved.auth, ...minted }, proofs: storedProofs(env) };
  } catch (error) {
    if (!(error instanceof DbguardError)) throw error;
    const hint = error.hint ?? 'Check it in dbguard.yaml.';
    throw new DbguardError(error.code, `connection "${name}": ${error.message}`, { hint, cause: error });
  }
}

/** Where the connection is on request: who is asked for it, and in which words. */
import { ConnectionOnRequest, type OnRequestParts } from '../../proxy/statement/connection-on-request.js';
import type { OpenIdentity } from './open-identity.js';
import type { Setup } from './setup.js';

export function openOnRequest(
  { options, policy, name, connection, upstream }: Setup,
  { credential, subject, users }: OpenIdentity,
  parts: Pick<OnRequestParts, 'recorder' | 'windows' | 'asker' | 'endSession'>,
): ConnectionOnRequest | undefined {
  const { access, environment, place } = connection;
  if (access === undefined) return undefined;
  const waitMs = access.decision === 'second-person' ? policy.secondPerson?.waitMs : undefined;
  return new ConnectionOnRequest({
    ...parts,
    access,
    now: () => Date.now(),
    patienceMs: waitMs ?? policy.approvalTimeoutMs,
    who: {
      ...{ sid: credential.sid, agent: options.agent, subject, connection: name, environment },
      ...{ database: upstream.database, user: users.own.as.login },
    },
    origin: `${place.file}:${place.line}`,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  });
}

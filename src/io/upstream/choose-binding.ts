/** Whether a SCRAM exchange is bound to its TLS connection: what is asked for, what is offered, what is there. */
import type { ChannelBinding } from '../../wire/scram-client.js';
import { scramSha256Plus } from '../../wire/scram-messages.js';
import type { UpstreamAuth } from './config.js';
import { authFailure } from './failure.js';
import type { TlsSession } from './tls-session.js';

/** libpq's rules ("channel_binding"), and RFC 5802 section 6 for the flag that gives a downgrade away. */
export function chooseBinding(
  { channelBinding }: UpstreamAuth,
  tls: TlsSession | undefined,
  mechanisms: readonly string[],
  label: string,
): ChannelBinding {
  const offered = mechanisms.includes(scramSha256Plus);
  if (channelBinding !== 'disable' && tls && offered && tls.certificateHash) {
    return { kind: 'tls-server-end-point', certificateHash: tls.certificateHash };
  }
  if (channelBinding === 'require') {
    const why = !tls
      ? 'the connection has no TLS'
      : offered
        ? "the server's certificate has a signature without a hash function (RFC 5929)"
        : 'the server does not offer it';
    throw authFailure(
      `channel_binding=require, but ${label} cannot be bound: ${why}`,
      'Use sslmode=require or better and SCRAM on PostgreSQL 11 or later; a pooler in between may end TLS.',
    );
  }
  // Offered but not usable here: "n", or a server that did offer it would take us for the victim of a downgrade.
  if (channelBinding === 'prefer' && tls && !offered) return { kind: 'not-offered' };
  return { kind: 'none' };
}

/** Everything that can go wrong between us and the server, in words for a person. */

import { DbguardError, type ErrorCode, type ErrorDetails } from '../../errors.js';
import { socketWords } from '../../socket-words.js';
import { printable } from '../../untrusted-text.js';
import type { ResponseFields } from '../../wire/backend.js';
import { foreignFenceHint } from '../fence/foreign-fence.js';

export interface ServerResponse {
  readonly fields: ResponseFields;
  /** The whole ErrorResponse message, header included, to pass on unchanged. */
  readonly raw: Buffer;
}

/** A connection that could not be made. `response` is there when the server itself said no. */
export class UpstreamError extends DbguardError {
  readonly response: ServerResponse | undefined;
  /** SQLSTATE of `response`. */
  readonly sqlState: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails & { response?: ServerResponse } = {}) {
    super(code, message, details);
    this.name = 'UpstreamError';
    this.response = details.response;
    this.sqlState = details.response?.fields.get('C');
  }
}

interface Attempted {
  readonly label: string;
  readonly user: string;
  readonly database: string;
}

/** The server's FATAL during startup. `passwordNote` tells what was wrong with our password sources, if anything. */
export function refusedByServer(response: ServerResponse, target: Attempted, passwordNote?: string): UpstreamError {
  const { fields } = response;
  const said = fields.get('M') ?? 'no reason given';
  const state = fields.get('C') ?? '';
  const known = refusals[state] ?? (state.startsWith('28') ? refusals['28000'] : undefined);
  const hint = known?.hint(target) ?? fields.get('H');
  const note = passwordNote ? `${passwordNote} ` : '';
  return new UpstreamError(known?.code ?? 'upstream-unreachable', `${target.label} refused the connection: ${said}`, {
    response,
    ...(hint === undefined && !note ? {} : { hint: `${note}${hint ?? ''}`.trim() }),
  });
}

/** An error before the server could speak the protocol; `text` ends at a NUL and may come from anybody. */
export function refusedInPlainText(label: string, text: Buffer): UpstreamError {
  const said = text.toString('latin1').split('\0', 1)[0] ?? '';
  return new UpstreamError('upstream-unreachable', `${label} refused the connection: ${printable(said)}`, {
    hint: "Look at the server's log: it may be out of memory or processes.",
  });
}

const refusals: Readonly<Record<string, { code: ErrorCode; hint: (target: Attempted) => string }>> = {
  '28P01': {
    code: 'upstream-auth',
    hint: ({ user }) => `Check the password of "${user}" in the connection, PGPASSWORD, .pgpass or password_command.`,
  },
  '28000': {
    code: 'upstream-auth',
    hint: ({ user, database }) =>
      `Check that the role "${user}" exists, may log in, and that pg_hba.conf lets it into "${database}" from here with this sslmode.`,
  },
  '3D000': {
    code: 'upstream-unreachable',
    hint: ({ database }) => `Check the database name "${database}" in the connection; psql -l lists what there is.`,
  },
  '42501': {
    code: 'upstream-auth',
    hint: ({ user, database }) => `Grant CONNECT on database "${database}" to "${user}", or use another role.`,
  },
  '53300': {
    code: 'upstream-unreachable',
    hint: () =>
      'No connection slot is left: close idle ones, or raise max_connections or the limit of the role or database.',
  },
  '57P03': {
    code: 'upstream-unreachable',
    hint: () => 'The server is starting up, shutting down or recovering: try again in a moment.',
  },
};

const systemErrors: Readonly<Record<string, { said?: string; hint: string }>> = {
  ECONNREFUSED: {
    hint: 'Check host and port, and that the server runs and accepts TCP connections (listen_addresses).',
  },
  ENOENT: {
    said: 'there is no such socket',
    hint: 'Check the socket folder in `host` and the port, and that the server runs on this machine.',
  },
  ENAMETOOLONG: {
    said: 'its path is longer than a socket may have',
    hint: 'Give the server a socket folder with a shorter path (unix_socket_directories), or use TCP.',
  },
  ENOTDIR: {
    said: 'its folder is no folder',
    hint: 'Check the socket folder in `host`.',
  },
  EPERM: { said: 'the system forbids it', hint: 'This process may not connect to it.' },
  EACCES: { said: 'permission denied', hint: 'This user may not open the socket; check its permissions.' },
  ENOTFOUND: {
    hint: 'Check the spelling of the host; a VPN may be needed to resolve it.',
  },
  EAI_AGAIN: { hint: 'Check the network and the name server, then try again.' },
  ETIMEDOUT: { hint: 'Check the network, VPN and firewall between here and the server.' },
  EHOSTUNREACH: { hint: 'Check the network, VPN and firewall between here and the server.' },
  ENETUNREACH: { hint: 'Check the network, VPN and firewall between here and the server.' },
  ECONNRESET: {
    hint: "Something between here and the server closed it: look at the server's log and at firewalls and poolers.",
  },
};

/** A failed lookup, connect or read; `error` is Node's. */
export function unreachable(label: string, error: unknown): UpstreamError {
  const systemCode = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (systemCode.startsWith('ERR_SSL_')) {
    // With TLS 1.3 the server judges our certificate after the handshake is over for us.
    return tlsFailure(
      `${label} ended the TLS connection: ${systemCode.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ')}`,
      'Check the client certificate (sslcert, sslkey) and that the server trusts the CA that issued it.',
      error,
    );
  }
  const known = systemErrors[systemCode];
  const said = known?.said ?? socketWords(systemCode) ?? systemCode;
  const hint = known?.hint ?? 'Check host, port and the network.';
  return new UpstreamError('upstream-unreachable', `cannot reach ${label}: ${said}`, {
    hint: `${hint}${foreignFenceHint(systemCode)}`,
    cause: error,
  });
}

export function timedOut(label: string, milliseconds: number): UpstreamError {
  return new UpstreamError('upstream-unreachable', `${label} did not answer within ${milliseconds / 1000} s`, {
    hint: 'Check the network, VPN and firewall, or raise connect_timeout.',
  });
}

export function closedEarly(label: string): UpstreamError {
  return new UpstreamError('upstream-unreachable', `${label} closed the connection before it was ready`, {
    hint: "Look at the server's log; a pooler or firewall in between may have closed it.",
  });
}

export function tlsFailure(message: string, hint: string, cause?: unknown): UpstreamError {
  return new UpstreamError('upstream-tls', message, { hint, ...(cause === undefined ? {} : { cause }) });
}

/** A mistake in the connection's own settings or files: no other host or way would help. */
export function unusable(message: string, hint: string, cause?: unknown): UpstreamError {
  return new UpstreamError('config-invalid', message, { hint, ...(cause === undefined ? {} : { cause }) });
}

export function protocolFailure(label: string, message: string): UpstreamError {
  return new UpstreamError('upstream-protocol', `${label} does not speak PostgreSQL as expected: ${message}`, {
    hint: 'Check that host and port belong to a PostgreSQL server.',
  });
}

export function authFailure(message: string, hint: string): UpstreamError {
  return new UpstreamError('upstream-auth', message, { hint });
}

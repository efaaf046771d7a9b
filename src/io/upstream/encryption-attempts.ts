/** sslmode as the ways to connect that it allows, in order. Source: PostgreSQL manual, "SSL Mode Descriptions". */
import type { SslMode } from './config.js';
import type { Endpoint } from './dial.js';
import { UpstreamError } from './failure.js';

export type Way = 'plain' | 'tls' | 'tls-if-offered';

const waysOf: Readonly<Record<SslMode, readonly Way[]>> = {
  disable: ['plain'],
  allow: ['plain', 'tls'],
  prefer: ['tls-if-offered', 'plain'],
  require: ['tls'],
  'verify-ca': ['tls'],
  'verify-full': ['tls'],
};

/**
 * The second way is tried when the server refuses the first. On a unix socket sslmode means nothing, as in libpq.
 * `connect` calls `declined` when the server had no TLS to offer: what fails after that would fail again.
 */
export async function eachWay<T>(
  endpoint: Endpoint,
  mode: SslMode,
  connect: (way: Way, declined: () => void) => Promise<T>,
): Promise<T> {
  const [first = 'plain', second] = endpoint.unix ? [] : waysOf[mode];
  let nothingElse = second === undefined;
  const declined = () => {
    nothingElse = true;
  };
  try {
    return await connect(first, declined);
  } catch (error) {
    if (second === undefined || nothingElse || !(error instanceof UpstreamError) || !otherWayMayHelp(error))
      throw error;
    try {
      return await connect(second, declined);
    } catch (secondError) {
      throw tellsMore(secondError, error, second === 'tls') ? secondError : error;
    }
  }
}

/** A wrong password stays wrong: trying it twice only brings the lock-out of the account nearer. */
function otherWayMayHelp(error: UpstreamError): boolean {
  if (error.response) return error.sqlState !== '28P01';
  return error.code === 'upstream-tls';
}

/**
 * The server's own words say more than what follows from having asked again without TLS; of two alike, those that the
 * encrypted way has got: the other's "no encryption" would send people to look for what is not amiss.
 */
function tellsMore(second: unknown, first: UpstreamError, secondIsTls: boolean): boolean {
  if (!(second instanceof UpstreamError)) return true;
  if (second.sqlState === '28P01') return true;
  if (first.response === undefined) return false;
  if (second.response === undefined) return false;
  return second.sqlState !== first.sqlState || secondIsTls;
}

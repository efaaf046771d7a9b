/** Which host and which of its addresses is tried next, and what is told when none would do. */
import { randomInt } from 'node:crypto';
import type { UpstreamHost } from './config.js';
import { type Endpoint, endpointsOf } from './dial.js';
import { UpstreamError } from './failure.js';

/** A server that let us in, but is not of the kind that target_session_attrs names. */
export class WrongServer extends UpstreamError {
  constructor(label: string, attrs: string) {
    super('upstream-unreachable', `${label} is not what target_session_attrs=${attrs} asks for`, {
      hint: 'No host of the connection is of that kind now: check the hosts, or whether a failover is going on.',
    });
  }
}

/** As libpq: after trouble on the way, or a server that is not up or the wrong one; not after a refused login. */
export function nextHostMayHelp(error: UpstreamError): boolean {
  if (error.response) return error.sqlState === '57P03';
  return error.code !== 'upstream-auth' && error.code !== 'config-invalid';
}

/** Each address of each host until one connects. Rejects with UpstreamError, or at once with anything else. */
export async function firstOf<T>(
  hosts: readonly UpstreamHost[],
  random: boolean,
  connect: (endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  const failures: UpstreamError[] = [];
  const keep = (error: unknown): void => {
    if (!(error instanceof UpstreamError) || !nextHostMayHelp(error)) throw error;
    failures.push(error);
  };
  for (const host of inOrder(hosts, random)) {
    let endpoints: readonly Endpoint[] = [];
    try {
      endpoints = inOrder(await endpointsOf(host), random);
    } catch (error) {
      keep(error);
    }
    for (const endpoint of endpoints) {
      try {
        return await connect(endpoint);
      } catch (error) {
        keep(error);
      }
    }
  }
  throw summary(failures);
}

/** The one error, or one for all that holds each host's own; the code and hint of the last, which was tried longest. */
function summary(failures: readonly UpstreamError[]): UpstreamError {
  const last = failures[failures.length - 1];
  if (!last) return new UpstreamError('upstream-unreachable', 'the name of the host has no address');
  const messages = [...new Set(failures.map((failure) => failure.message))];
  if (messages.length === 1) return last;
  const response = failures.find((failure) => failure.response)?.response;
  return new UpstreamError(last.code, `no host of the connection could be used: ${messages.join('; ')}`, {
    ...(last.hint === undefined ? {} : { hint: last.hint }),
    ...(response ? { response } : {}),
    cause: last,
  });
}

/** load_balance_hosts=random: a shuffled copy, each item put at a random place among those before it. */
function inOrder<T>(items: readonly T[], random: boolean): readonly T[] {
  if (!random) return items;
  const shuffled: T[] = [];
  for (const item of items) {
    const place = randomInt(shuffled.length + 1);
    shuffled.splice(place, 0, item);
  }
  return shuffled;
}

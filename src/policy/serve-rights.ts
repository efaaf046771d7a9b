/**
 * Whom a gateway lets in, and to what: `people`, `services`, `groups` and `revoked` of `serve`, as pure functions of what
 * an issuer signed. Asked when somebody comes, and again and again while they are there.
 */
import { globMatches } from './name-pattern.js';
import type { Revocation, ServeConfig, ServeGrant } from './read-serve.js';

/** As the issuer says. Times in milliseconds since 1970 UTC. */
export interface Guest {
  readonly issuer: string;
  readonly sub: string;
  /** Confirmed by the issuer. */
  readonly email?: string | undefined;
  readonly groups: readonly string[];
  /** Of an issuer of workloads. */
  readonly service: boolean;
  /** Of an issuer of people; one issuer may be both. */
  readonly person: boolean;
  readonly tokenId?: string | undefined;
  readonly issuedAt: number;
}

/** What a connection was opened with. The first grant that names it counts. */
export interface GuestRight {
  readonly grant: ServeGrant;
  readonly connection: string;
}

/** Every connection that is open to them. */
export function rightsOf(guest: Guest, { grants }: Pick<ServeConfig, 'grants'>): GuestRight[] {
  const rights = new Map<string, GuestRight>();
  for (const grant of grants) {
    if (!isFor(grant, guest)) continue;
    for (const connection of grant.connections) {
      if (!rights.has(connection)) rights.set(connection, { grant, connection });
    }
  }
  return [...rights.values()];
}

function isFor({ kind, name, issuer }: ServeGrant, guest: Guest): boolean {
  switch (kind) {
    case 'person':
      return guest.person && [guest.email, guest.sub].some((one) => one !== undefined && globMatches(name, one));
    case 'service':
      return guest.service && (issuer === undefined || issuer === guest.issuer) && globMatches(name, guest.sub);
    // what an issuer of workloads calls a group, a job's author may have written
    case 'group':
      return guest.person && guest.groups.includes(name);
  }
}

export function isRevoked(guest: Guest, revoked: readonly Revocation[]): boolean {
  return revoked.some((one) =>
    'token' in one
      ? one.token === guest.tokenId
      : guest.issuedAt < one.before && [guest.email, guest.sub].includes(one.person),
  );
}

/** Throws nothing: a sentence for each grant that means nothing, or more than one thing. */
export function serveProblems(
  { grants }: Pick<ServeConfig, 'grants'>,
  connections: ReadonlyMap<string, { readonly users: ReadonlyMap<string, unknown> }>,
  workloadIssuers: readonly string[],
): string[] {
  const problems: string[] = [];
  for (const { kind, name, issuer, connections: named, users } of grants) {
    const whose = `serve.${kind === 'person' ? 'people' : `${kind}s`}.${name}`;
    for (const one of named) {
      const connection = connections.get(one);
      if (connection === undefined) problems.push(`${whose}: there is no connection "${one}"`);
      const unknown = users.filter((user) => connection !== undefined && !connection.users.has(user));
      if (unknown.length > 0) problems.push(`${whose}: the connection "${one}" has no users ${unknown.join(', ')}`);
    }
    if (kind !== 'service') continue;
    if (workloadIssuers.length === 0) problems.push(`${whose}: identity.workload_issuers names no issuer of services`);
    if (issuer === undefined && workloadIssuers.length > 1)
      problems.push(`${whose}: say which "issuer": the same name at another one is somebody else`);
    if (issuer !== undefined && !workloadIssuers.includes(issuer))
      problems.push(`${whose}: ${issuer} is none of identity.workload_issuers`);
  }
  return problems;
}

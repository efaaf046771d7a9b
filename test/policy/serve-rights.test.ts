/** Who gets in, by what which issuer says: the same words of another issuer are somebody else's. */
import t from 'tap';
import type { ServeGrant } from '../../src/policy/read-serve.js';
import { type Guest, isRevoked, rightsOf } from '../../src/policy/serve-rights.js';

const people = 'https://login.example.com';
const jobs = 'https://ci.example.com';
const grant = (kind: ServeGrant['kind'], name: string, more: Partial<ServeGrant> = {}): ServeGrant =>
  ({ kind, name, connections: [`of-${kind}`], users: [], ...more }) as ServeGrant;
const grants = [
  grant('person', 'ada@example.com'),
  grant('service', 'repo:shop', { issuer: jobs }),
  grant('group', 'dba'),
];
const open = (guest: Guest): string[] => rightsOf(guest, { grants }).map(({ connection }) => connection);
const guest: Guest = { issuer: people, sub: 'u1', groups: [], person: true, service: false, issuedAt: 1000 };

t.test('a grant is for its kind of guest, whatever a token of another issuer says', async (t) => {
  const claims = { sub: 'repo:shop', email: 'ada@example.com', groups: ['dba'] };
  const rows: readonly [string, Guest, readonly string[]][] = [
    ['a person and their group', { ...guest, ...claims }, ['of-person', 'of-group']],
    ['a job that says it is both', { ...guest, ...claims, issuer: jobs, person: false, service: true }, ['of-service']],
    ['a job of another issuer', { ...guest, ...claims, issuer: people, person: false, service: true }, []],
    ['nobody that is known', { ...guest, ...claims, person: false }, []],
    ['a person without an address', { ...guest, groups: ['DBA', 'dba2'] }, []],
  ];
  for (const [what, who, expected] of rows) t.strictSame(open(who), expected, what);
});

t.test('revoked: by its number, or all that were issued before', async (t) => {
  const revoked = [{ token: 'j1' }, { person: 'ada@example.com', before: 2000 }];
  t.ok(isRevoked({ ...guest, tokenId: 'j1' }, revoked));
  t.ok(isRevoked({ ...guest, email: 'ada@example.com' }, revoked));
  t.notOk(isRevoked({ ...guest, email: 'ada@example.com', issuedAt: 2000 }, revoked), 'what is issued anew counts');
  t.notOk(isRevoked(guest, revoked), 'a token without a number is not that of the list');
});

import t from 'tap';
import { parseConfig } from '../../src/policy/config.js';
import type { Level } from '../../src/policy/levels.js';
import { lintPolicy } from '../../src/policy/lint.js';

function lint(yaml: string, level: Level = 'user'): string[] {
  const config = parseConfig(`version: 1\n${yaml}`, 'f.yaml');
  return lintPolicy([{ level, config }]).map((one) => `${one.place.line} ${one.about}: ${one.message}`);
}

function rules(text: string, more = ''): string[] {
  const lines = text.trim().split('\n');
  return lint(`policy:\n${more}  rules:\n${lines.map((line) => `    - { ${line.trim()} }`).join('\n')}`);
}

t.test('a sensible file has no findings', async (t) => {
  t.strictSame(
    rules(`
      name: a, when: { environment: production, effect: [drop, truncate] }, then: deny
      name: b, when: { effect: update, rows: "> 1000" }, then: second-person
      name: c, when: { table: scratch.* }, then: allow
      name: d, when: { effect: drop }, then: ask
    `),
    [],
  );
});

const cases: readonly [name: string, text: string, expected: string][] = [
  [
    'covered by a stricter rule',
    `name: a, when: { effect: [drop, alter] }, then: deny
    name: b, when: { effect: drop, table: x }, then: ask`,
    '5 b: never decides: "a" (line 4) covers it and says deny',
  ],
  [
    'said twice',
    `name: a, when: { effect: drop }, then: deny
    name: b, when: { effect: drop }, then: deny`,
    '5 b: never decides: "a" (line 4) covers it and says deny',
  ],
  [
    'a condition that holds for everything',
    `name: b, when: { effect: drop, connection: x }, then: ask
    name: a, when: {}, then: deny`,
    '4 b: never decides: "a" (line 5)',
  ],
  [
    'a pattern that covers a pattern',
    `name: a, when: { connection: "prod-*" }, then: deny
    name: b, when: { connection: prod-eu }, then: ask`,
    '5 b: never decides',
  ],
  [
    'contradiction',
    `name: a, when: { table: scratch.* }, then: allow
    name: b, when: { table: scratch.* }, then: deny`,
    '4 a: contradicts "b" (line 5), which says deny to all of it',
  ],
  [
    'allowing what cannot be allowed',
    'name: a, when: { effect: unknown }, then: allow',
    '4 a: never decides: no rule can allow',
  ],
  [
    'unbounded without rows',
    'name: a, when: { effect: drop, bounded: false }, then: deny',
    '4 a: never fires: "bounded: false" is about rows, and drop has none',
  ],
  [
    'rows of what has none',
    'name: a, when: { effect: grant, rows: "> 1" }, then: deny',
    '4 a: never fires: "rows" is about',
  ],
  [
    'tables of what has none',
    'name: a, when: { effect: [transaction, role], table: x }, then: deny',
    '4 a: never fires: transaction, role names no table',
  ],
];

for (const [name, text, expected] of cases) {
  t.test(name, async (t) => {
    const found = rules(text);
    t.equal(found.length, 1, found.join('\n'));
    t.ok(found[0]?.startsWith(expected), found.join());
  });
}

t.test('conditions that are different do not cover each other', async (t) => {
  t.strictSame(
    rules(`
      name: a, when: { effect: drop, table: x }, then: deny
      name: b, when: { effect: drop }, then: ask
      name: c, when: { effect: [drop, alter], table: x }, then: ask
      name: d, when: { time: "08:00-18:00" }, then: ask
      name: e, when: { time: "08:00-19:00" }, then: deny
    `),
    [],
  );
});

t.test('against the profile of the same file', async (t) => {
  const ask = 'name: a, when: { effect: drop }, then: ask';
  t.match(rules(ask, '  profile: read-only\n'), [/never decides: the read-only profile is stricter about drop/]);
  t.strictSame(rules(ask, '  profile: guarded\n'), [], 'as strict, and it gives a reason');
  const allow = 'name: a, when: { effect: [cursor, prepare] }, then: allow';
  t.match(rules(allow, '  profile: guarded\n'), [/never decides: the guarded profile allows cursor, prepare anyway/]);
});

t.test('names of connections and environments', async (t) => {
  const file = (when: string) =>
    `connections: { shop: { url: "host=a" } }\npolicy: { rules: [ { name: a, when: ${when}, then: deny } ] }`;
  t.match(lint(file('{ connection: shpo }')), [/never fires: no connection is called shpo; there are shop/]);
  t.strictSame(lint(file('{ connection: [shpo, "sh*"] }')), []);
  t.match(lint(file('{ environment: staging }')), [/never fires: no connection is in staging/]);
  t.strictSame(lint(file('{ environment: production }')), []);
});

t.test('what a repository says in vain', async (t) => {
  const found = lint(
    'policy: { profile: observe, offline: allow, functions: [f], rules: [ { name: a, when: { effect: drop }, then: allow } ] }',
    'repository',
  );
  t.match(found, [
    /policy\.profile/,
    /policy\.functions/,
    /policy\.offline/,
    /a: never decides: a repository can only/,
  ]);
  t.strictSame(lint('policy: { profile: read-only }', 'repository'), []);
});

t.test('masks and names that come twice', async (t) => {
  t.match(lint('mask:\n  - { column: a.b, with: null }\n  - { column: A.B, with: hash }'), [/4 mask A\.B: .* line 3/]);
  const config = (file: string) =>
    parseConfig('version: 1\npolicy: { rules: [ { name: a, when: { effect: drop }, then: deny } ] }', file);
  const found = lintPolicy([
    { level: 'repository', config: config('r.yaml') },
    { level: 'user', config: config('u.yaml') },
  ]);
  t.match(found, [{ place: { file: 'r.yaml' }, message: 'a rule of this name is in u.yaml:2 too' }]);
});

t.test('a password that the agent can read', (t) => {
  const connection = (url: string) => lint(`connections: { shop: { url: "${url}" } }`);
  const found = /shop: the url holds a password, which the agent can read in this file; .*password_command/;
  for (const url of [
    'postgresql://app:secret@db/shop',
    'postgres://app:se%40cret@db',
    'postgresql://app@db/shop?password=secret',
    'host=db password=secret',
    'password = secret host=db',
  ]) {
    t.match(connection(url), [found], url);
  }
  for (const url of [
    'postgresql://app@db:5432/shop',
    'host=db passfile=/p user=app',
    'postgresql://db?sslmode=require',
  ]) {
    t.strictSame(connection(url), [], url);
  }
  t.end();
});

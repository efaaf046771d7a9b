import t from 'tap';
import { DbguardError } from '../../src/errors.js';
import { parseConfig } from '../../src/policy/config.js';

const full = `version: 1
identity:
  issuer: https://login.example.com
  client_id: dbguard
  client_secret_env: DBGUARD_CLIENT_SECRET
  scopes: [openid, email]
  audience: dbguard-production
  minimum_level: nonce
  max_login_age: 12h
connections:
  shop:
    url: postgresql://app@db.example.com/shop?sslmode=verify-full
    password_command: [pass, show, shop]
    databases: [shop, shop_archive]
    environment: staging
    application_name: agent
  legacy:
    service: legacy
    databases: any
default_connection: shop
bucket:
  url: s3://acme-dbguard/teams/shop/
  region: eu-central-1
  role_arn: arn:aws:iam::123456789012:role/dbguard
  object_lock_days: 365
  sse: aws:kms
policy:
  profile: guarded
  approval: { timeout: 90s }
  offline: deny
  limits: { statement_bytes: 4MiB, connections: 20 }
  functions: [app.refresh_totals]
  rules:
    - name: no-production-ddl
      when: { environment: production, effect: [create, alter, drop], time: "08:00-18:00", weekday: [mon, fri], timezone: Europe/Berlin }
      then: deny
      reason: Schema changes go through migrations.
    - name: big-updates
      when: { effect: update, table: [billing.*, '"Orders"'], rows: "> 1_000" }
      then: second-person
mask:
  - { column: public.customers.ssn, with: null }
  - { column: email, with: partial, keep: 4 }
  - { column: people.born, with: date, keep: year }
  - { column: "*.notes", with: fixed, value: "***" }
`;

t.test('every key of the format is read', async (t) => {
  const config = parseConfig(full, 'dbguard.yaml');
  t.strictSame(config.identity, {
    issuer: 'https://login.example.com',
    clientId: 'dbguard',
    clientSecretEnv: 'DBGUARD_CLIENT_SECRET',
    scopes: ['openid', 'email'],
    audience: 'dbguard-production',
    minimumLevel: 'nonce',
    maxLoginAgeMs: 43_200_000,
  });
  const shop = config.connections.get('shop');
  t.strictSame(shop?.passwordCommand, ['pass', 'show', 'shop']);
  t.strictSame(shop?.databases, ['shop', 'shop_archive']);
  t.equal(shop?.environment, 'staging');
  t.match(config.connections.get('legacy'), { service: 'legacy', databases: 'any', environment: 'production' });
  t.equal(config.defaultConnection, 'shop');
  t.match(config.bucket, { kind: 's3', bucket: 'acme-dbguard', prefix: 'teams/shop', objectLockDays: 365 });
  t.match(config.policy, {
    profile: 'guarded',
    approvalTimeoutMs: 90_000,
    offline: 'deny',
    limits: { statementBytes: 4 * 1024 * 1024, connections: 20 },
  });
  const [ddl, big] = config.policy.rules;
  t.strictSame(ddl?.when, {
    environment: ['production'],
    effect: ['create', 'alter', 'drop'],
    time: { from: 480, to: 1080 },
    weekday: ['mon', 'fri'],
    timezone: 'Europe/Berlin',
  });
  t.match(full.split('\n')[(ddl?.place.line ?? 0) - 1], 'name: no-production-ddl');
  t.strictSame(big?.when.rows, { operator: '>', rows: 1000 });
  t.strictSame(
    big?.when.table?.map((one) => one.parts),
    [['billing', '*'], ['Orders']],
  );
  t.strictSame(
    config.mask.map((one) => one.mask),
    [
      { kind: 'null' },
      { kind: 'partial', first: 0, last: 4 },
      { kind: 'date', keep: 'year' },
      { kind: 'fixed', value: '***' },
    ],
  );
});

t.test('the smallest file', async (t) => {
  const config = parseConfig('version: 1', 'dbguard.yaml');
  t.equal(config.connections.size, 0);
  t.strictSame(config.policy.rules, []);
});

const connection = 'version: 1\nconnections:\n  a:\n    url: host=db\n';

/** File, then a part of the message that it must give. */
const broken: readonly [string, string][] = [
  ['', 'f.yaml:1:1: the file is empty'],
  ['hello', 'f.yaml:1:1: expected a mapping with version, requires, identity'],
  ['policy: {}', 'the key "version" is missing (for example version: 1)'],
  ['version: 2', 'f.yaml:1:10: version: expected a whole number from 1 to 1, found a number'],
  ['version: 1\npolcy: {}', 'f.yaml:2:1: polcy: unknown key. Did you mean "policy"?'],
  ['version: 1\nversion: 1', 'f.yaml:2:1: not valid YAML: Map keys must be unique'],
  ['version: 1\npolicy: [', 'not valid YAML'],
  ['version: 1\n---\nversion: 1', 'not valid YAML'],
  [
    'version: 1\npolicy:\n  profile: gaurded',
    'f.yaml:3:12: policy.profile: expected one of observe, guarded, read-only, migrations; "gaurded" is not one. Did you mean "guarded"?',
  ],
  [
    'version: 1\npolicy:\n  profile: [guarded]',
    'policy.profile: expected one of observe, guarded, read-only, migrations, found a list',
  ],
  ['version: 1\npolicy:\n  approval: { timeout: 60 }', 'policy.approval.timeout: expected a duration with its unit'],
  ['version: 1\npolicy:\n  approval: { timeout: 2h }', 'expected a time from 1s to 1h'],
  ['version: 1\npolicy:\n  limits: { statement_bytes: 1 }', 'expected a size with its unit'],
  [
    'version: 1\npolicy:\n  rules:\n    - { name: a, when: { efect: drop }, then: deny }',
    'f.yaml:4:26: policy.rules[0].when.efect: unknown key. Did you mean "effect"?',
  ],
  [
    'version: 1\npolicy:\n  rules:\n    - { name: a, when: { effect: [drop, dorp] }, then: deny }',
    'policy.rules[0].when.effect[1]: expected one of read, insert',
  ],
  [
    'version: 1\npolicy:\n  rules:\n    - { name: a, when: { effect: drop }, then: denied }',
    'policy.rules[0].then: expected one of allow, ask, second-person, deny; "denied" is not one',
  ],
  [
    'version: 1\npolicy:\n  rules:\n    - { name: a, when: { effect: drop } }',
    'f.yaml:4:7: policy.rules[0]: the key "then" is missing',
  ],
  [
    'version: 1\npolicy:\n  rules:\n    - { name: a, when: {}, then: ask }\n    - { name: a, when: {}, then: deny }',
    'two rules have the name "a", in lines 4 and 5',
  ],
  ['version: 1\npolicy:\n  rules:\n    - { name: "builtin:x", when: {}, then: allow }', 'belong to dbguard'],
  [
    'version: 1\npolicy:\n  rules:\n    - { name: a, when: { effect: [] }, then: deny }',
    'policy.rules[0].when.effect: the list is empty',
  ],
  ['version: 1\npolicy:\n  rules:\n    - { name: a, when: { rows: 1000 }, then: deny }', 'such as "> 1000"'],
  [
    'version: 1\npolicy:\n  rules:\n    - { name: a, when: { bounded: "no" }, then: deny }',
    'bounded: expected true or false, found a text',
  ],
  ['version: 1\npolicy:\n  rules:\n    - { name: a, when: { time: "22-06" }, then: deny }', '"22:00-06:00"'],
  [
    'version: 1\npolicy:\n  rules:\n    - { name: a, when: { time: "22:00-06:00", timezone: Mars/Olympus }, then: deny }',
    'IANA time zone',
  ],
  ['version: 1\npolicy:\n  rules:\n    - { name: a, when: { table: a.b.c }, then: deny }', 'expected schema.table'],
  ['version: 1\nconnections:\n  a: {}', 'connections.a: expected either "url" or "service"'],
  ['version: 1\nconnections:\n  a: { url: mysql://x }', 'connections.a.url: expected postgresql://'],
  [`${connection}default_connection: b`, 'f.yaml:5:21: default_connection: no connection has this name. Known: a.'],
  ['version: 1\nbucket: ftp://x', 'expected file:./folder or s3://bucket/prefix'],
  ['version: 1\nbucket: { url: "file:./x", region: y }', '"region" is for s3:// buckets only'],
  ['version: 1\nidentity: { client_id: x }', 'identity: the key "issuer" is missing'],
  ['version: 1\nidentity: { issuer: x, client_id: y }', 'identity.issuer: expected an https URL'],
  ['version: 1\nmask: [{ column: a.b.c.d, with: null }]', 'mask[0].column: expected schema.table.column'],
  ['version: 1\nmask: [{ column: a, with: blur }]', 'expected one of null, fixed, partial, pattern, hash, date'],
  ['version: 1\nmask: [{ column: a, with: partial }]', 'the key "keep" is missing'],
  ['version: 1\nmask: [{ column: a, with: hash, keep: 2 }]', '"keep" goes with'],
  ['version: 1\nmask: [{ column: a, with: pattern, pattern: "####" }]', 'a pattern without "*" hides nothing'],
  ['version: 1\nmask: [{ column: a, with: round, to: 0 }]', 'expected a number above 0'],
  ['version: 1\nmask: [{ column: a, with: bucket, bounds: [3, 2] }]', 'expected bounds in ascending order'],
  ['version: 1\nmask: [{ column: a, with: json }]', 'needs either "hide" or "show"'],
  ['version: 1\nmask: [{ column: a, with: json, hide: ssn }]', 'expected a path such as $.contact.email'],
  ['version: 1\nmask: [{ column: a, with: detected, what: [mail] }]', 'expected one of email, card, iban'],
  ['version: 1\nmask_key: c2hvcnQ=', 'expected a key of 32 bytes in base64'],
  ['version: 1\npolicy: &p {}\nmask: *p', 'anchors and aliases are not supported'],
  ['version: 1\npolicy: !!js/function x', 'not valid YAML'],
];

for (const [text, expected] of broken) {
  t.test(`refused: ${expected}`, async (t) => {
    t.throws(() => parseConfig(text, 'f.yaml'), DbguardError);
    try {
      parseConfig(text, 'f.yaml');
    } catch (error) {
      t.equal((error as DbguardError).code, 'config-invalid');
      t.ok((error as Error).message.includes(expected), (error as Error).message);
    }
  });
}

t.test('all problems are told at once, in order of the file', async (t) => {
  const text =
    'version: 1\npolicy:\n  profile: x\n  rules:\n    - { name: a, when: { effect: y }, then: z }\nnope: 1\n';
  try {
    parseConfig(text, 'f.yaml');
    t.fail('accepted');
  } catch (error) {
    const lines = (error as Error).message.split('\n');
    t.strictSame(
      lines.map((line) => line.split(': ').slice(0, 2).join(' ')),
      [
        'f.yaml:3:12 policy.profile',
        'f.yaml:5:34 policy.rules[0].when.effect',
        'f.yaml:5:45 policy.rules[0].then',
        'f.yaml:6:1 nope',
      ],
    );
  }
});

t.test('no secret of the file gets into an error', async (t) => {
  const secret = 'hunter2-secret';
  const files = [
    `version: 1\nconnections:\n  a: { url: "mysql://app:${secret}@db" }`,
    `version: 1\nconnections:\n  a: { url: "postgres://app:${secret}@db", service: x }`,
    `version: 1\nidentity: { issuer: "https://a:${secret}@x", client_id: ${secret} }`,
    `version: 1\nidentity: { issuer: "https://x", client_id: y, client_secret_env: "${secret}" }`,
    `version: 1\nconnections:\n  a: { url: "postgres://app:${secret}@db"\n`,
  ];
  for (const text of files) {
    try {
      parseConfig(text, 'f.yaml');
      t.fail('accepted');
    } catch (error) {
      t.notOk(`${error} ${(error as DbguardError).hint}`.includes(secret), `${error}`);
    }
  }
});

t.test('control characters of the file do not reach a terminal', async (t) => {
  try {
    parseConfig('version: 1\npolicy: { profile: "a\\e[31mb" }', 'f.yaml');
    t.fail('accepted');
  } catch (error) {
    t.notOk((error as Error).message.includes('\u001b'));
  }
});

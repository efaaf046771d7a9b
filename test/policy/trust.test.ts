/** The law of policy/trust.ts, over every key of the table: what leads somewhere asks again when it changes, nothing else does. */
import fc from 'fast-check';
import t from 'tap';
import { parseConfig } from '../../src/policy/config.js';
import { configKeys, type Standing } from '../../src/policy/config-keys.js';
import type { Level } from '../../src/policy/levels.js';
import { claimOf, judgeUses, notTrusted, type Use } from '../../src/policy/trust.js';

/** Two values for each key that leads somewhere or describes: sections whose keys a use is about. */
const samples = {
  identity: {
    issuer: ['https://a.example', 'https://b.example'],
    client_id: ['one', 'two'],
    client_secret_env: ['DBGUARD_A', 'DBGUARD_B'],
    scopes: ['[openid]', '[openid, email]'],
    audience: ['one', 'two'],
    workload_issuers: ['[https://a.example]', '[https://b.example]'],
    minimum_level: ['nonce', 'dpop'],
    max_login_age: ['1h', '2h'],
    gateway: undefined, // refused
  },
  connection: {
    url: ['postgresql://a/x', 'postgresql://a/y'],
    service: undefined, // instead of url: below
    password_command: undefined, // refused
    rds_iam: undefined, // refused
    temporary_login: undefined, // refused
    database: ['one', 'two'],
    databases: undefined, // instead of database: below
    environment: ['staging', 'development'],
    application_name: ['one', 'two'],
    users: ['{a: {role: x}}', '{a: {role: y}}'],
    access: ['on-request', '{for: 1h}'],
    record: ['{terminal: on}', '{terminal: on, keep: 1d}'],
  },
  bucket: {
    url: ['s3://one/x', 's3://two/x'],
    region: ['eu-west-1', 'eu-west-2'],
    endpoint: ['https://a.example', 'https://b.example'],
    role_arn: ['arn:aws:iam::123456789012:role/a', 'arn:aws:iam::123456789012:role/b'],
    object_lock_days: ['1', '2'],
    sse: ['AES256', 'aws:kms'],
  },
} satisfies { [S in 'identity' | 'connection' | 'bucket']: Record<keyof (typeof configKeys)[S], unknown> };

const sections = {
  identity: { about: 'identity', lead: 'identity:\n', indent: '  ' },
  connection: { about: 'connections.main', lead: 'connections:\n  main:\n', indent: '    ' },
  bucket: { about: 'bucket', lead: 'bucket:\n', indent: '  ' },
} as const;

function textOf(section: keyof typeof samples, changed?: string, order: 1 | -1 = 1): string {
  const { lead, indent } = sections[section];
  const keys = Object.entries(samples[section]).filter(([, values]) => values !== undefined);
  const lines = keys.map(([key, values]) => `${indent}${key}: ${(values as string[])[key === changed ? 1 : 0]}\n`);
  return `version: 1\n${lead}${(order === 1 ? lines : lines.reverse()).join('')}`;
}

const sourceOf = (text: string, level: Level = 'repository') => ({ level, config: parseConfig(text, 'dbguard.yaml') });
const using = (about: string, more: Partial<Use> = {}): Use => ({ about, to: 'there', carries: ['it'], ...more });
const digest = (text: string, about: string) => claimOf(using(about), [sourceOf(text)])?.digest;

for (const section of ['identity', 'connection', 'bucket'] as const) {
  const { about } = sections[section];
  t.test(section, async (t) => {
    const before = digest(textOf(section), about);
    t.ok(before);
    t.equal(digest(textOf(section, undefined, -1), about), before, 'the order of keys says nothing');
    for (const [key, standing] of Object.entries(configKeys[section]) as [string, Standing][]) {
      if ((samples[section] as Record<string, unknown>)[key] === undefined) continue;
      const after = digest(textOf(section, key), about);
      if (standing === 'bound') t.not(after, before, key);
      else t.equal(after, before, `${key} asks nothing`);
    }
  });
}

t.test('service in place of url, databases in place of database', async (t) => {
  const one = digest('version: 1\nconnections: {main: {service: a, databases: [x]}}\n', 'connections.main');
  t.not(digest('version: 1\nconnections: {main: {service: b, databases: [x]}}\n', 'connections.main'), one);
  t.not(digest('version: 1\nconnections: {main: {service: a, databases: any}}\n', 'connections.main'), one);
});

t.test('rules, masks, comments and other sections ask nothing', async (t) => {
  const text = textOf('bucket');
  const more = `# c\n${text}\nmask: [{column: a.b, with: null}]\npolicy: {profile: read-only}\nconnections: {x: {url: postgresql://z/}}\n`;
  t.equal(digest(more, 'bucket'), digest(text, 'bucket'));
});

t.test('nothing that an unknown file says is used where something would go, whatever the files above say', async () => {
  const level = fc.constantFrom<Level>('organisation', 'user', 'repository');
  const carries = fc.constantFrom<readonly string[]>([], ['the password']);
  const files = fc.uniqueArray(level, { minLength: 1, maxLength: 3 });
  const known = fc.boolean();
  fc.assert(
    fc.property(files, carries, known, fc.boolean(), (levels, what, isKnown, local) => {
      const sources = levels.map((one) => sourceOf(textOf('bucket'), one));
      const use = using('bucket', { carries: what, local });
      const claim = claimOf(use, sources);
      const onlyRepository = levels.length === 1 && levels[0] === 'repository';
      const trusted = isKnown && claim ? [claim] : [];
      const { unsaid, first } = judgeUses([use], sources, trusted);
      const mustAsk = onlyRepository && what.length > 0 && !isKnown && !local;
      return (
        (claim !== undefined) === onlyRepository &&
        unsaid.length === (mustAsk ? 1 : 0) &&
        first.length === (onlyRepository && what.length > 0 && !isKnown && local ? 1 : 0)
      );
    }),
  );
});

t.test('a local place is free once; another one is asked about, and so is a file it depends on', async (t) => {
  const [one, two] = [sourceOf('version: 1\nbucket: file:a\n'), sourceOf('version: 1\nbucket: file:b\n')];
  const use = using('bucket', { local: true });
  const { first } = judgeUses([use], [one], []);
  t.equal(first.length, 1);
  t.equal(judgeUses([use], [two], first).unsaid.length, 1);
  const other = { ...use, depends: 'another certificate' };
  t.equal(judgeUses([other], [one], first).unsaid.length, 1);
});

t.test('the sentence says what, where to, which line and what to do', async (t) => {
  const { unsaid } = judgeUses(
    [using('bucket', { to: 's3://x', carries: ['a', 'b', 'c'] })],
    [sourceOf(textOf('bucket'))],
    [],
  );
  const error = notTrusted(unsaid);
  t.equal(error.message, 'dbguard.yaml:2:1: bucket would send a, b and c to s3://x, and you have not said that it may');
  t.match(error.hint, /dbguard trust/);
  t.equal(error.exitCode, 77);
});

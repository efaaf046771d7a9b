/** A mask is lifted by a person, for its time, in its run; whatever else an agent or a repository tries. */
import t, { type Test } from 'tap';
import { combineConfigs } from '../../src/policy/combine.js';
import { parseConfig } from '../../src/policy/config.js';
import { compilePolicy } from '../../src/policy/engine.js';
import type { Level } from '../../src/policy/levels.js';
import type { Audience } from '../../src/policy/mask-audience.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { forSession, no, once, startAttendedProxy } from './attended-proxy.js';

const secret = 'vkjhq@secretmail.test';
const setup = `
  CREATE TABLE people (id int PRIMARY KEY, email text, ssn text);
  INSERT INTO people VALUES (1, '${secret}', 'QZXW-8137-LAST');`;
const masks = 'mask: [{ column: people.email, with: email }, { column: people.ssn, with: null }]';
const liftable = `${masks}\nunmask: [{ column: people.email, for: 30m }]`;
const ask = "SET dbguard.unmask = 'public.people.email'";

const audience: Audience = {
  subject: 'dev@example.test',
  groups: undefined,
  environments: ['production'],
  connection: 'test',
  agent: 'agent',
};

let server: TestPostgres;
t.before(async () => {
  server = await startPostgres({ auth: 'trust' });
});
t.teardown(() => server.stop());

const source = (level: Level, text: string) => ({ level, config: parseConfig(`version: 1\n${text}`, `${level}.yaml`) });

async function world(t: Test, files: readonly (readonly [Level, string])[], policy = '') {
  let clock = 0;
  const sources = files.map(([level, text]) => source(level, text));
  const one = await startAttendedProxy(t, server, setup, {
    policy: compilePolicy(policy === '' ? [] : [source('user', policy)]),
    masked: { config: combineConfigs(sources), audience, now: () => clock },
  });
  const sees = async (client: { query(sql: string): Promise<{ rows: unknown[] }> }): Promise<unknown> =>
    (await client.query('SELECT email FROM people')).rows;
  return { ...one, sees, later: (ms: number) => (clock += ms) };
}

const shown = [{ email: secret }];

t.test('what a person has allowed is shown in every connection, is recorded, and ends by itself', async (t) => {
  const { person, connect, sees, later, harness } = await world(t, [['user', liftable]]);
  const [agent, other] = [await connect(), await connect()];
  t.notSame(await sees(agent), shown);
  const asking = agent.query(ask);
  const pending = await person.sees(1);
  t.match(pending.request.ruling.reason, 'the real values of public.people.email for 30 minutes');
  t.notSame(await sees(other), shown, 'not while it waits');
  person.says(once);
  await asking;
  t.strictSame(await sees(agent), shown);
  t.strictSame(await sees(other), shown);
  t.strictSame((await agent.query('SELECT ssn FROM people')).rows, [{ ssn: null }], 'no other column');
  const statement = harness.recorder.of('statement').find((entry) => entry.disclosures.sql === ask);
  t.match(statement, { decision: 'ask', rule: 'builtin:unmask' });
  t.match(harness.recorder.of('verdict'), [{ of: statement?.n, decision: 'allow', by: 'person', scope: 'once' }]);
  later(30 * 60_000 + 1);
  t.notSame(await sees(agent), shown, 'its time is over');
  t.notSame(await sees(other), shown);
});

t.test('values do not outlive the exemption in what was made of them', async (t) => {
  const { person, connect, sees, later } = await world(t, [['user', liftable]]);
  const agent = await connect();
  const asking = agent.query(ask);
  await person.sees(1);
  person.says(once);
  await asking;
  t.strictSame(await sees(agent), shown);
  const copies = [
    'CREATE TEMP TABLE kept AS SELECT email FROM people',
    'SELECT email INTO TEMP kept FROM people',
    "SELECT set_config('x.y', email, false) FROM people",
    'SELECT pg_notify(email, email) FROM people',
  ];
  for (const copy of copies) await t.rejects(agent.query(copy), /masked/, copy);
  await agent.query('BEGIN; DECLARE c CURSOR FOR SELECT email FROM people');
  await agent.query('PREPARE p AS SELECT email FROM people');
  later(30 * 60_000 + 1);
  t.notSame((await agent.query('FETCH c')).rows, shown, 'a cursor');
  t.notSame((await agent.query('EXECUTE p')).rows, shown, 'a prepared statement');
});

t.test('nobody is asked for it, and nothing shown, where no file of the person’s says so', async (t) => {
  const cases: readonly (readonly [string, readonly (readonly [Level, string])[]])[] = [
    ['no rule', [['user', masks]]],
    ['a rule for another column', [['user', `${masks}\nunmask: [{ column: people.ssn, for: 1m }]`]]],
    [
      'what the organisation masks',
      [
        ['organisation', masks],
        ['user', 'unmask: [{ column: "*", for: 12h }]'],
      ],
    ],
    [
      'somebody else’s rule',
      [['user', `${masks}\nunmask: [{ column: people.email, for: 1h, when: { subject: lead@* } }]`]],
    ],
    [
      'a group that nobody confirms',
      [['user', `${masks}\nunmask: [{ column: people.email, for: 1h, when: { group: dba } }]`]],
    ],
  ];
  for (const [what, files] of cases) {
    const { person, connect, sees } = await world(t, files);
    const agent = await connect();
    await t.rejects(agent.query(ask), { code: '42501' }, what);
    t.notSame(await sees(agent), shown, what);
    t.equal(person.shown.length, 0, what);
  }
});

t.test('a repository’s file cannot say that a mask may be lifted', async (t) => {
  const repository = source('repository', 'unmask: [{ column: people.email, for: 1h }]');
  t.throws(() => combineConfigs([source('user', masks), repository]), {
    code: 'config-invalid',
    message: /repository.yaml:2:1: unmask: only your own file or the organisation’s/,
  });
});

t.test('an agent does not get it by itself', async (t) => {
  const allowAll = 'policy: { profile: observe, rules: [{ name: all, when: { command: SET }, then: allow }] }';
  const { person, connect, sees, harness } = await world(t, [['user', liftable]], allowAll);
  const agent = await connect();
  const denied = [
    "SELECT set_config('dbguard.unmask', 'public.people.email', false)",
    `${ask}; SELECT email FROM people`,
    `SELECT 1; ${ask}`,
    "DO $$ BEGIN SET dbguard.unmask = 'public.people.email'; END $$",
    "ALTER ROLE postgres SET dbguard.unmask = 'public.people.email'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET dbguard.unmask = 'public.people.email' AS 'SELECT 1'",
    "SET dbguard.unmask = 'public.people.*'",
    "SET dbguard.unmask = 'email'",
    'SET dbguard.unmask FROM CURRENT',
  ];
  for (const sql of denied) await agent.query(sql).catch(() => undefined);
  t.notSame(await sees(agent), shown, 'whatever became of those');
  t.equal(person.shown.length, 0, 'and nobody was asked');
  const asking = t.rejects(agent.query({ text: ask, values: [] }));
  await person.sees(1);
  person.says(no);
  await asking;
  t.notSame(await sees(agent), shown, 'a no');
  t.equal(harness.recorder.of('verdict').at(-1)?.decision, 'deny');
});

t.test('an approval for the session does not renew it', async (t) => {
  const { person, connect, sees, later } = await world(t, [['user', liftable]]);
  const agent = await connect();
  const asking = agent.query(ask);
  const pending = await person.sees(1);
  t.match(pending.sessionObstacle, /asked about anew/);
  person.says(forSession);
  await person.sees(2);
  person.says(once);
  await asking;
  t.strictSame(await sees(agent), shown, 'what counted is the answer for once');
  later(30 * 60_000 + 1);
  const again = agent.query(ask);
  await person.sees(3);
  t.notSame(await sees(await connect()), shown);
  person.says(once);
  await again;
  t.strictSame(await sees(agent), shown);
});

t.test('the next run knows nothing of it', async (t) => {
  const first = await world(t, [['user', liftable]]);
  const agent = await first.connect();
  const asking = agent.query(ask);
  await first.person.sees(1);
  first.person.says(once);
  await asking;
  t.strictSame(await first.sees(agent), shown);
  const second = await world(t, [['user', liftable]]);
  t.notSame(await second.sees(await second.connect()), shown);
});

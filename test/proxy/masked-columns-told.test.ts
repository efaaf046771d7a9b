/** Which columns are masked is told to the client once, and to the transcript each time. */
import t from 'tap';
import { combineConfigs } from '../../src/policy/combine.js';
import { parseConfig } from '../../src/policy/config.js';
import { startAttendedProxy } from '../attack/attended-proxy.js';
import { startPostgres } from '../helpers/postgres.js';

t.test('one notice for each column of a session, and the transcript names it at every statement', async (t) => {
  const server = await startPostgres({ auth: 'trust' });
  t.teardown(() => server.stop());
  const yaml = `version: 1
mask: [{ column: people.email, with: email }, { column: people.ssn, with: partial, keep: 4 }]
unmask: [{ column: people.email, for: 5m }]`;
  const { connect, harness } = await startAttendedProxy(
    t,
    server,
    "CREATE TABLE people (id int, email text, ssn text); INSERT INTO people VALUES (1, 'a@b.example', '123-45-6789')",
    {
      masked: {
        config: combineConfigs([{ level: 'user', config: parseConfig(yaml, 'dbguard.yaml') }]),
        audience: { subject: 'dev', groups: undefined, environments: ['production'], connection: 'test', agent: 'a' },
      },
    },
  );
  const client = await connect();
  const notices: (readonly [string | undefined, string | undefined])[] = [];
  client.on('notice', ({ message, hint }) => notices.push([message, hint]));
  await client.query('SELECT id FROM people');
  t.strictSame(notices, [], 'nothing masked, nothing said');
  for (const values of [undefined, [], undefined]) {
    const { rows } = await client.query({ text: 'SELECT id, email FROM people', ...(values && { values }) });
    t.match(rows, [{ id: 1, email: /@masked\.invalid$/ }], 'the rows come as they would without a notice');
  }
  await client.query('SELECT * FROM people');
  t.match(notices, [
    [/public\.people\.email; what is left: which addresses are equal/, /SET dbguard\.unmask = 'public\.people\.email'/],
    [/public\.people\.ssn; what is left: the length, the last 4/, undefined],
  ]);
  t.equal(notices.length, 2);
  const other = await connect();
  other.on('notice', ({ message }) => notices.push([message, undefined]));
  await other.query('SELECT ssn FROM people');
  t.equal(notices.length, 3, 'another connection is told by itself');
  const united = [
    "SELECT 'a' AS k, ssn FROM people UNION SELECT 'b', 'text'",
    "SELECT ssn FROM people UNION SELECT 'text'",
  ];
  for (const sql of [...united, ...united]) await other.query(sql);
  t.match(
    notices.slice(3),
    [[/which branch a row is of cannot be told/]],
    'once, and only of the one without a constant',
  );
  t.equal(notices.length, 4);
  await other.query('SELECT count(*) FROM people WHERE ssn > $1', ['4']);
  t.strictSame(
    harness.recorder.of('outcome').map((entry) => entry.inferred),
    [...Array.from({ length: 10 }), ['public.people.ssn']],
    'what is asked about a masked column is in the transcript',
  );
  const masked = harness.recorder.of('outcome').map((entry) => entry.masked);
  t.strictSame(masked, [
    undefined,
    ...Array.from({ length: 3 }, () => ['public.people.email']),
    ['public.people.email', 'public.people.ssn'],
    ...Array.from({ length: 5 }, () => ['public.people.ssn']),
    undefined,
  ]);
});

/** What needs a second person: two developers, one bucket, real logins. */
import t from 'tap';
import { dbguardProgram } from '../helpers/repository.js';
import { startS3, testKey } from '../helpers/s3.js';
import { script, sessionOf } from './developer.js';
import { rule, twoDevelopers } from './two-developers.js';

t.test('a second person approves, denies, and answers late', async (t) => {
  const s3 = await startS3('evidence');
  t.teardown(() => s3.close());
  const { postgres, ada, lead, run, waiting, configure } = await twoDevelopers(t, {
    env: { AWS_ACCESS_KEY_ID: testKey.id, AWS_SECRET_ACCESS_KEY: testKey.secret },
  });
  await postgres.query(
    'create table orders (id int primary key, note text); insert into orders select i from generate_series(1, 200) i',
  );

  await t.test('approved while it waits', async (t) => {
    const running = run(
      script(`return attempt("delete from orders where note is distinct from $1 and id > 100 returning id", ['x'])`),
    );
    const [one] = await waiting();
    t.match(one, { subject: { email: 'ada@example.test' }, obstacle: undefined });
    t.match(one?.preview.statement, /delete from orders/);
    const labels = one?.preview.impact.map(({ label }) => label);
    // locks and a way back are there where it was tried out in time
    t.strictSame(labels?.slice(0, 2), ['rows', 'orders'], 'what the one who asks saw');
    t.equal(labels?.at(-1), 'you: orders', 'then the approver’s own login');
    const own = await ada.dbguard(['approve', one?.id ?? '']);
    t.match(own, { exitCode: 1, stderr: /nobody approves what they ask for themselves/ });
    const byAgent = await lead.dbguard(['run', '--', process.execPath, dbguardProgram, 'approve', one?.id ?? '']);
    t.match(byAgent, { exitCode: 1, stderr: /inside of a dbguard run/ }, 'an agent of the approver’s');
    const answer = await lead.dbguard(['approve', one?.id.slice(-8) ?? '']);
    t.match(answer, { exitCode: 0, stdout: /\$1 = 'x'[\s\S]*approved: / }, answer.stderr);
    const { stdout, stderr } = await running;
    t.equal(JSON.parse(String(stdout)).length, 100, String(stderr));
    const again = await lead.dbguard(['approve', one?.id ?? '']);
    t.match(again, { exitCode: 66, stderr: /is open/ });
  });

  await t.test('denied, with a reason for the agent', async (t) => {
    const running = run(script(`return [await attempt('drop table orders'), await attempt('drop table orders')]`));
    const [one] = await waiting();
    t.match(await lead.dbguard(['deny', one?.id ?? '', '--reason', 'not on a Friday']), { exitCode: 0 });
    const { stdout, stderr } = await running;
    t.match(stderr, /2 statements, 1 asked of a second person \(0 approved, 1 denied\), no rows changed/);
    const [first, second] = JSON.parse(String(stdout));
    t.match(first, { code: '42501', message: /lead@example.test \(a second person\) denied.*not on a Friday/ });
    t.match(second, { code: '42501', message: /denied the same one/ });
  });

  await t.test('approved late: the retry runs, once', async (t) => {
    configure({ approvers: ['lead@example.test'], wait: '1s' });
    const running = run(
      script(`
      const again = { name: 'again', text: 'delete from orders where id <= 50' };
      const first = await attempt(again);
      let second = first;
      while (second.code) second = await attempt(again);
      return [first, second];`),
    );
    const [one] = await waiting();
    t.match(await lead.dbguard(['approve', one?.id ?? '']), { exitCode: 0 });
    const [first, second] = JSON.parse(String((await running).stdout));
    t.match(first, {
      code: '42501',
      message: /no second person has approved this statement yet/,
      hint: /exactly the same/,
    });
    t.strictSame(second, []);
    t.strictSame(await postgres.query('select count(*)::int from orders'), [{ count: 50 }]);
  });

  await t.test('approved after the session has ended: the next one runs it, once', async (t) => {
    configure({ approvers: ['lead@example.test'], wait: '1s' });
    const statement = script(`return attempt('delete from orders where id between $1 and 90', ['71'])`);
    t.match(JSON.parse(String((await run(statement)).stdout)), { hint: /exactly the same/ });
    const [one] = await waiting();
    t.match(await lead.dbguard(['approve', one?.id ?? '']), { exitCode: 0 });
    const { stdout, stderr } = await run(statement);
    t.strictSame(JSON.parse(String(stdout)), [], String(stderr));
    t.match(JSON.parse(String((await run(statement)).stdout)), { code: '42501' }, 'it was used');
    const [again] = await waiting();
    t.match(await lead.dbguard(['deny', again?.id ?? '']), { exitCode: 0 });
  });

  await t.test('as a role that the login is not, once a second person has said so', async (t) => {
    await postgres.query(`create role shop_agent login noinherit password 'agent'; create role shop_owner nologin; grant shop_owner to shop_agent;
      grant select on orders to shop_agent; grant select, update, delete on orders to shop_owner;`);
    const short = { name: 'clean', when: { effect: 'delete', table: 'orders' }, as: 'shop_owner', for: 'statement' };
    configure(
      { approvers: ['lead@example.test'] },
      {
        connections: { main: { url: postgres.url(undefined, 'shop_agent', 'agent'), environment: 'development' } },
        policy: { rules: [{ ...rule('delete'), ...short }] },
        access: [
          {
            ...rule('update'),
            when: undefined,
            name: 'fix',
            role: 'shop_owner',
            tables: ['orders'],
            effects: ['update'],
          },
        ],
      },
    );
    const running = run(
      script(`return [
        await attempt('delete from orders where id = 60 returning current_user'),
        await attempt("update orders set note = 'y' where id = 61 returning current_user"),
        await attempt('select current_user'),
      ]`),
    );
    for (const what of [/^Delete/, /^Update|^Change/]) {
      const [one] = await waiting();
      t.match(one?.preview.headline, what);
      t.match(await lead.dbguard(['approve', one?.id ?? '']), { exitCode: 0, stdout: /runs as shop_owner/ });
    }
    const { stdout, stderr } = await running;
    t.strictSame(
      JSON.parse(String(stdout)),
      [[{ current_user: 'shop_owner' }], [{ current_user: 'shop_owner' }], [{ current_user: 'shop_agent' }]],
      String(stderr),
    );
  });

  await t.test('a connection, for a time, once a second person has granted it', async (t) => {
    // biome-ignore lint/suspicious/noThenProperty: the word of the configuration; nothing awaits it
    const access = { then: 'second-person', for: '10m' };
    configure(
      { approvers: ['lead@example.test'] },
      { connections: { main: { url: postgres.url(), environment: 'development', access } } },
    );
    const running = run(script(`return attempt('select 1 as one')`));
    const [one] = await waiting();
    t.match(one?.preview, { headline: 'Let clients connect for 10m', statement: 'connect to main for 10m' });
    t.match(await lead.dbguard(['approve', one?.id ?? '']), { exitCode: 0 });
    const { stdout, stderr } = await running;
    t.strictSame(JSON.parse(String(stdout)), [{ one: 1 }], String(stderr));
    const { stdout: told } = await lead.dbguard(['transcripts', 'show', sessionOf(String(stderr))]);
    t.match(told, /clients can connect to main for 10m/);
    configure({ approvers: ['lead@example.test'] });
  });

  await t.test('through S3', async (t) => {
    configure(
      { approvers: ['lead@example.test'] },
      { bucket: { url: 's3://evidence/team', endpoint: s3.endpoint, region: 'eu-central-1' } },
    );
    const running = run(script(`return [await attempt('drop table orders'), await attempt('select * from orders')]`));
    const [one] = await waiting();
    t.match(await lead.dbguard(['approve', one?.id ?? '']), { exitCode: 0 });
    const { stdout, stderr } = await running;
    const [dropped, read] = JSON.parse(String(stdout));
    t.strictSame(dropped, []);
    t.match(read, { code: '42P01' });
    // the session before it is in the other bucket
    const verified = await lead.dbguard(['transcripts', 'verify', sessionOf(String(stderr))]);
    t.match(verified.stdout, /✓ what/);
    t.notMatch(verified.stdout, /approval-/);
    configure({ approvers: ['lead@example.test'] });
  });

  await t.test('all of it is proven', async (t) => {
    const verified = await lead.dbguard(['transcripts', 'verify', '--all']);
    t.match(verified, { exitCode: 0 }, `${verified.stdout}${verified.stderr}`);
  });
});

import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import pg from 'pg';
import { type Test, test } from 'tap';
import { type PostgresOptions, postgresAvailable, startPostgres } from './postgres.js';

async function start(t: Test, options: PostgresOptions) {
  const server = await startPostgres(options);
  t.teardown(() => server.stop());
  return server;
}

for (const version of [15, 18] as const)
  for (const auth of ['scram-sha-256', 'md5', 'password', 'trust'] as const)
    test(`PostgreSQL ${version} with ${auth}`, {
      skip: !postgresAvailable(version) && `PostgreSQL ${version} is not installed`,
    }, async (t) => {
      const server = await start(t, { version, auth });
      const [row] = await server.query<{ number: string }>("SELECT current_setting('server_version_num') AS number");
      t.match(row?.number, new RegExp(`^${version}`));
      const wrong = new pg.Client({ connectionString: server.url('postgres', 'postgres', 'wrong') });
      if (auth === 'trust') await t.resolves(wrong.connect());
      else await t.rejects(wrong.connect(), { code: '28P01' });
      await wrong.end();
    });

test('TLS, settings and hba lines', async (t) => {
  const server = await start(t, { ssl: true, settings: { work_mem: '7MB' }, hba: ['hostnossl all all all reject'] });
  await t.rejects(server.query('SELECT 1'), { code: '28000' });
  const client = new pg.Client({ connectionString: server.url(), ssl: { ca: server.tls?.authority.pem } });
  await client.connect();
  t.match((await client.query('SHOW work_mem')).rows, [{ work_mem: '7MB' }]);
  await client.end();
});

test('a restart keeps the data and the port, a stop leaves nothing', async (t) => {
  const server = await start(t, {});
  await server.query('CREATE TABLE kept (a int)');
  await server.restart('immediate');
  t.strictSame(await server.query('SELECT * FROM kept'), []);
  await server.stop();
  await t.rejects(server.query('SELECT 1'), { code: 'ECONNREFUSED' });
  t.notOk(existsSync(server.socketDir));
});

test('the server goes when its process is killed', async (t) => {
  const script = `
    import { startPostgres } from ${JSON.stringify(new URL('postgres.ts', import.meta.url).href)};
    const { port, socketDir } = await startPostgres();
    console.log(JSON.stringify({ port, socketDir }));
    setInterval(() => undefined, 1000);`;
  const child = execa(process.execPath, ['--import', 'tsx', '--input-type', 'module', '-e', script], { reject: false });
  t.teardown(() => child.kill('SIGKILL'));
  for await (const line of child.iterable()) {
    const { socketDir } = JSON.parse(line);
    t.ok(existsSync(socketDir));
    child.kill('SIGKILL');
    while (existsSync(socketDir)) await sleep(20);
    t.pass('its folder is gone');
    break;
  }
  await child;
});

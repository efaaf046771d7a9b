/** Flyway takes on the role that it has, on every connection. Who was given less by ALTER ROLE ... SET role stays there. */
import t, { type Test } from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { no, startAttendedProxy } from './attended-proxy.js';

const server = await startPostgres({ version: 18 });
t.teardown(() => server.stop());

async function tries(t: Test, setup: string, quiet: readonly string[], asked: readonly string[]): Promise<void> {
  const { person, connect } = await startAttendedProxy(t, server, setup, { catalogPollMs: 60_000 });
  const client = await connect();
  for (const sql of quiet) await client.query(sql);
  t.equal(person.shown.length, 0, `asked about: ${person.shown[0]?.request.sql}`);
  for (const [at, sql] of asked.entries()) {
    const running = client.query(sql).catch(({ code }) => code);
    await Promise.race([person.sees(at + 1), running]);
    t.equal(person.shown.length, at + 1, `${sql} is asked about`);
    person.says(no);
    t.equal(await running, '42501', sql);
  }
}

const roles = 'DROP ROLE IF EXISTS own_less; CREATE ROLE own_less; GRANT own_less TO postgres;';

t.test('the role that the session has', (t) =>
  tries(
    t,
    roles,
    [
      "SET ROLE 'postgres'",
      'SET ROLE postgres',
      "SET LOCAL ROLE 'postgres'",
      "SELECT set_config('role', 'postgres', false)",
    ],
    ['SET ROLE own_less', 'SET ROLE "Postgres"', "SELECT set_config('role', 'own_less', true)", 'SET ROLE NONE'],
  ),
);

t.test('a session that began with less', async (t) => {
  t.teardown(() => server.query('SET ROLE NONE; ALTER ROLE postgres RESET role'));
  await tries(
    t,
    `${roles} ALTER ROLE postgres SET role = own_less; GRANT USAGE ON SCHEMA public TO own_less;`,
    ['SET ROLE own_less', 'RESET ROLE'],
    ["SET ROLE 'postgres'", "SELECT set_config('role', 'postgres', false)", 'SET ROLE NONE'],
  );
});

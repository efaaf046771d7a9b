/** `dbguard access setup`: its SQL makes a login that can do nothing by itself, and what `access` says after SET ROLE. */
import t from 'tap';
import { postgresAvailable, startPostgres, testedVersions } from '../helpers/postgres.js';
import { runCommand } from './run-command.js';

const access = `access:
  - { name: fix, role: shop_writer, tables: [orders, 'odd."T"'], effects: [update], then: ask }
  - { name: add, role: user, tables: [orders], effects: [insert, truncate], then: ask }
  - { name: elsewhere, role: nobody, tables: ['*'], effects: [delete], connection: other, then: ask }
`;

for (const version of testedVersions()) {
  const skip = postgresAvailable(version) ? false : `PostgreSQL ${version} is not installed`;
  t.test(`PostgreSQL ${version}`, { skip }, async (t) => {
    const server = await startPostgres({ version, auth: 'trust' });
    t.teardown(() => server.stop());
    await server.query('CREATE SCHEMA odd; CREATE TABLE odd."T" (id int); CREATE TABLE orders (id int)');
    const setUp = async (): Promise<string> => {
      const config = `version: 1\nconnections: { main: { url: "${server.url()}" } }\n${access}`;
      const cwd = t.testdir({ 'own.yaml': config });
      const ran = await runCommand('access setup', ['--config', `${cwd}/own.yaml`, '--login', 'Odd "agent"'], {
        cwd,
        env: { DBGUARD_HOME: `${cwd}/home` },
      });
      t.equal(ran.code, 0);
      return ran.stdout;
    };
    const sql = await setUp();
    t.equal(/WITH INHERIT FALSE, SET TRUE/.test(sql), version >= 16);
    t.notMatch(sql, /nobody/, 'an entry for another connection');
    await server.query(sql);
    await server.query(await setUp());

    const may = async (role: string, table: string): Promise<string[]> => {
      const all = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'];
      const rows = await server.query<{ one: string }>(
        'SELECT one FROM unnest($3::text[]) AS one WHERE has_table_privilege($1::name, $2, one)',
        [role, table, all],
      );
      return rows.map(({ one }) => one);
    };
    t.strictSame(await may('Odd "agent"', 'orders'), [], 'nothing by itself');
    t.strictSame(await may('shop_writer', 'orders'), ['SELECT', 'UPDATE']);
    t.strictSame(await may('shop_writer', 'odd."T"'), ['SELECT', 'UPDATE']);
    t.strictSame(await may('user', 'orders'), ['INSERT', 'TRUNCATE']);
    t.strictSame(await may('user', 'odd."T"'), []);
    const url = new URL(server.url());
    url.username = 'Odd "agent"';
    const cwd = t.testdir({ 'own.yaml': `version: 1\nconnections: { main: { url: '${url.href}' } }\n` });
    const checked = await runCommand('access check', ['--config', `${cwd}/own.yaml`, '--json'], {
      cwd,
      env: { DBGUARD_HOME: `${cwd}/home` },
    });
    const { findings } = JSON.parse(checked.stdout) as { findings: { what: string }[] };
    const more = findings.filter(({ what }) => !/count after SET ROLE|in the schema public/.test(what));
    t.strictSame(more, [], 'access check finds nothing else');
    t.equal(findings.filter(({ what }) => /count after SET ROLE/.test(what)).length, 2);
  });
}

t.test('a login needs a name', async (t) => {
  const ran = runCommand('access setup', [], { cwd: t.testdir() });
  await t.rejects(ran, { code: 'usage', message: /needs the name of the login/ });
});

/** Logins of one session: what they may do, what is left of them, and what of their password a server ever sees. */
import t, { type Test } from 'tap';
import type { DbguardError } from '../../../src/errors.js';
import { connectUpstream } from '../../../src/io/upstream/connect.js';
import { resolveUpstream } from '../../../src/io/upstream/resolve.js';
import { openTemporaryLogin } from '../../../src/io/upstream/temporary-login.js';
import { sessionIdsAt } from '../../../src/transcript/object-key.js';
import { type PostgresVersion, postgresAvailable, startPostgres, testedVersions } from '../../helpers/postgres.js';
import { env, query } from './connections.js';

const versions = testedVersions().filter((version) => postgresAvailable(version));

async function world(t: Test, version: PostgresVersion) {
  const server = await startPostgres({ version, settings: { log_statement: 'all' } });
  t.teardown(() => server.stop());
  await server.query(`
    CREATE ROLE shop_agent NOLOGIN;
    CREATE ROLE maker LOGIN CREATEROLE PASSWORD 'maker-pw';
    GRANT shop_agent TO maker WITH ADMIN OPTION;
    CREATE TABLE orders (id int); GRANT SELECT ON orders TO shop_agent;
    CREATE SCHEMA shop AUTHORIZATION shop_agent`);
  const maker = resolveUpstream({ url: server.url(undefined, 'maker', 'maker-pw') }, env);
  const troubles: DbguardError[] = [];
  let nth = 0;
  const open = (changes: { role?: string; validMs?: number } = {}) =>
    openTemporaryLogin(maker, {
      ...{
        role: 'shop_agent',
        validMs: 600_000,
        sid: `${sessionIdsAt(Date.now()).slice(0, 10)}${String(nth++).padStart(16, '0')}`,
      },
      ...changes,
      onTrouble: (error) => troubles.push(error),
    });
  const left = async () => {
    const rows = await server.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'dbguard\\_%' ORDER BY 1");
    return rows.map(({ rolname }) => String(rolname));
  };
  return { server, open, left, troubles, maker };
}

for (const version of versions) {
  t.test(`PostgreSQL ${version}`, async (t) => {
    const { server, open, left, maker } = await world(t, version);
    const one = await open();
    const name = one.upstream.user;
    t.match(name, /^dbguard_[0-9a-z]{26}$/);
    const asked = async (sql: string) => {
      const upstream = await connectUpstream(one.upstream, new Map());
      try {
        return await query(upstream, sql);
      } finally {
        upstream.socket.destroy();
      }
    };

    await t.test('its sessions are the role’s, and what they make belongs to it', async (t) => {
      t.equal(await asked('SELECT current_user'), 'shop_agent');
      t.equal(await asked('SELECT count(*) FROM orders'), '0');
      t.equal(
        await asked('CREATE TABLE shop.made (id int); SELECT tableowner FROM pg_tables WHERE tablename = $$made$$'),
        'shop_agent',
      );
    });

    await t.test('attack: its own name gives it no right at all', async (t) => {
      const [attributes] = await server.query(
        `SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolinherit FROM pg_roles WHERE rolname = '${name}'`,
      );
      t.same(attributes, {
        rolsuper: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolreplication: false,
        rolbypassrls: false,
        rolinherit: false,
      });
      t.equal(await asked(`SELECT has_table_privilege('${name}', 'orders', 'INSERT')`), 'f');
      const admin = await server.query(
        `SELECT 1 AS one FROM pg_auth_members WHERE member = '${name}'::regrole AND admin_option`,
      );
      t.same(admin, [], 'it makes nobody else a member');
    });

    await t.test('attack: its password is in no log and on no wire, and opens nothing but SCRAM', async (t) => {
      const password = one.upstream.auth.password?.reveal() ?? '';
      t.match(password, /^[\w-]{32}$/);
      t.notMatch(server.log(), password);
      t.match(server.log(), /CREATE ROLE "dbguard_[0-9a-z]{26}" LOGIN NOINHERIT .*PASSWORD 'SCRAM-SHA-256\$4096:/);
      t.same(one.upstream.auth.requireAuth, ['scram-sha-256']);
      t.notMatch(JSON.stringify(one.upstream), password);
    });

    await t.test('what it owns itself goes to the role, its connections end, and it is gone', async (t) => {
      await server.query(`CREATE TABLE shop.own (id int); ALTER TABLE shop.own OWNER TO "${name}"`);
      const staying = await connectUpstream(one.upstream, new Map());
      staying.socket.on('error', () => undefined).resume();
      const ended = new Promise<void>((resolve) => staying.socket.once('close', () => resolve()));
      await one.close();
      await ended;
      t.same(await left(), []);
      t.same(await server.query("SELECT tableowner FROM pg_tables WHERE tablename = 'own'"), [
        { tableowner: 'shop_agent' },
      ]);
      await t.rejects(connectUpstream(one.upstream, new Map()), { code: 'upstream-auth' });
    });

    await t.test('one whose session was killed is good until its time is over, and swept then', async (t) => {
      const killed = (await open()).upstream.user;
      const other = (await open()).upstream.user;
      await server.query(`ALTER ROLE "${killed}" VALID UNTIL '2020-01-01'`);
      // made by somebody else, or by somebody’s hand
      const foreign = `dbguard_${'0'.repeat(26)}`;
      await server.query(`CREATE ROLE "${foreign}" LOGIN VALID UNTIL '2020-01-01'`);
      await server.query(`CREATE TABLE shop.behind (id int); ALTER TABLE shop.behind OWNER TO "${killed}"`);
      const next = await open();
      t.same(await left(), [foreign, other, next.upstream.user].sort());
      t.same(await server.query("SELECT tableowner FROM pg_tables WHERE tablename = 'behind'"), [
        { tableowner: 'shop_agent' },
      ]);
      await next.close();
      await server.query(`DROP ROLE "${foreign}"`);
      const [row] = await server.query(
        `SELECT rolvaliduntil BETWEEN now() + interval '9 minutes' AND now() + interval '11 minutes' AS soon FROM pg_roles WHERE rolname = '${other}'`,
      );
      t.same(row, { soon: true }, 'by the server’s clock');
      await server.query(`ALTER ROLE "${other}" VALID UNTIL '2020-01-01'`);
      await (await open()).close();
      t.same(await left(), []);
    });

    await t.test('it is renewed while its session lives', async (t) => {
      const short = await open({ validMs: 900 });
      const { user } = short.upstream;
      const until = async () =>
        (await server.query(`SELECT rolvaliduntil::text AS at FROM pg_roles WHERE rolname = '${user}'`))[0]?.at;
      const before = await until();
      while ((await until()) === before) await new Promise((resolve) => setTimeout(resolve, 50));
      await short.close();
      t.same(await left(), []);
    });

    await t.test('one that cannot be dropped is locked, and that is said', async (t) => {
      const stuck = await open();
      const { user } = stuck.upstream;
      await server.query('CREATE DATABASE elsewhere');
      await server.query(`ALTER DATABASE elsewhere OWNER TO "${user}"`);
      await server.query('REVOKE shop_agent FROM maker CASCADE');
      await t.rejects(stuck.close(), {
        code: 'denied',
        message: /could not be dropped, and is locked/,
        hint: /REASSIGN OWNED/,
      });
      t.same(await server.query(`SELECT rolcanlogin FROM pg_roles WHERE rolname = '${user}'`), [
        { rolcanlogin: false },
      ]);
      await t.rejects(connectUpstream(stuck.upstream, new Map()), { code: 'upstream-auth' });
      await server.query(`ALTER DATABASE elsewhere OWNER TO postgres; DROP ROLE "${user}"`);
    });

    await t.test('a maker that may not says what is missing', async (t) => {
      if (version >= 16)
        await t.rejects(open(), { code: 'config-invalid', hint: /GRANT shop_agent TO maker WITH ADMIN OPTION/ });
      await server.query('ALTER ROLE maker NOCREATEROLE');
      await t.rejects(open(), { code: 'config-invalid', message: /in the role shop_agent/, hint: /CREATEROLE/ });
      await t.rejects(open({ role: 'nobody"; DROP TABLE orders; --' }), { code: 'config-invalid' });
      t.same(await server.query('SELECT count(*)::int FROM orders'), [{ count: 0 }]);
      t.same(await left(), []);
      t.ok(maker.auth.password);
    });
  });
}

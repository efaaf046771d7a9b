/** dbguard is killed while a statement runs as a role: nothing stays behind that is the role, or may become it. */
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { chosenVersion, startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';

const server = await startPostgres({ version: chosenVersion });
t.teardown(() => server.stop());
await server.query(`CREATE ROLE shop_agent LOGIN NOINHERIT PASSWORD 'agent'; CREATE ROLE shop_owner;
  GRANT shop_owner TO shop_agent; CREATE TABLE orders (id int PRIMARY KEY, note text);
  INSERT INTO orders VALUES (1, 'x'); GRANT SELECT ON orders TO shop_agent; ALTER TABLE orders OWNER TO shop_owner`);
const catalog = () =>
  server.query(`SELECT 'role ' || rolname AS is, rolconfig::text AS of FROM pg_roles
    UNION ALL SELECT 'member ' || member::regrole, roleid::regrole::text FROM pg_auth_members
    UNION ALL SELECT 'object ' || relname, relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'prepared', gid FROM pg_prepared_xacts ORDER BY 1, 2`);

// biome-ignore lint/suspicious/noThenProperty: the rule's own word; nothing awaits it
const asked = { effects: ['update', 'maintenance'], then: 'ask', for: '15m' };
const entry = { name: 'fix', role: 'shop_owner', tables: ['orders'], ...asked };

/** In the client's transaction, in one of dbguard's, and in none. */
const running: Readonly<Record<string, readonly string[]>> = {
  'in a block': ['BEGIN', "UPDATE orders SET note = 'kept' WHERE id = 1"],
  'outside of one': ["UPDATE orders SET note = 'kept' WHERE id = 1"],
  'in no transaction': ['VACUUM orders'],
};

for (const [where, statements] of Object.entries(running)) {
  t.test(where, async (t) => {
    const guarded = await startProxyProcess(server, {
      config: {
        connections: {
          main: { url: server.url('postgres', 'shop_agent', 'agent'), environment: 'development' },
        },
        access: [entry],
      },
    });
    const env = { DBGUARD_CONFIG: join(guarded.workspace.project, 'dbguard.yaml') };
    const before = await catalog();
    t.match(await guarded.workspace.dbguard(['access', 'grant', 'fix'], { env }), { exitCode: 0 });
    const holder = new pg.Client(server.url());
    await holder.connect();
    await holder.query(
      'BEGIN; LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE; SELECT FROM orders WHERE id = 1 FOR UPDATE',
    );
    const client = new pg.Client(guarded.url());
    client.on('error', () => undefined);
    await client.connect();
    const [last, ...opening] = [...statements].reverse();
    for (const one of opening) await client.query(one);
    const lost = client.query(last ?? '').then(
      () => 'answered',
      () => 'lost',
    );
    const asRole = () =>
      server.query("SELECT pid FROM pg_stat_activity WHERE usename = 'shop_agent' AND wait_event_type = 'Lock'");
    while ((await asRole()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(guarded.pid, 'SIGKILL');
    t.equal(await lost, 'lost');
    await holder.query('ROLLBACK');
    await holder.end();
    const sessions = () => server.query("SELECT FROM pg_stat_activity WHERE usename = 'shop_agent'");
    while ((await sessions()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    t.same(await catalog(), before);
    t.same(await server.query("SELECT FROM orders WHERE note = 'kept'"), [], 'what nobody has heard of is undone');
    await guarded.stop().catch(() => undefined);
  });
}

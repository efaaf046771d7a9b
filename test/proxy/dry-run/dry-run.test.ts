/** A dry run on the client's own connection: what it finds, what it refuses, and that the client never notices. */
import pg from 'pg';
import { type Test, test } from 'tap';
import { measureImpact } from '../../../src/io/catalog/impact.js';
import type { Policy } from '../../../src/policy/decision.js';
import type { Answer, ApprovalRequest, DryRun } from '../../../src/proxy/statement/asker.js';
import { type PostgresVersion, postgresAvailable, startPostgres } from '../../helpers/postgres.js';
import { type ProxyInProcess, startProxyInProcess } from '../../helpers/proxy-in-process.js';

const asks = new Set(['update', 'delete', 'truncate', 'drop', 'alter', 'network', 'notify']);
/** Asks about what changes existing things, and about inserts into `asked`. */
const policy: Policy = {
  name: 'test',
  digest: '',
  approvalTimeoutMs: 20_000,
  accessOffer: () => undefined,
  surplusRows: () => 100,
  decide: ({ facts }) => {
    const effects = facts.statements.flatMap((statement) => statement.effects);
    const asked = effects.some(
      (one) => asks.has(one.kind) || (one.kind === 'insert' && one.targets[0]?.name === 'asked'),
    );
    return { decision: asked ? 'ask' : 'allow', rule: 'test', origin: 'test', reason: 'Test.' };
  },
};

const shop = `
  CREATE TABLE orders (id int PRIMARY KEY, status text NOT NULL, note text);
  CREATE TABLE order_items (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE);
  INSERT INTO orders SELECT n, CASE WHEN n % 2 = 0 THEN 'open' ELSE 'paid' END FROM generate_series(1, 1000) n;
  INSERT INTO order_items SELECT n, 1 + n % 1000 FROM generate_series(1, 3000) n;
  CREATE VIEW open_orders AS SELECT * FROM orders WHERE status = 'open';
  CREATE TABLE log (what text);
  CREATE FUNCTION write_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (TG_OP); RETURN NULL; END $$;
  CREATE TABLE logged (id int PRIMARY KEY);
  INSERT INTO logged SELECT generate_series(1, 10);
  CREATE TRIGGER logged AFTER DELETE ON logged FOR EACH ROW EXECUTE FUNCTION write_log();
  CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('loud', 'x'); RETURN NULL; END $$;
  CREATE TABLE loud (id int PRIMARY KEY);
  CREATE TRIGGER loud AFTER DELETE ON loud EXECUTE FUNCTION shout();
  CREATE FUNCTION dynamic() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM ' || TG_ARGV[0]; RETURN NULL; END $$;
  CREATE FUNCTION hidden_code(sql text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE sql; RETURN ''; END $$;
  CREATE FUNCTION dblink(text, text) RETURNS SETOF record LANGUAGE plpgsql AS $$ BEGIN END $$;
  CREATE TABLE opaque (id int PRIMARY KEY);
  CREATE TRIGGER opaque AFTER DELETE ON opaque EXECUTE FUNCTION dynamic('log');
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int REFERENCES parent ON DELETE CASCADE);
  CREATE TRIGGER child AFTER DELETE ON child EXECUTE FUNCTION dynamic('log');
  CREATE TABLE asked (id int GENERATED ALWAYS AS IDENTITY, name text);
  CREATE TABLE serial (id serial, name text);
  CREATE SEQUENCE counter;
  CREATE TABLE checked (id int CHECK (id < 100));
  INSERT INTO checked VALUES (1);
  CREATE FUNCTION count_up() RETURNS boolean LANGUAGE sql AS $$ SELECT nextval('counter') > 0 $$;
  CREATE TABLE counted (id int CHECK (count_up()));
  CREATE FUNCTION spare() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF clock_timestamp() - statement_timestamp() < interval '1 hour' AND OLD.id > 1 THEN RETURN NULL; END IF; RETURN OLD; END $$;
  CREATE TABLE timed (id int PRIMARY KEY);
  INSERT INTO timed SELECT generate_series(1, 10);
  CREATE TRIGGER spare BEFORE DELETE ON timed FOR EACH ROW EXECUTE FUNCTION spare();
  CREATE TABLE guarded (id int);
  ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
  CREATE POLICY p ON guarded USING (count_up());
  ANALYZE`;

interface World {
  readonly harness: ProxyInProcess;
  readonly client: pg.Client;
  readonly notices: string[];
  /** Direct, past the proxy. */
  readonly direct: (sql: string) => Promise<Record<string, unknown>[]>;
  /** Asks for a dry run, then answers. */
  tryOut(run: () => Promise<unknown>, decision?: 'allow' | 'deny'): Promise<DryRun>;
  request(): ApprovalRequest;
}

async function world(t: Test, version: PostgresVersion = 18): Promise<World> {
  const server = await startPostgres({ version });
  await server.query(shop);
  const harness = await startProxyInProcess({
    upstreamUrl: server.url(),
    policy,
    impact: (candidate, held, session) => {
      if (!session) return Promise.resolve({ lines: [{ label: 'impact', text: 'not in session', severity: 'info' }] });
      return measureImpact(candidate, held, session, undefined as never);
    },
  });
  const client = new pg.Client({ connectionString: harness.url() });
  const notices: string[] = [];
  client.on('notice', ({ message }) => notices.push(message ?? ''));
  await client.connect();
  t.teardown(async () => {
    await client.end();
    await harness.close();
    await server.stop();
  });
  return {
    harness,
    client,
    notices,
    direct: (sql) => server.query(sql),
    request: () => harness.requests.at(-1) as ApprovalRequest,
    async tryOut(run, decision = 'deny') {
      let found: DryRun | undefined;
      harness.answer = async (request): Promise<Answer> => {
        found = await request.dryRun?.();
        return decision === 'allow'
          ? { decision, scope: 'once', by: { kind: 'person' }, previewDigest: '' }
          : { decision: 'deny', by: { kind: 'person' } };
      };
      await run().catch((error: unknown) => {
        if (decision === 'allow') throw error;
      });
      if (!found) throw new Error('nobody was asked');
      return found;
    },
  };
}

function words(found: DryRun): string[] {
  if ('refused' in found) return [`refused: ${found.refused}`];
  return found.lines.map(({ label, text }) => `${label}: ${text.replace(/ran [\d.]+ m?s/, 'ran')}`);
}

for (const version of [18, 15] as const) {
  test(`exact rows, cascades and a sample, PostgreSQL ${version}`, { skip: !postgresAvailable(version) }, async (t) => {
    const { client, tryOut, direct, notices, request } = await world(t, version);
    const deleted = await tryOut(() => client.query("DELETE FROM orders WHERE status = 'open' -- old ones"));
    t.strictSame(words(deleted), [
      'dry run: deletes exactly 500 rows of orders (ran, then undone)',
      'and order_items: 1,500 rows deleted',
    ]);
    if ('rows' in deleted) {
      t.equal(deleted.rows.length, 3);
      t.match(deleted.rows[0], {
        sign: '-',
        cells: [{ column: 'id' }, { column: 'status', value: 'open' }, { column: 'note', value: null }],
      });
    }
    t.match(request().impact, { estimatedRows: 500 });

    const changed = await tryOut(() => client.query('UPDATE orders SET status = $1 WHERE id = $2', ['gone', 7]));
    t.strictSame(words(changed), ['dry run: changes exactly 1 row of orders (ran, then undone)']);
    t.match(changed, {
      rows: [
        {
          sign: '~',
          cells: [
            { column: 'id', value: '7' },
            { column: 'status', was: 'paid', value: 'gone' },
          ],
        },
      ],
    });

    const joined = await tryOut(() =>
      client.query('DELETE FROM orders o USING order_items i WHERE i.order_id = o.id AND i.id <= 3'),
    );
    t.match(words(joined)[0], /deletes exactly 3 rows of orders/);
    const own = await tryOut(() => client.query('DELETE FROM orders RETURNING id'));
    t.match(words(own)[0], /^dry run: deletes exactly 1,000 rows of orders/, 'its own RETURNING: the number alone');
    const none = await tryOut(() => client.query('DELETE FROM orders WHERE id < 0'));
    t.match(words(none)[0], /deletes exactly 0 rows/);
    t.match(none, { rows: [] });
    const both = await tryOut(() => client.query('DELETE FROM order_items; DELETE FROM orders'));
    t.match(words(both)[0], /DELETE of exactly 3,000 rows; DELETE of exactly 1,000 rows/);

    t.strictSame(await direct('SELECT count(*)::int AS n FROM orders'), [{ n: 1000 }], 'nothing happened');
    t.strictSame(
      notices.filter((notice) => !notice.includes('waiting for a person')),
      [],
    );
  });
}

test('in the client’s transaction, whose own changes it sees and which goes on as if nothing had been', async (t) => {
  const { client, tryOut, direct, request } = await world(t);
  await client.query('BEGIN');
  await client.query('CREATE TEMP TABLE scratch AS SELECT 1 AS id');
  await client.query("INSERT INTO orders VALUES (5000, 'open')");
  await client.query('SAVEPOINT mine');
  const found = await tryOut(() => client.query("DELETE FROM orders WHERE status = 'open'"), 'allow');
  t.match(words(found)[0], /deletes exactly 501 rows/);
  t.match(request().soFar, {
    statements: 2,
    changes: [{ what: 'CREATE TABLE scratch' }, { what: 'INSERT orders', rows: 1, times: 1 }],
  });
  const temporary = await tryOut(() => client.query('DELETE FROM scratch'), 'allow');
  t.match(words(temporary)[0], /deletes exactly 1 row of/);
  const failing = await tryOut(() => client.query('UPDATE checked SET id = $1', [1]), 'allow');
  t.match(words(failing)[0], /changes exactly 1 row/);
  await client.query('ROLLBACK TO SAVEPOINT mine');
  await client.query('COMMIT');
  t.strictSame(await direct('SELECT count(*)::int AS n FROM orders'), [{ n: 1001 }]);
});

test('a dry run that fails tells why, and harms nothing', async (t) => {
  const { client, tryOut, direct } = await world(t);
  await client.query('BEGIN');
  await client.query("INSERT INTO orders VALUES (5000, 'open')");
  t.strictSame(words(await tryOut(() => client.query('UPDATE checked SET id = 200'))), [
    'dry run: it would fail: new row for relation "checked" violates check constraint "checked_id_check"',
  ]);
  await client.query('ROLLBACK');
  await client.query('BEGIN');
  await client.query("INSERT INTO orders VALUES (5000, 'open')");
  const slow = tryOut(() => client.query('UPDATE checked SET id = 2 WHERE pg_sleep(30) IS NOT NULL'), 'deny');
  t.match(words(await slow), ['dry run: stopped after 5 s: it takes longer than that']);
  await client.query('ROLLBACK');
  t.strictSame(await direct('SELECT count(*)::int AS n FROM orders'), [{ n: 1000 }]);
});

test('a lock that somebody else holds stops it soon', async (t) => {
  const { client, tryOut, harness } = await world(t);
  const other = new pg.Client({ connectionString: harness.url() });
  await other.connect();
  t.teardown(() => other.end());
  await other.query('BEGIN');
  await other.query('SELECT * FROM checked FOR UPDATE');
  t.match(words(await tryOut(() => client.query('DELETE FROM checked'))), [/another session holds a lock/]);
  await other.query('ROLLBACK');
});

test('what a DROP takes along, and the locks of DDL', async (t) => {
  const { client, tryOut, direct, notices } = await world(t);
  const dropped = words(await tryOut(() => client.query('DROP TABLE orders CASCADE')));
  t.match(dropped, [
    /dry run: DROP TABLE works/,
    'locked: blocks reads and writes of order_items',
    'notice: drop cascades to 2 other objects',
    /order_items_order_id_fkey/,
    /open_orders/,
  ]);
  t.match(words(await tryOut(() => client.query('TRUNCATE orders'))), [
    /it would fail: cannot truncate a table referenced/,
  ]);
  t.match(words(await tryOut(() => client.query('ALTER TABLE orders ADD COLUMN total int'))), [
    /works/,
    'locked: blocks reads and writes of orders',
  ]);
  t.match(words(await tryOut(() => client.query('DROP INDEX CONCURRENTLY nothing'))), [/cannot run in a transaction/]);
  t.strictSame(await direct("SELECT to_regclass('open_orders')::text AS v"), [{ v: 'open_orders' }]);
  t.strictSame(
    notices.filter((notice) => notice.includes('cascades')),
    [],
  );
});

test('refused where it could not be undone', async (t) => {
  const { client, tryOut, direct } = await world(t);
  const refusals: readonly (readonly [string, RegExp])[] = [
    ["UPDATE orders SET id = nextval('counter')", /draws from or sets a sequence/],
    ["SELECT setval('counter', 99)", /draws from or sets a sequence/],
    ["INSERT INTO asked (name) VALUES ('x')", /identity column/],
    ['UPDATE serial SET id = DEFAULT', /a column default of serial.* draws from/],
    ["UPDATE orders SET note = pg_notify('c', 'x')::text", /NOTIFY/],
    ['NOTIFY loud', /NOTIFY/],
    ["UPDATE orders SET note = (SELECT x FROM dblink('dbname=x', 'select 1') AS t(x text))", /another server/],
    ['DELETE FROM loud', /trigger function public.shout of loud .*NOTIFY/],
    ['DELETE FROM opaque', /trigger function public.dynamic of opaque .*cannot look into/],
    ['DELETE FROM parent', /trigger function public.dynamic of child/],
    ['DELETE FROM open_orders', /no plain table/],
    ['UPDATE counted SET id = 1', /a check of counted.* draws from/],
    ['DELETE FROM guarded', /row security policy of guarded.* draws from/],
    ['BEGIN; DELETE FROM orders', /begins or ends a transaction/],
    ['UPDATE orders SET note = pg_advisory_lock(1)::text', /advisory lock/],
    ['UPDATE orders SET note = hidden_code(note)', /cannot look into/],
  ];
  for (const [sql, why] of refusals) t.match(words(await tryOut(() => client.query(sql))), [why], sql);
  t.match(
    words(await tryOut(() => client.query('DELETE FROM logged'))),
    [/deletes exactly 10 rows of logged/, 'and log: 10 rows inserted'],
    'a trigger whose body can be read is followed',
  );
  t.strictSame(await direct('SELECT last_value::int AS n, is_called FROM counter'), [{ n: 1, is_called: false }]);
  t.strictSame(await direct('SELECT count(*)::int AS n FROM log'), [{ n: 0 }]);
});

test('a trigger that this very transaction has made is seen', async (t) => {
  const { client, tryOut, harness } = await world(t);
  await client.query('BEGIN');
  harness.answer = async () => ({ decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' });
  await client.query('CREATE TRIGGER loud AFTER DELETE ON checked EXECUTE FUNCTION shout()');
  t.match(words(await tryOut(() => client.query('DELETE FROM checked'))), [/public.shout of checked/]);
});

test('names mean what they mean in this session, and its own functions are not ours', async (t) => {
  const { client, tryOut, request, direct } = await world(t);
  await client.query('CREATE SCHEMA evil');
  await client.query('CREATE TABLE evil.orders (id int PRIMARY KEY)');
  await client.query('INSERT INTO evil.orders SELECT generate_series(1, 7)');
  await client.query(`CREATE FUNCTION evil.same(oid, oid) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.log VALUES ('called'); RETURN true; END $$`);
  await client.query('CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.same)');
  await client.query('SET search_path = evil, pg_catalog, public');
  t.match(words(await tryOut(() => client.query('DELETE FROM orders'), 'allow')), [
    /deletes exactly 7 rows of evil.orders/,
  ]);
  t.match(
    request().impact.lines.map(({ label }) => label),
    ['rows', 'evil.orders'],
  );
  t.strictSame(await direct('SELECT * FROM log'), []);
  t.strictSame((await client.query('SHOW search_path')).rows, [{ search_path: 'evil, pg_catalog, public' }]);
});

test('the portal of an extended query comes back as it was', async (t) => {
  const { client, tryOut, direct } = await world(t);
  const values = ['paid', Buffer.from([1, 2, 3]), null];
  const sql = 'DELETE FROM orders WHERE status = $1 AND $2::bytea IS NOT NULL AND $3::text IS NULL RETURNING id';
  const run = client.query({ name: 'named', text: sql, values });
  await tryOut(() => run, 'allow');
  t.equal((await run).rowCount, 500);
  const again = client.query({ name: 'named', text: sql, values });
  await tryOut(() => again, 'allow');
  t.equal((await again).rowCount, 0, 'and so does the prepared statement');
  t.strictSame(await direct('SELECT count(*)::int AS n FROM orders'), [{ n: 500 }]);
  t.strictSame((await client.query('SELECT name FROM pg_prepared_statements')).rows, [{ name: 'named' }]);
});

test('a client that cancels or leaves during a dry run leaves nothing behind', async (t) => {
  const { harness, direct } = await world(t);
  for (const leave of ['cancel', 'end'] as const) {
    const client = new pg.Client({ connectionString: harness.url() });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('BEGIN');
    await client.query("INSERT INTO orders VALUES (6000, 'open')");
    let started: (() => void) | undefined;
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    harness.answer = async (request) => {
      const run = request.dryRun?.();
      started?.();
      await run;
      return { decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' };
    };
    const asked = client.query('UPDATE checked SET id = 2 WHERE pg_sleep(1) IS NOT NULL');
    await running;
    if (leave === 'cancel') {
      const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
      const other = new pg.Client({ connectionString: harness.url() });
      await new Promise<void>((resolve) => {
        const { connection } = other as unknown as {
          connection: import('node:events').EventEmitter & {
            connect(port: number, host: string): void;
            cancel(pid: number, key: number): void;
          };
        };
        connection.on('connect', () => connection.cancel(processID, secretKey));
        connection.on('error', () => resolve());
        connection.on('end', () => resolve());
        connection.connect(harness.proxy.port, '127.0.0.1');
      });
      await t.rejects(asked, { code: '57014' });
      t.match((await client.query('ROLLBACK')).command, 'ROLLBACK');
      await client.end();
    } else {
      asked.catch(() => undefined);
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    }
  }
  t.strictSame(await direct('SELECT id FROM checked'), [{ id: 1 }]);
  t.strictSame(await direct('SELECT count(*)::int AS n FROM orders'), [{ n: 1000 }]);
  t.ok(harness.recorder.of('dry-run').length === 2, 'each is in the transcript');
});

test('constraints that wait for COMMIT', async (t) => {
  const { client, tryOut, direct } = await world(t);
  await direct(`
    CREATE TABLE parents (id int PRIMARY KEY);
    CREATE TABLE kids (parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO parents VALUES (1), (2);
    INSERT INTO kids VALUES (1)`);
  const broken =
    'at COMMIT: it would fail: update or delete on table "parents" violates foreign key constraint "kids_parent_fkey" on table "kids"';
  const deleted = 'dry run: deletes exactly 2 rows of parents (ran, then undone)';
  t.strictSame(words(await tryOut(() => client.query('DELETE FROM parents'))), [deleted, broken]);
  t.strictSame(
    words(await tryOut(() => client.query('DELETE FROM parents WHERE id > 1 OR id IS NULL OR true AND id = 2'))),
    ['dry run: deletes exactly 1 row of parents (ran, then undone)'],
  );

  await client.query('BEGIN');
  await client.query('INSERT INTO kids VALUES (3)');
  await client.query('SAVEPOINT denied');
  t.match(words(await tryOut(() => client.query('DELETE FROM parents'))), [deleted, /^at COMMIT: it would fail/]);
  await client.query('ROLLBACK TO denied');
  await client.query('INSERT INTO parents VALUES (3)');
  await client.query('COMMIT');
  t.equal((await direct('SELECT FROM kids')).length, 2, 'the client’s own checks still wait for its COMMIT');
});

test('what looks at the clock or at settings is not called exact', async (t) => {
  const { client, tryOut } = await world(t);
  const cases: readonly (readonly [sql: string, by: string])[] = [
    ['DELETE FROM timed', 'clock_timestamp()'],
    ["UPDATE orders SET note = 'x' WHERE current_setting('lock_timeout') = '0'", 'current_setting()'],
    ['DELETE FROM orders WHERE id > pg_backend_pid()', 'pg_backend_pid()'],
    ['DELETE FROM orders WHERE id < (SELECT last_value FROM counter)', 'last_value'],
    [
      "DELETE FROM orders WHERE EXISTS (SELECT FROM pg_settings WHERE name = 'lock_timeout' AND setting = '0')",
      'pg_settings',
    ],
    ['DELETE FROM orders WHERE xmin = pg_current_xact_id()::xid', 'pg_current_xact_id()'],
  ];
  for (const [sql, by] of cases) {
    const found = words(await tryOut(() => client.query(sql))).join('\n');
    t.notMatch(found, /exactly/, sql);
    t.ok(found.includes(`not sure: the real run may do more: it depends on ${by}`), `${sql}: ${found}`);
  }
});

import pg from 'pg';
import t from 'tap';
import { createAnalyser } from '../../src/sql/analyser.js';
import type { Facts } from '../../src/sql/facts.js';
import { type PostgresVersion, postgresAvailable, startPostgres } from '../helpers/postgres.js';
import { readCorpus } from './corpus.js';

const analyser = await createAnalyser();
const corpus = readCorpus();

/** Nothing but reading: what must be possible in a read-only transaction. */
function isRead(facts: Facts): boolean {
  if (facts.unparseable || facts.statements.length === 0) return false;
  return facts.statements.every((one) => !one.transaction && one.effects.every((effect) => effect.kind === 'read'));
}

t.test('the corpus is large, and its labels do not contradict each other', (t) => {
  t.ok(corpus.length >= 600, `${corpus.length} statements`);
  const labels = new Map<string, string>();
  for (const { sql, label } of corpus) {
    t.equal(labels.get(sql) ?? label, label, sql.slice(0, 80));
    labels.set(sql, label);
  }
  t.end();
});

t.test('every statement is understood', (t) => {
  for (const { sql, tool } of corpus) {
    const facts = analyser.analyse(sql);
    t.equal(facts.unparseable, undefined, `${tool}: ${sql.slice(0, 80)}`);
    const unknown = facts.statements.some((one) => one.effects.some((effect) => effect.kind === 'unknown'));
    t.notOk(unknown, 'no node that is not known');
  }
  t.end();
});

t.test('nothing dangerous looks like a plain read', (t) => {
  for (const { sql, label, why } of corpus) {
    // Secrets in catalogs are read: that is for the policy to know.
    if (label === 'dangerous' && !/^reads .*(hashes|passwords)/.test(why)) {
      const facts = analyser.analyse(sql);
      const opaque = facts.statements.some((one) => one.effects.some((effect) => effect.opaque));
      t.notOk(isRead(facts) && !opaque, sql.slice(0, 80));
    }
  }
  t.end();
});

const schema = `
  CREATE TABLE users (id bigserial PRIMARY KEY, parent_id bigint, email text UNIQUE, name text, ssn text, active bool,
    admin bool, last_login timestamptz, updated_at timestamptz, created_at timestamptz DEFAULT now(), deleted_at timestamptz);
  CREATE TABLE orders (id bigserial PRIMARY KEY, user_id bigint REFERENCES users, total numeric, status text,
    updated_at timestamptz, created_at timestamptz DEFAULT now());
  CREATE TABLE items (id serial PRIMARY KEY, order_id bigint REFERENCES orders, sku text, qty int);
  CREATE TABLE categories (id int, parent_id int, name text);
  CREATE TABLE events (data jsonb);
  CREATE TYPE mood AS ENUM ('a', 'b');
  CREATE VIEW active_users AS SELECT id, email FROM users WHERE active;
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  INSERT INTO users (email, name, active) SELECT 'u' || n, 'n' || n, n % 2 = 0 FROM generate_series(1, 50) n;
  INSERT INTO orders (user_id, total, status) SELECT 1 + n % 50, n, 'new' FROM generate_series(1, 100) n;
  INSERT INTO items (order_id, sku, qty) SELECT 1 + n % 100, 'x', n FROM generate_series(1, 100) n;`;

for (const version of [15, 18] satisfies PostgresVersion[]) {
  const name = `PostgreSQL ${version} lets every read of the corpus run in a read-only transaction`;
  t.test(name, { skip: !postgresAvailable(version) }, async (t) => {
    const server = await startPostgres({ version });
    t.teardown(() => server.stop());
    const client = new pg.Client({ connectionString: server.url() });
    await client.connect();
    t.teardown(() => client.end());
    await client.query(schema);
    await client.query("SET statement_timeout = '2s'");

    let ran = 0;
    let succeeded = 0;
    for (const { sql } of corpus) {
      if (!isRead(analyser.analyse(sql))) continue;
      ran += 1;
      await client.query('BEGIN READ ONLY');
      // Without values for its parameters a statement would not run at all.
      await client.query(sql.replace(/\$\d+/g, 'NULL')).then(
        () => {
          succeeded += 1;
        },
        (error: { code?: string }) => t.not(error.code, '25006', sql.slice(0, 100)),
      );
      await client.query('ROLLBACK');
    }
    t.ok(ran > 300, `${ran} reads`);
    t.ok(succeeded > ran / 2, `${succeeded} of them ran to their end`);
  });
}

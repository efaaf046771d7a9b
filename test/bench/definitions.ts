/** What definitions cost on the way: after each of them dbguard has to know anew what it judges statements by. */
import pg from 'pg';
import type { Measure } from './measures.js';
import type { BenchTarget } from './targets.js';

/** A dump of a schema, as psql -1 sends it: statement by statement in one transaction. Some twenty lines a table. */
export function schemaFile(tables: number): Measure {
  const statements = Array.from({ length: tables }, (_, n) => tableOf(n)).flat();
  const lines = statements.join(';\n').split('\n').length;
  return {
    name: `a schema of ${lines} lines, one transaction`,
    ...{ unit: 'ms', more: false, goals: [{ of: 'direct', ratio: 1.5 }] },
    of: (target) => inSchema(target.observing ?? target, ['BEGIN', ...statements, 'COMMIT']),
  };
}

/** As a regression suite does: what was just made is used at once. */
export function mixedDefinitions(rounds: number): Measure {
  const statements = Array.from({ length: rounds }, (_, n) => made(n)).flat();
  return {
    name: `${statements.length} definitions and uses, mixed`,
    ...{ unit: 'ms', more: false, goals: [{ of: 'direct', ratio: 1.5 }] },
    of: (target) => inSchema(target.observing ?? target, statements),
  };
}

function tableOf(n: number): string[] {
  const columns = Array.from(
    { length: 12 },
    (_, column) => `  column_${column} character varying(80) DEFAULT ''::text`,
  );
  return [
    `CREATE TABLE table_${n} (\n  id bigint NOT NULL,\n  parent bigint,\n${columns.join(',\n')}\n)`,
    `ALTER TABLE ONLY table_${n}\n  ADD CONSTRAINT table_${n}_pkey PRIMARY KEY (id)`,
    `CREATE INDEX table_${n}_parent ON table_${n} USING btree (parent)`,
    `ALTER TABLE ONLY table_${n}\n  ADD CONSTRAINT table_${n}_parent FOREIGN KEY (parent) REFERENCES table_${n >> 1} (id)`,
    `COMMENT ON TABLE table_${n} IS 'Table ${n}'`,
  ];
}

function made(n: number): string[] {
  return [
    `CREATE TABLE made_${n} (id int PRIMARY KEY, name text)`,
    `INSERT INTO made_${n} VALUES (1, 'one')`,
    `CREATE FUNCTION next_${n}(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + ${n}'`,
    `SELECT next_${n}(id) FROM made_${n}`,
    `ALTER TABLE made_${n} ADD COLUMN price int`,
    `UPDATE made_${n} SET price = next_${n}(1) WHERE id = 1`,
    `CREATE VIEW seen_${n} AS SELECT id, price FROM made_${n}`,
    `SELECT * FROM seen_${n}`,
  ];
}

/** Milliseconds for all of them in a schema of their own. Throws when one of them is refused: that would be fast. */
async function inSchema(target: BenchTarget, statements: readonly string[]): Promise<number> {
  const { host, port, user, password, database } = target;
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  try {
    const schema = `bench_${Math.random().toString(36).slice(2)}`;
    await client.query(`CREATE SCHEMA ${schema}`);
    await client.query(`SET search_path = ${schema}`);
    const start = performance.now();
    for (const statement of statements) await client.query(statement);
    return performance.now() - start;
  } finally {
    await client.end();
  }
}

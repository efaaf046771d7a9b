/** Errors of statements that touch masked columns: what holds no value keeps its text, and no value comes through. */
import t from 'tap';
import { startMaskedDatabase } from './database.js';
import { usableSchema, usableYaml } from './usable-queries.js';

const database = await startMaskedDatabase(
  usableYaml,
  `${usableSchema}
  CREATE FUNCTION fails(v text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN v::int; END $$;
  CREATE FUNCTION raises(v text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    RAISE 'null value in column "%" of relation "users" violates not-null constraint', v USING ERRCODE = '23502'; END $$;
  CREATE FUNCTION twice(v text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'duplicate key' USING ERRCODE = '23505',
    DETAIL = 'Key (id)=(' || v || ') already exists.', TABLE = 'users', SCHEMA = 'public', HINT = v; END $$;`,
);
t.teardown(() => database.stop());

for (const [sql, message] of [
  ['INSERT INTO users (id) VALUES (9)', 'null value in column "name" of relation "users" violates not-null constraint'],
  [
    `INSERT INTO users (id, name, email) VALUES (9, 'x', 'CANARYa@x')`,
    'duplicate key value violates unique constraint "users_email_key"',
  ],
  [
    `INSERT INTO users (id, name, age) VALUES (9, 'x', -1)`,
    'new row for relation "users" violates check constraint "users_age_check"',
  ],
  [
    `INSERT INTO posts VALUES (99, 999, 'x')`,
    'insert or update on table "posts" violates foreign key constraint "posts_user_id_fkey"',
  ],
  ['SELECT id / 0 FROM users', 'division by zero'],
  ['SELECT id + 2147483647 FROM users WHERE ssn IS NOT NULL', 'integer out of range'],
  ['SELECT nme FROM users', 'column "nme" does not exist'],
  ['SELECT email FROM users WHERE emial = 1', 'column "emial" does not exist'],
  ['SELECT nothing(email) FROM users', 'function nothing(text) does not exist'],
  ['SELECT email::int FROM users', 'invalid input syntax for type integer; the value is masked'],
  ['SELECT ssn::date FROM users', 'invalid input syntax for type date; the value is masked'],
  ['SELECT ssn::regclass FROM users', 'the server reported a problem; its text is masked'],
  ['SELECT name::int FROM users', 'invalid input syntax for type integer: "Ada"'],
  [`SELECT name::int FROM users WHERE name = 'Ada'`, 'invalid input syntax for type integer: "Ada"'],
  ['SELECT name::int, ssn FROM users', 'invalid input syntax for type integer; the value is masked'],
  [
    `SELECT (jsonb_build_object('a', ssn::int, 'n', name)) ->> 'n' FROM users`,
    'invalid input syntax for type integer; the value is masked',
  ],
  ['SELECT name FROM users ORDER BY ssn::int', 'invalid input syntax for type integer; the value is masked'],
  [
    'WITH w AS MATERIALIZED (SELECT name, ssn::int FROM users) SELECT name FROM w ORDER BY ssn',
    'invalid input syntax for type integer; the value is masked',
  ],
  ['SELECT id FROM users WHERE (users.*)::text::int = 1', 'invalid input syntax for type integer; the value is masked'],
  ['SELECT fails(ssn) FROM users', 'a value is not valid for its type; its text is masked'],
  ['SELECT raises(ssn) FROM users', 'a column that must not be null would be; its text is masked'],
] as const) {
  t.test(sql, async (t) => {
    const client = await database.connect();
    t.teardown(() => client.close());
    const raw = await client.query(sql, { raw: true });
    t.equal(raw.errors.length, 1, 'it fails');
    const { bytes, errors } = await client.query(sql);
    t.ok(errors[0]?.includes(`M${message}\0`), `${message}: ${errors[0]?.replaceAll('\0', ' ')}`);
    t.notMatch(bytes.toString('latin1'), /CANARY/);
  });
}

for (const [sql, field] of [
  [`INSERT INTO users (id, name) VALUES (1, 'x')`, 'DKey (id)=(1) already exists.'],
  [`INSERT INTO users (id, name, email) VALUES (9, 'x', 'CANARYa@x')`, undefined],
  [
    `INSERT INTO payments VALUES (99, 999, 1, 'CANARY-9', 'open')`,
    'DKey (user_id)=(999) is not present in table "users".',
  ],
  ['DELETE FROM users WHERE id = 1', 'DKey (id)=(1) is still referenced from table "posts".'],
  [`INSERT INTO users (id, name, age) VALUES (9, 'x', -1)`, undefined],
  ['SELECT nme, ssn FROM users', 'HPerhaps you meant to reference the column "users.name".'],
  [
    'SELECT lower(id, ssn) FROM users',
    'HNo function matches the given name and argument types. You might need to add explicit type casts.',
  ],
  ['SELECT twice(ssn) FROM users', undefined],
] as const) {
  t.test(`what stands beside the error of ${sql}`, async (t) => {
    const client = await database.connect();
    t.teardown(() => client.close());
    const raw = await client.query(sql, { raw: true });
    t.equal(raw.errors.length, 1, 'it fails');
    const { bytes, errors } = await client.query(sql);
    const beside = errors[0]?.split('\0').filter((one) => /^[DH]/.test(one));
    t.same(beside, field === undefined ? [] : [field]);
    t.notMatch(bytes.toString('latin1'), /CANARY/);
  });
}

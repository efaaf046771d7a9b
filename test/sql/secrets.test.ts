/** Where a statement holds secrets: none is left, whatever it looks like; and nothing else is hidden. */
import fc from 'fast-check';
import t from 'tap';
import { createAnalyser } from '../../src/sql/analyser.js';
import { parametersNamedBy, secretsIn, withoutSecrets } from '../../src/sql/secrets/secrets.js';
import { bindStatements, harmless, keys, namedByBinds, unreadable, withSecret } from './secret-statements.js';

const analyser = await createAnalyser();

/** Long enough not to stand in a statement by chance; with what quoting and patterns stumble over. */
const secret = fc
  .string({ minLength: 4, maxLength: 24, unit: fc.constantFrom(...'abcXYZ0189!#%&*+-./:<=>?@^_|~éß€ ,;()[]{}$"\'\\`') })
  .map((text) => `Zq7${text}Kj2`)
  // what reads as an address is taken for one where nothing but its place speaks for a secret
  .filter((text) => !/^\S+@[\w-]+\.[\w.]+$|^\w+:\/\//.test(text));

t.test('no secret is left in a text, and none in what is said about it', async (t) => {
  for (const [kind, make] of Object.entries(withSecret)) {
    await t.test(kind, async (t) => {
      fc.assert(
        fc.property(secret, (value) => {
          const sql = make(value);
          const facts = analyser.analyse(sql);
          const secrets = secretsIn(sql, !facts.unparseable);
          const told = [withoutSecrets(sql, secrets), JSON.stringify(facts)];
          // no piece of it either: the beginning, the end and the middle as they stand in this quoting
          return told.every((text) => !/Zq7|Kj2/.test(text));
        }),
        { numRuns: 200 },
      );
      t.pass();
    });
  }
});

t.test('a text that no grammar reads hides its literals where it speaks of secrets', async (t) => {
  for (const make of unreadable) {
    fc.assert(
      fc.property(secret, (value) => {
        const sql = make(value);
        const facts = analyser.analyse(sql);
        const told = [withoutSecrets(sql, secretsIn(sql, !facts.unparseable)), JSON.stringify(facts)];
        return told.every((text) => !/Zq7|Kj2/.test(text));
      }),
      { numRuns: 100 },
    );
  }
  t.pass();
});

t.test('a key says by its form that it is one', async (t) => {
  for (const key of keys) {
    for (const sql of [`INSERT INTO t VALUES (1, '${key}')`, `SELECT 1 -- ${key}`, `SELECT f('{"x":"${key}"}')`]) {
      t.notMatch(withoutSecrets(sql, secretsIn(sql)), key.slice(4), sql);
    }
  }
});

t.test('a text that costs too much to look at hides its literals', async (t) => {
  for (const opening of ['crypt(', 'md5(', 'password = (', 'CASE WHEN password = ']) {
    const sql = `SELECT ${opening.repeat(8000)}'Zq7 Kj2'`;
    t.notMatch(withoutSecrets(sql, secretsIn(sql)), /Zq7/, opening);
  }
});

t.test('parameters that are secrets', async (t) => {
  for (const [sql, parameters] of bindStatements) {
    const found = secretsIn(sql).parameters;
    t.strictSame(found === 'all' ? 'all' : [...found], parameters, sql);
  }
});

t.test('parameters that another one names', async (t) => {
  for (const [sql, bind, places] of namedByBinds) {
    const found = parametersNamedBy(sql, bind);
    t.strictSame(found === 'all' ? 'all' : [...found], places, `${sql} ${bind}`);
  }
});

t.test('all else stays as it is', async (t) => {
  for (const sql of [
    ...harmless,
    "SELECT * FROM users WHERE name = 'password'",
    "INSERT INTO settings (kind, note) VALUES ('token', 'what it is for')",
    "COMMENT ON COLUMN users.password IS 'a hash'",
    'CREATE TABLE users (id int, password text NOT NULL, token text)',
    "ALTER TABLE users ADD COLUMN password_changed_at date DEFAULT '2020-01-01'",
    "ALTER ROLE bob PASSWORD NULL VALID UNTIL 'infinity'",
    "SET password_encryption = 'scram-sha-256'",
    "SELECT set_config('search_path', 'public', false)",
    "SELECT id FROM sessions WHERE token_count > 5 AND note LIKE '%pass%'",
    "CREATE SUBSCRIPTION s CONNECTION 'host=h user=u dbname=x' PUBLICATION p",
    "COPY orders TO PROGRAM 'gzip > /tmp/orders.gz'",
    "SELECT 'https://example.com/path?x=1'",
    "UPDATE users SET email = 'a@b.c' WHERE password IS NULL",
    "SELECT digest('text', 'sha256'), encode('abc', 'hex')",
    "CREATE USER MAPPING FOR bob SERVER s OPTIONS (user 'remote')",
    "SELECT password FROM users WHERE name = 'bob'",
    "SELECT u.password, 'x' AS note FROM users u WHERE u.name IN ('bob', 'al')",
    "INSERT INTO users (name, password) SELECT 'bob', password FROM old WHERE region = 'eu'",
    "INSERT INTO users (name, password) VALUES ('bob', NULL)",
    "UPDATE users SET (name, password) = ('bob', DEFAULT) WHERE region = 'eu'",
    "WITH x(name, password) AS (SELECT name, password FROM users WHERE region = 'eu') SELECT count(*) FROM x",
    "UPDATE users SET password = CASE WHEN name = 'bob' THEN NULL END",
    "SELECT id FROM users WHERE password IS NOT NULL AND name <> 'bob'",
    "CREATE INDEX ON users (token) WHERE state = 'open'",
    "CREATE TABLE t (password text NOT NULL, state text DEFAULT 'open')",
    "INSERT INTO settings (key, value) VALUES ('theme', 'dark')",
    "UPDATE settings SET value = 'dark' WHERE key = 'theme'",
    "UPDATE t SET doc = jsonb_set(doc, '{smtp,host}', '\"h\"')",
    'SET app.jwt_secret TO DEFAULT',
    "SELECT length(password), 'x' FROM users GROUP BY 1",
    "COPY t FROM PROGRAM 'cp -p /a/b /c'",
    "COPY t FROM PROGRAM 'ssh -p 2222 h cat x'",
    "INSERT INTO docs (title, body) VALUES ('Reset', 'Click to reset your password.')",
  ]) {
    t.equal(withoutSecrets(sql, secretsIn(sql)), sql);
  }
});

t.test('the rest of a statement with a secret can still be judged', async (t) => {
  const shown = (sql: string) => withoutSecrets(sql, secretsIn(sql));
  t.equal(
    shown("CREATE SUBSCRIPTION s CONNECTION 'host=evil.example user=u password=x1y2 dbname=d' PUBLICATION p"),
    "CREATE SUBSCRIPTION s CONNECTION 'host=evil.example user=u password=<hidden> dbname=d' PUBLICATION p",
  );
  t.equal(
    shown("UPDATE users SET password = crypt('x1y2', gen_salt('bf')) WHERE name = 'bob'"),
    "UPDATE users SET password = crypt('<hidden>', gen_salt('bf')) WHERE name = 'bob'",
  );
  t.equal(
    shown("DO $$ BEGIN EXECUTE 'DROP TABLE a'; EXECUTE 'ALTER ROLE b PASSWORD ''x1y2'''; END $$"),
    "DO $$ BEGIN EXECUTE 'DROP TABLE a'; EXECUTE 'ALTER ROLE b PASSWORD ''<hidden>'''; END $$",
  );
});

/**
 * Code that a transaction puts where it runs by itself, and takes away again before the catalog can be read: triggers,
 * rules, policies, defaults, functions, event triggers. What it wrote must not show afterwards; what it left lasting is
 * followed; and migrations that define such code and write elsewhere go on as they are.
 */
import pg from 'pg';
import t from 'tap';
import { combineConfigs } from '../../src/policy/combine.js';
import { parseConfig } from '../../src/policy/config.js';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { startAttendedProxy } from './attended-proxy.js';

const body = (sql: string): string => `LANGUAGE plpgsql AS 'BEGIN ${sql.replaceAll("'", "''")} END'`;
const trigger = (sql: string): string => `CREATE FUNCTION passing() RETURNS trigger ${body(`${sql}; RETURN NEW;`)}`;
const leak = 'INSERT INTO sink (v) SELECT card FROM people';

const setup = `
  CREATE TABLE people (id int PRIMARY KEY, name text, card text);
  INSERT INTO people VALUES (1, 'Ada', 'CANARY-1'), (2, 'Bob', 'CANARY-2');
  CREATE TABLE sink (id int, v text, w text);
  CREATE TABLE notes (id int PRIMARY KEY, text text);
  INSERT INTO notes VALUES (1, 'note');
  CREATE TABLE replies (note int REFERENCES notes ON DELETE CASCADE, text text);
  INSERT INTO replies VALUES (1, 'reply');
  CREATE TABLE counted (id int, text text);
  CREATE FUNCTION counting() RETURNS trigger ${body('RETURN NEW;')};
  CREATE TRIGGER counting BEFORE INSERT OR UPDATE ON counted FOR EACH ROW EXECUTE FUNCTION counting();
  CREATE FUNCTION word() RETURNS text ${body(`RETURN 'word';`)};
  CREATE TABLE worded (id int, text text DEFAULT word());
  CREATE VIEW words AS SELECT word() AS word;
  CREATE TABLE migrations (version text);
  CREATE TABLE letters (id int, text text);
  CREATE FUNCTION copying() RETURNS trigger ${body(`EXECUTE format('INSERT INTO %I (v) SELECT ($1).card', TG_ARGV[0]) USING NEW; RETURN NEW;`)};
  CREATE FUNCTION hidden_copy() RETURNS text ${body(`EXECUTE 'INSERT INTO si' || 'nk (v) SELECT card FROM people'; RETURN 'x';`)};
`;

/** The texts of a transaction; what they wrote is read after it. */
const attacks: readonly (readonly string[])[] = [
  [
    trigger('INSERT INTO sink (v) VALUES (NEW.card)'),
    'CREATE TRIGGER passing AFTER UPDATE ON people FOR EACH ROW EXECUTE FUNCTION passing()',
    'UPDATE people SET name = name || 1',
    'DROP FUNCTION passing CASCADE',
  ],
  [
    trigger(leak),
    'CREATE TRIGGER passing BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION passing()',
    `INSERT INTO notes VALUES (7, 'x')`,
    'DROP TRIGGER passing ON notes',
  ],
  [
    trigger(leak),
    'CREATE TRIGGER passing AFTER DELETE ON replies FOR EACH ROW EXECUTE FUNCTION passing()',
    'DELETE FROM notes',
    'DROP TRIGGER passing ON replies',
  ],
  [
    trigger(leak),
    'CREATE TRIGGER passing AFTER INSERT ON migrations FOR EACH ROW EXECUTE FUNCTION passing()',
    'ALTER TABLE migrations RENAME TO others',
    `INSERT INTO others VALUES ('1')`,
    'DROP TRIGGER passing ON others',
    'ALTER TABLE others RENAME TO migrations',
  ],
  [
    trigger(leak),
    'CREATE TRIGGER passing AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION passing()',
    `WITH x AS (INSERT INTO notes VALUES (7, 'x') RETURNING id) SELECT id FROM x`,
    'DROP TRIGGER passing ON notes',
  ],
  [
    trigger(leak),
    'CREATE TRIGGER passing AFTER UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION passing()',
    `PREPARE p AS UPDATE notes SET text = 'y'`,
    'EXECUTE p',
    'DROP TRIGGER passing ON notes',
  ],
  [
    `CREATE RULE passing AS ON INSERT TO notes DO ALSO ${leak}`,
    `INSERT INTO notes VALUES (7, 'x')`,
    'DROP RULE passing ON notes',
  ],
  [
    `CREATE OR REPLACE FUNCTION counting() RETURNS trigger ${body(`${leak}; RETURN NEW;`)}`,
    `INSERT INTO counted VALUES (1, 'x')`,
    `CREATE OR REPLACE FUNCTION counting() RETURNS trigger ${body('RETURN NEW;')}`,
  ],
  [
    `CREATE OR REPLACE FUNCTION word() RETURNS text ${body(`${leak}; RETURN 'word';`)}`,
    'INSERT INTO worded (id) VALUES (1)',
    `CREATE OR REPLACE FUNCTION word() RETURNS text ${body(`RETURN 'word';`)}`,
  ],
  [
    `CREATE OR REPLACE FUNCTION word() RETURNS text ${body(`${leak}; RETURN 'word';`)}`,
    'SELECT word FROM words',
    `CREATE OR REPLACE FUNCTION word() RETURNS text ${body(`RETURN 'word';`)}`,
  ],
  [
    `CREATE OR REPLACE FUNCTION word() RETURNS text ${body(`${leak}; RETURN 'word';`)}`,
    'SELECT word()',
    `CREATE OR REPLACE FUNCTION word() RETURNS text ${body(`RETURN 'word';`)}`,
  ],
  [
    `CREATE FUNCTION passing() RETURNS int ${body(`${leak}; RETURN 1;`)}`,
    'ALTER TABLE notes ADD CHECK (passing() = 1) NOT VALID',
    `INSERT INTO notes VALUES (7, 'x')`,
    'DROP FUNCTION passing CASCADE',
  ],
  [
    'ALTER TABLE people ADD copied text GENERATED ALWAYS AS (upper(card)) STORED',
    'ALTER TABLE people ALTER copied DROP EXPRESSION',
    'ALTER TABLE people RENAME copied TO v',
  ],
  [
    `CREATE FUNCTION passing() RETURNS event_trigger ${body(`${leak};`)}`,
    'CREATE EVENT TRIGGER passing ON ddl_command_end EXECUTE FUNCTION passing()',
    'CREATE TABLE made (id int)',
    'DROP EVENT TRIGGER passing',
  ],
];

/** Code that stays, by which values reach a column in ways of their own; each in a transaction. */
const lasting: readonly (readonly string[])[] = [
  ['MERGE INTO sink USING (SELECT NEW.card AS c) s ON false WHEN NOT MATCHED THEN INSERT (v) VALUES (s.c)'],
  ['INSERT INTO sink VALUES ((ROW(1, NEW.card, NULL)::sink).*)'],
  ['INSERT INTO sink SELECT (jsonb_populate_record(NULL::sink, jsonb_build_object($$v$$, NEW.card))).*'],
  ['DECLARE r sink; BEGIN r := ROW(1, NEW.card, 2); INSERT INTO sink VALUES (r.*); END'],
  ['DECLARE r sink%ROWTYPE; BEGIN SELECT 1, NEW.card, NULL INTO r; INSERT INTO sink VALUES (r.*); END'],
  ['DECLARE r record; BEGIN r := ROW(1, NEW.card, 2); INSERT INTO sink VALUES (r.*); END'],
  ['DECLARE r sink; BEGIN r.v := NEW.card; INSERT INTO sink SELECT r.*; END'],
  [`EXECUTE 'INSERT INTO si' || 'nk (v) SELECT ($1).card' USING NEW`],
  [`PERFORM into_sink(NEW.card)`],
].map(([sql = '']) => [
  `CREATE OR REPLACE FUNCTION into_sink(v text) RETURNS int ${body(`EXECUTE 'INSERT INTO si' || 'nk (v) VALUES ($1)' USING v; RETURN 1;`)}`,
  trigger(sql),
  'CREATE TRIGGER passing AFTER UPDATE ON people FOR EACH ROW EXECUTE FUNCTION passing()',
]);

/** The same by functions that were there before the run: the texts of a transaction that follows. */
const dynamic: readonly (readonly string[])[] = [
  [
    `CREATE TRIGGER passing AFTER UPDATE ON people FOR EACH ROW EXECUTE FUNCTION copying('sink')`,
    'UPDATE people SET name = name || 1',
  ],
  ['ALTER TABLE notes ALTER text SET DEFAULT hidden_copy()', 'INSERT INTO notes (id) VALUES (20)'],
  ['CREATE RULE passing AS ON INSERT TO notes DO ALSO SELECT hidden_copy()', 'INSERT INTO notes (id) VALUES (21)'],
];

const reads = ['SELECT v || 1, w || 1 FROM sink', 'SELECT p || $$1$$ FROM people p', 'SELECT v || 1 FROM people'];

const server = await startPostgres({ auth: 'trust' });
t.teardown(() => server.stop());
const yaml = 'version: 1\nmask: [{ column: people.card, with: "null" }]';
const masked = {
  config: combineConfigs([{ level: 'user', config: parseConfig(yaml, 'dbguard.yaml') }]),
  audience: {
    subject: 'dev',
    groups: undefined,
    environments: ['production' as const],
    connection: 'test',
    agent: 'a',
  },
};
const policy = compilePolicy([], { profile: 'observe' });
const { connect } = await startAttendedProxy(t, server, setup, { masked, policy });

/** What came back of the texts, those that fail left out. */
async function run(client: pg.Client, texts: readonly string[], begin = false): Promise<string> {
  const seen: unknown[] = [];
  client.on('notice', ({ message }) => seen.push(message));
  for (const text of texts) {
    if (begin) await client.query('SAVEPOINT one');
    const result = await client.query({ text, rowMode: 'array' }).catch((error: Error) => error);
    if (result instanceof Error && begin) await client.query('ROLLBACK TO one');
    seen.push(
      result instanceof Error
        ? result.message
        : JSON.stringify(Array.isArray(result) ? result.map(({ rows }) => rows) : result.rows),
    );
  }
  return seen.join('\n');
}

for (const attack of attacks) {
  t.test(attack.join('; '), async (t) => {
    const direct = new pg.Client({ connectionString: server.url() });
    await direct.connect();
    await direct.query('BEGIN');
    t.match(await run(direct, [...attack, ...reads], true), /CANARY/, 'straight to the server it shows');
    await direct.query('ROLLBACK');
    await direct.end();
    for (const texts of [['BEGIN', ...attack, 'COMMIT'], [attack.join('; ')], attack]) {
      const client = await connect();
      const seen = await run(client, [...texts, 'ROLLBACK', ...reads]);
      t.notMatch(seen, /CANARY/i, texts.join('; '));
      await run(client, ['DROP FUNCTION IF EXISTS passing CASCADE', 'DROP TABLE IF EXISTS made']);
      await client.end();
    }
  });
}

t.test('what stays is followed into each column that it may reach', async (t) => {
  for (const texts of [...lasting, ...dynamic]) {
    const client = await connect();
    await run(client, texts);
    const seen = await run(client, ['UPDATE people SET name = name || 1', ...reads]);
    t.notMatch(seen, /CANARY/, texts.join('; '));
    await run(client, [
      'DROP FUNCTION IF EXISTS passing CASCADE',
      'DROP TRIGGER IF EXISTS passing ON people',
      'ALTER TABLE notes ALTER text DROP DEFAULT',
      'DROP RULE IF EXISTS passing ON notes',
    ]);
    const after = await run(client, reads);
    t.notMatch(after, /CANARY/, 'and after it is gone');
    await client.end();
  }
});

t.test('a migration that defines code and writes elsewhere', async (t) => {
  const client = await connect();
  t.teardown(() => client.end());
  const seen = await run(client, [
    'BEGIN',
    trigger('NEW.text := lower(NEW.text)'),
    'CREATE TRIGGER passing BEFORE INSERT ON letters FOR EACH ROW EXECUTE FUNCTION passing()',
    'CREATE TABLE made (id int, at timestamptz DEFAULT now())',
    'INSERT INTO made VALUES (1)',
    `INSERT INTO migrations VALUES ('20250101')`,
    'SELECT count(*) FROM migrations',
    'COMMIT',
    `INSERT INTO letters VALUES (9, 'Loud') RETURNING text`,
    'UPDATE letters SET text = $$quiet$$ WHERE id = 9 RETURNING text',
  ]);
  t.match(seen, /\[\["\d"\]\][\s\S]*\[\["loud"\]\]\n\[\["quiet"\]\]$/);
  t.notMatch(seen, /denied/);
});

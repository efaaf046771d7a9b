/**
 * Tables and views that an open transaction has made show what is clean at once, in whatever protocol, and nothing that is
 * masked: by a rule that names them, or because values of masked columns may have got there.
 */
import pg from 'pg';
import t from 'tap';
import { query } from '../helpers/wire-messages.js';
import { seenOf, startMaskedStage, type Text } from './masked-stage.js';

const setup = `
  CREATE TABLE people (id int PRIMARY KEY, name text, card text UNIQUE);
  INSERT INTO people VALUES (1, 'Ada', 'CANARY-1'), (2, 'Bob', 'CANARY-2');
  CREATE TABLE notes (id int, text text);
  INSERT INTO notes VALUES (1, 'note');
  CREATE TABLE spare (v text);
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE VIEW other.w AS SELECT card AS v, id AS b FROM public.people;
  CREATE FUNCTION card() RETURNS text LANGUAGE sql STABLE AS 'SELECT card FROM public.people WHERE id = 1';
  CREATE TABLE filled (v text DEFAULT card(), b int);
  CREATE TABLE computed (card text, v text GENERATED ALWAYS AS (lower(card)) STORED);
  CREATE FUNCTION plain() RETURNS text LANGUAGE sql STABLE AS 'SELECT ''plain''';
  CREATE FUNCTION fill() RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO w SELECT card FROM people; RETURN 1; END';
  CREATE FUNCTION fill_named(name text) RETURNS int LANGUAGE plpgsql AS 'BEGIN
    EXECUTE ''INSERT INTO '' || name || '' SELECT card FROM people''; RETURN 1; END';
  CREATE FUNCTION remake() RETURNS int LANGUAGE plpgsql AS 'BEGIN
    CREATE TEMP VIEW w AS SELECT card AS v, id AS b FROM people; RETURN 1; END';
  CREATE FUNCTION peek(int, int) RETURNS text LANGUAGE sql STABLE AS 'SELECT card FROM public.people WHERE id = 1';
  CREATE FUNCTION swap() RETURNS int LANGUAGE plpgsql AS 'BEGIN
    DROP TABLE w; CREATE VIEW w AS SELECT card AS v, id AS b FROM people; RETURN 1; END';
`;

const { server, connect, direct, raw } = await startMaskedStage(
  t,
  setup,
  '{ column: "*.card", with: "null" }, { column: customers.email, with: partial, keep: 3 }',
);

const { user = 'postgres' } = new pg.Client({ connectionString: server.url() });

const orders = `CREATE TABLE orders (id serial PRIMARY KEY, item text NOT NULL DEFAULT 'none', price numeric(10, 2) CHECK (price > 0),
  tags text[], made timestamptz DEFAULT now(), twice numeric GENERATED ALWAYS AS (price * 2) STORED)`;
const insert = `INSERT INTO orders (item, price) VALUES ('a', 1.5), ('b', 2)`;

/** What is expected of the last text. */
const shows: readonly (readonly [texts: readonly Text[], expected: string])[] = [
  [[orders, `${insert} RETURNING id, item, twice`], '1,a,3.00 2,b,4.00'],
  [[orders, insert, 'SELECT id, item, price, twice FROM orders ORDER BY id'], '1,a,1.50,3.00 2,b,2.00,4.00'],
  [[orders, insert, 'SELECT upper(item) || id FROM orders ORDER BY id'], 'A1 B2'],
  [[orders, insert, `UPDATE orders SET item = item || 'x' WHERE id = 1 RETURNING item`], 'ax'],
  [[orders, insert, 'DELETE FROM orders WHERE id = 1 RETURNING *', 'SELECT count(*) FROM orders'], '1'],
  [
    [orders, insert, "SELECT to_jsonb(o) - 'made' FROM orders o WHERE id = 1"],
    '{"id":1,"item":"a","tags":null,"price":1.5,"twice":3}',
  ],
  [[orders, insert, { text: 'SELECT item FROM orders WHERE id = $1', values: [2] }], 'b'],
  [
    [orders, { text: 'INSERT INTO orders (item, price) VALUES ($1, $2) RETURNING id, upper(item)', values: ['q', 1] }],
    '1,Q',
  ],
  [
    [orders, insert, 'SELECT o.item, p.name, p.card FROM orders o JOIN people p USING (id) ORDER BY 1'],
    'a,Ada,null b,Bob,null',
  ],
  [
    [
      orders,
      'CREATE TABLE lines (id int, order_id int REFERENCES orders ON DELETE CASCADE)',
      insert,
      'INSERT INTO lines VALUES (1, 1)',
      'SELECT item, l.id + 1 FROM lines l JOIN orders o ON o.id = order_id',
    ],
    'a,2',
  ],
  [
    [
      orders,
      "ALTER TABLE orders ADD COLUMN note text DEFAULT 'n', ADD person int REFERENCES people (id) ON UPDATE CASCADE",
      insert,
      'SELECT note || 1, person FROM orders WHERE id = 1',
    ],
    'n1,null',
  ],
  [
    [
      orders,
      "ALTER TABLE ONLY orders ADD CONSTRAINT u UNIQUE (item), ALTER item SET DEFAULT 'z', ALTER price SET NOT NULL",
      insert,
      'SELECT lower(item) FROM orders WHERE id = 1',
    ],
    'a',
  ],
  [
    [
      orders,
      'CREATE INDEX ON orders (item)',
      "COMMENT ON TABLE orders IS 'x'",
      'GRANT SELECT ON orders TO PUBLIC',
      insert,
      'SELECT upper(item) FROM orders WHERE id = 1',
    ],
    'A',
  ],
  [
    [
      orders,
      'CREATE VIEW v AS SELECT id, upper(item) AS item FROM orders',
      'CREATE VIEW x AS SELECT v.*, name, card FROM v JOIN people USING (id)',
      insert,
      'SELECT item || 1, name, card FROM x ORDER BY 1',
    ],
    'A1,Ada,null B1,Bob,null',
  ],
  [
    [
      'CREATE VIEW v AS SELECT name, card FROM people',
      'CREATE OR REPLACE VIEW v AS SELECT upper(name) AS name, card FROM people',
      'SELECT name || 1, card FROM v ORDER BY 1',
    ],
    'ADA1,null BOB1,null',
  ],
  [['CREATE TABLE copied AS SELECT id, name FROM people', 'SELECT name || id FROM copied ORDER BY 1'], 'Ada1 Bob2'],
  [['SELECT id, name INTO copied FROM people', 'SELECT name || id FROM copied ORDER BY 1'], 'Ada1 Bob2'],
  [
    [
      orders,
      insert,
      'SAVEPOINT s',
      'SELECT item FROM orders WHERE id = 1',
      'RELEASE s',
      'SELECT item || 1 FROM orders WHERE id = 1',
    ],
    'a1',
  ],
  [
    [
      'CREATE TABLE IF NOT EXISTS public.kept (v text)',
      `INSERT INTO public.kept VALUES ('x') RETURNING v`,
      'SELECT v || 1 FROM public.kept',
    ],
    'x1',
  ],
  [
    [orders, insert, 'DECLARE c CURSOR FOR SELECT item FROM orders ORDER BY id', 'FETCH 1 FROM c', 'FETCH 1 FROM c'],
    'b',
  ],
  [
    [
      'CREATE TABLE customers (id int, email text, name text)',
      `INSERT INTO customers VALUES (1, 'ada@example.com', 'Ada')`,
      'SELECT email, name || 1, upper(email) FROM customers',
    ],
    '************com,Ada1,null',
  ],
  [
    [
      'CREATE TABLE drafts (LIKE notes INCLUDING ALL, draft boolean DEFAULT true)',
      `INSERT INTO drafts VALUES (7, 'later')`,
      'SELECT text || id, draft FROM drafts',
    ],
    'later7,true',
  ],
  [
    [
      'CREATE TABLE crew (LIKE people INCLUDING INDEXES)',
      'INSERT INTO crew (id, name) SELECT id, name FROM people',
      'SELECT upper(name), card FROM crew ORDER BY 1',
    ],
    'ADA,null BOB,null',
  ],
  [
    [
      `CREATE TYPE state AS ENUM ('new', 'paid')`,
      `CREATE TABLE bills (id int, state state NOT NULL DEFAULT 'new', mood mood, moods mood[])`,
      `INSERT INTO bills VALUES (1, DEFAULT, 'ok', '{sad}') RETURNING state`,
      'SELECT state, mood, moods, id + 1 FROM bills',
    ],
    'new,ok,{sad},2',
  ],
  [[`ALTER TABLE notes ADD mood mood DEFAULT 'ok'`, 'SELECT upper(text) FROM notes'], 'NOTE'],
  [
    [
      orders,
      insert,
      'ALTER TABLE orders RENAME item TO title',
      'ALTER TABLE orders RENAME COLUMN price TO cost',
      'SELECT upper(title), cost, twice FROM orders ORDER BY id',
    ],
    'A,1.50,3.00 B,2.00,4.00',
  ],
  [
    [orders, insert, 'ALTER TABLE orders ALTER item TYPE varchar(20)', 'SELECT upper(item) FROM orders ORDER BY id'],
    'A B',
  ],
  [
    [
      orders,
      insert,
      `ALTER TABLE orders ALTER item TYPE text USING item || '!'`,
      'SELECT upper(item) FROM orders ORDER BY id',
    ],
    'A! B!',
  ],
  [
    [
      'CREATE SCHEMA app',
      'CREATE TABLE app.orders (id int, item text)',
      `INSERT INTO app.orders VALUES (1, 'a')`,
      'SELECT upper(o.item), upper(n.text) FROM app.orders o, notes n',
    ],
    'A,NOTE',
  ],
  [
    [
      'DROP TABLE IF EXISTS orders CASCADE',
      orders,
      insert,
      'CREATE SCHEMA IF NOT EXISTS app',
      'SELECT upper(item) FROM orders ORDER BY id',
    ],
    'A B',
  ],
];

/** These are told from the answers, so each is a text of its own. */
const showsStepByStep: typeof shows = [
  [[orders, insert, 'ALTER TABLE orders RENAME TO bills', 'SELECT upper(item) FROM bills ORDER BY id'], 'A B'],
  [
    [
      orders,
      insert,
      'SAVEPOINT s',
      `INSERT INTO orders (item) VALUES ('c')`,
      'ROLLBACK TO SAVEPOINT s',
      'SELECT upper(item) FROM orders ORDER BY id',
    ],
    'A B',
  ],
  [
    [
      orders,
      'SAVEPOINT s',
      'DROP TABLE orders',
      'ROLLBACK TO s',
      insert,
      'RELEASE s',
      'SELECT upper(item) FROM orders ORDER BY id',
    ],
    'A B',
  ],
  [
    [
      orders,
      'SAVEPOINT s',
      'SAVEPOINT s',
      insert,
      'RELEASE s',
      'CREATE TABLE orders2 (a int)',
      'ROLLBACK TO s',
      insert,
      'SELECT upper(item) FROM orders ORDER BY id',
    ],
    'A B',
  ],
];

t.test('what fails in a savepoint leaves what was there before', async (t) => {
  const client = await connect();
  await seenOf(client, ['SELECT 1', 'BEGIN', orders, insert, 'SAVEPOINT s']);
  t.match(await seenOf(client, ['SELECT 1 / 0']), ['! division by zero']);
  t.strictSame(await seenOf(client, ['ROLLBACK TO s', 'SELECT upper(item) FROM orders ORDER BY id']), ['', 'A B']);
  await client.query('ROLLBACK');
});

t.test('BEGIN and what is made, in one text', async (t) => {
  const client = await connect();
  await client.query('SELECT 1');
  await seenOf(client, [`BEGIN; ${orders}`, insert]);
  t.strictSame(await seenOf(client, ['SELECT upper(item) FROM orders ORDER BY id']), ['A B']);
  await client.query('ROLLBACK');
});

t.test('shows', async (t) => {
  const client = await connect();
  for (const [texts, expected] of [...shows, ...showsStepByStep]) {
    await client.query('SELECT 1');
    const seen = await seenOf(client, ['BEGIN', ...texts]);
    t.equal(seen.at(-1), expected, JSON.stringify(texts));
    t.notMatch(seen.join('\n'), /(^|\n)!/, JSON.stringify(texts));
    await client.query('ROLLBACK');
    if (showsStepByStep.some(([other]) => other === texts) || !texts.every((text) => typeof text === 'string'))
      continue;
    await client.query('SELECT 1');
    const inOneText = await seenOf(client, ['BEGIN', texts.join(';')]);
    t.equal(inOneText.at(-1)?.split('|').at(-1), expected, `in one text: ${JSON.stringify(texts)}`);
    await client.query('ROLLBACK');
  }
});

/** Behind each of these `w` shows a card to whoever is not masked, in a column v. */
const hides: readonly (readonly string[])[] = [
  ['CREATE TABLE w AS SELECT card AS v FROM people'],
  ['SELECT card AS v INTO w FROM people'],
  ['CREATE TABLE w (v text)', 'INSERT INTO w SELECT card FROM people'],
  ['CREATE TABLE w (v text)', `INSERT INTO w VALUES ('x')`, 'UPDATE w SET v = card FROM people WHERE id = 1'],
  ['CREATE TABLE w (v text)', 'MERGE INTO w USING people ON false WHEN NOT MATCHED THEN INSERT VALUES (card)'],
  [
    'CREATE TABLE w (v text UNIQUE)',
    `INSERT INTO w VALUES ('x')`,
    `INSERT INTO w VALUES ('x') ON CONFLICT (v) DO UPDATE SET v = card()`,
  ],
  ['CREATE TABLE w (v text)', 'WITH x AS (INSERT INTO w SELECT card FROM people RETURNING v) SELECT count(*) FROM x'],
  ['CREATE TABLE w (v text DEFAULT card())', 'INSERT INTO w DEFAULT VALUES'],
  ['CREATE TABLE w (v text, b int)', 'ALTER TABLE w ALTER v SET DEFAULT card()', 'INSERT INTO w (b) VALUES (1)'],
  ['CREATE TABLE w (b int)', 'INSERT INTO w VALUES (1)', 'ALTER TABLE w ADD v text DEFAULT card()'],
  ['CREATE TABLE w (v text)', `INSERT INTO w VALUES ('x')`, 'ALTER TABLE w ALTER v TYPE text USING card()'],
  [
    'CREATE TABLE w (v text DEFAULT plain(), b int)',
    `CREATE OR REPLACE FUNCTION plain() RETURNS text LANGUAGE sql AS 'SELECT card FROM people LIMIT 1'`,
    'INSERT INTO w (b) VALUES (1)',
  ],
  ['CREATE DOMAIN carded AS text DEFAULT card()', 'CREATE TABLE w (v carded, b int)', 'INSERT INTO w (b) VALUES (1)'],
  [
    'CREATE DOMAIN public.json AS text DEFAULT card()',
    'CREATE TABLE w (v public.json, b int)',
    'INSERT INTO w (b) VALUES (1)',
  ],
  [
    'CREATE DOMAIN public.text AS pg_catalog.text DEFAULT card()',
    'SET LOCAL search_path = public, pg_catalog',
    'CREATE TABLE public.w (v text, b int)',
    'INSERT INTO w (b) VALUES (1)',
  ],
  [
    'CREATE TABLE w (v text)',
    `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.v := card(); RETURN NEW; END'`,
    'CREATE TRIGGER f BEFORE INSERT ON w FOR EACH ROW EXECUTE FUNCTION f()',
    `INSERT INTO w VALUES ('x')`,
  ],
  [
    'CREATE TABLE w (v text)',
    'CREATE RULE s AS ON INSERT TO spare DO ALSO INSERT INTO w SELECT card FROM people',
    `INSERT INTO spare VALUES ('x')`,
  ],
  ['CREATE TABLE w (v text)', `DO $$ BEGIN EXECUTE 'INSERT INTO w SELECT card FROM people'; END $$`],
  ['CREATE TABLE w (v text)', 'DO $$ BEGIN INSERT INTO w SELECT card FROM people; END $$'],
  [
    'CREATE TABLE w (v text)',
    `DO $$ BEGIN EXECUTE 'DROP TABLE w; CREATE VIEW w AS SELECT card AS v FROM people'; END $$`,
  ],
  ['CREATE TABLE w (v text)', 'SELECT fill()'],
  ['CREATE TABLE w (v text)', `SELECT fill_named('w')`],
  ['CREATE TABLE w (v text)', 'SELECT remake()'],
  ['SELECT remake()', 'CREATE TABLE w (v text)'],
  ['CREATE TABLE w (v text)', 'SELECT swap()'],
  ['CREATE TABLE w (v text)', 'CREATE TABLE x AS SELECT swap()'],
  ['CREATE TABLE w (v text)', 'CREATE TEMP VIEW w AS SELECT card AS v FROM people'],
  ['CREATE TEMP VIEW w AS SELECT card AS v FROM people', 'CREATE TABLE public.w (v text)'],
  ['CREATE TEMP VIEW w AS SELECT card AS v FROM people', 'CREATE TABLE IF NOT EXISTS public.w (v text)'],
  ['CREATE TABLE public.w (v text, b int)', 'SET LOCAL search_path = other, public'],
  ['SET LOCAL search_path = other, public', 'CREATE TABLE public.w (v text, b int)'],
  [`SELECT set_config('search_path', 'other', true)`, 'CREATE TABLE public.w (v text, b int)'],
  ['CREATE TABLE public.w (v text)', 'ALTER TABLE w RENAME TO z', 'CREATE VIEW w AS SELECT card AS v FROM people'],
  ['CREATE TABLE w (v text)', 'DROP TABLE w', 'CREATE VIEW w AS SELECT card AS v FROM people'],
  ['CREATE TABLE w (v text)', 'DROP TABLE w CASCADE', 'CREATE TABLE w AS SELECT card AS v FROM people'],
  ['SAVEPOINT s', 'CREATE TABLE w (v text)', 'ROLLBACK TO s', 'CREATE VIEW w AS SELECT card AS v FROM people'],
  [
    'CREATE VIEW w AS SELECT card AS v FROM people',
    'SAVEPOINT s',
    'CREATE OR REPLACE VIEW w AS SELECT name AS v FROM people',
    'ROLLBACK TO s',
  ],
  ['CREATE VIEW w AS SELECT name AS v FROM people', 'CREATE OR REPLACE VIEW w AS SELECT card AS v FROM people'],
  ['CREATE VIEW x AS SELECT card AS v FROM people', 'CREATE VIEW w AS SELECT lower(v) AS v FROM x'],
  ['CREATE VIEW w AS SELECT card() AS v'],
  ['CREATE TABLE x (v text)', 'CREATE VIEW w AS SELECT v FROM x', 'INSERT INTO x SELECT card FROM people'],
  [
    'CREATE TABLE x (v text)',
    'CREATE VIEW w AS SELECT v FROM x',
    'CREATE RULE r AS ON INSERT TO x DO ALSO UPDATE x SET v = card()',
    `INSERT INTO x VALUES ('x')`,
  ],
  ['CREATE MATERIALIZED VIEW w AS SELECT card AS v FROM people'],
  ['CREATE TABLE w (LIKE people)', 'ALTER TABLE w RENAME card TO v', 'INSERT INTO w SELECT * FROM people'],
  ['CREATE TABLE w (card text)', 'INSERT INTO w SELECT card FROM people', 'ALTER TABLE w RENAME card TO v'],
  ['CREATE TABLE w (v text)', 'CREATE TABLE x (n int) INHERITS (w)', 'INSERT INTO x SELECT card, id FROM people'],
  ['CREATE TABLE w (id int, name text, card text)', 'ALTER TABLE people INHERIT w', 'ALTER TABLE w RENAME card TO v'],
  [
    'CREATE TABLE w (v text) PARTITION BY LIST (v)',
    'CREATE TABLE x AS SELECT card AS v FROM people',
    'ALTER TABLE w ATTACH PARTITION x DEFAULT',
  ],
  [
    'CREATE TABLE w (v text REFERENCES people (card) ON UPDATE CASCADE)',
    `INSERT INTO w VALUES ('CANARY-1')`,
    `UPDATE people SET card = card || 'x' WHERE id = 1`,
  ],
  [
    'CREATE TABLE w (v text)',
    'ALTER TABLE w ADD FOREIGN KEY (v) REFERENCES people (card) ON UPDATE CASCADE',
    `INSERT INTO w VALUES ('CANARY-1')`,
    `UPDATE people SET card = 'CANARY-' || card WHERE id = 1`,
  ],
  [
    'CREATE TABLE w (v text, b text GENERATED ALWAYS AS (v) STORED)',
    'INSERT INTO w SELECT card FROM people',
    'ALTER TABLE w ALTER b DROP EXPRESSION',
  ],
  [
    'CREATE OPERATOR === (FUNCTION = peek, LEFTARG = int, RIGHTARG = int)',
    'CREATE TABLE w (v text DEFAULT (1 === 2), b int)',
    'INSERT INTO w (b) VALUES (1)',
  ],
  [
    `CREATE TABLE w (v text, b int)`,
    `COMMENT ON COLUMN w.v IS 'dbguard:mask=null'`,
    `INSERT INTO w VALUES ('CANARY-own')`,
  ],
  [
    `CREATE TABLE w (card text)`,
    `INSERT INTO w VALUES ('CANARY-own')`,
    'CREATE VIEW x AS SELECT card AS v FROM w',
    'DROP VIEW x',
    'ALTER TABLE w ADD v text GENERATED ALWAYS AS (lower(card)) STORED',
  ],
  [
    `CREATE TABLE x (card text, u text GENERATED ALWAYS AS (reverse(card)) STORED)`,
    `INSERT INTO x VALUES ('CANARY-own')`,
    'CREATE VIEW w AS SELECT reverse(u) AS v FROM x',
  ],
  ['CREATE TABLE w (LIKE filled INCLUDING DEFAULTS)', 'INSERT INTO w (b) VALUES (1)'],
  ['CREATE TABLE w (LIKE computed INCLUDING GENERATED)', `INSERT INTO w (card) VALUES ('CANARY-own')`],
  [
    'CREATE TABLE x (v text)',
    `COMMENT ON COLUMN x.v IS 'dbguard:mask=null'`,
    'CREATE TABLE w (LIKE x INCLUDING COMMENTS)',
    `INSERT INTO w VALUES ('CANARY-own')`,
  ],
  [
    'CREATE TABLE x (v text DEFAULT card(), b int)',
    'CREATE TABLE w (LIKE x INCLUDING ALL)',
    'INSERT INTO w (b) VALUES (1)',
  ],
  [
    'CREATE TABLE x (card text, v text GENERATED ALWAYS AS (lower(card)) STORED)',
    'CREATE TABLE w (LIKE x INCLUDING ALL)',
    `INSERT INTO w (card) VALUES ('CANARY-own')`,
  ],
  [
    'CREATE TABLE x (v people)',
    'INSERT INTO x SELECT people FROM people',
    'CREATE VIEW w AS SELECT (x.v).card AS v FROM x',
  ],
  [
    'CREATE TABLE w (v text)',
    'CREATE SCHEMA s CREATE VIEW w AS SELECT card AS v FROM public.people',
    'SET LOCAL search_path = s, public',
  ],
  [
    'CREATE TABLE public.w (v text)',
    'CREATE SCHEMA s',
    'CREATE VIEW s.w AS SELECT card AS v FROM people',
    'SET LOCAL search_path = s, public',
  ],
  [`CREATE SCHEMA "${user}"`, 'CREATE VIEW w AS SELECT card AS v FROM people', 'CREATE TABLE public.w (v text)'],
  ['CREATE TABLE w (v text)', `CREATE SCHEMA "${user}"`, `CREATE VIEW "${user}".w AS SELECT card AS v FROM people`],
  [
    'CREATE TABLE x (card text)',
    `INSERT INTO x VALUES ('CANARY-own')`,
    'ALTER TABLE x RENAME card TO v',
    'ALTER TABLE x RENAME TO w',
  ],
  [
    'CREATE TABLE customers (email text)',
    `INSERT INTO customers VALUES ('CANARY-own')`,
    'ALTER TABLE customers RENAME TO w',
    'ALTER TABLE w RENAME email TO v',
  ],
  [
    'CREATE TABLE w (card text, v text)',
    `INSERT INTO w VALUES ('CANARY-own', 'x')`,
    'ALTER TABLE w RENAME v TO z',
    'ALTER TABLE w RENAME card TO v',
  ],
  [
    'CREATE TABLE x (card text)',
    'CREATE VIEW w AS SELECT card AS v FROM x',
    'ALTER TABLE x RENAME card TO c',
    `INSERT INTO x VALUES ('CANARY-own')`,
  ],
  ['ALTER TABLE people RENAME card TO v', 'ALTER TABLE people RENAME TO w'],
  [
    'CREATE TABLE w (v text)',
    'ALTER TABLE w RENAME TO z',
    'ALTER TABLE people RENAME card TO v',
    'ALTER TABLE people RENAME TO w',
  ],
  [
    'CREATE TABLE w (v text, card text)',
    `INSERT INTO w VALUES ('x', 'CANARY-own')`,
    'ALTER TABLE w ALTER v TYPE text USING card',
  ],
  [
    'CREATE TABLE w (v text)',
    'SAVEPOINT s',
    'DROP TABLE w',
    'CREATE VIEW w AS SELECT card AS v FROM people',
    'SAVEPOINT s',
    'ROLLBACK TO s',
  ],
  [
    'CREATE TABLE w (v text)',
    'SAVEPOINT s',
    'DROP TABLE w; CREATE VIEW w AS SELECT card AS v FROM people; SAVEPOINT s',
    'ROLLBACK TO s',
  ],
  [
    'CREATE TABLE w (v text)',
    'SAVEPOINT s',
    'ROLLBACK TO s; DROP TABLE w; CREATE VIEW w AS SELECT card AS v FROM people',
  ],
  [
    'CREATE VIEW w AS SELECT card AS v FROM people',
    'SAVEPOINT s',
    'DROP VIEW w',
    'CREATE TABLE w (v text)',
    'ROLLBACK TO s',
  ],
  [
    'SAVEPOINT s',
    'CREATE TABLE w (v text)',
    'RELEASE s',
    'SAVEPOINT r',
    'DROP TABLE w',
    'SAVEPOINT s',
    'CREATE VIEW w AS SELECT card AS v FROM people',
    'RELEASE s',
  ],
  [
    'CREATE VIEW x AS SELECT name AS v FROM people',
    'CREATE OR REPLACE VIEW x AS SELECT card AS v FROM people',
    `CREATE FUNCTION copy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO w SELECT v FROM x; RETURN NEW; END'`,
    'CREATE TRIGGER copy AFTER INSERT ON spare FOR EACH ROW EXECUTE FUNCTION copy()',
    'CREATE TABLE w (v text)',
    `INSERT INTO spare VALUES ('x')`,
    'CREATE OR REPLACE VIEW x AS SELECT name AS v FROM people',
  ],
];

const looks = [
  'SELECT v FROM w',
  `SELECT v || '.' FROM w`,
  'SELECT * FROM w',
  'SELECT to_jsonb(w) FROM w',
  'SELECT max(v) FROM public.w',
  `UPDATE w SET v = v RETURNING upper(v)`,
  'CREATE TABLE y AS SELECT v FROM w; SELECT * FROM y',
  'CREATE VIEW y AS SELECT v FROM w; SELECT * FROM y',
];

t.test('hides', async (t) => {
  const straight = await direct();
  const client = await connect();
  for (const [nth, texts] of hides.entries()) {
    await straight.query('BEGIN');
    const raw = await seenOf(straight, [...texts, 'SELECT v FROM w']);
    await straight.query('ROLLBACK');
    t.match(raw.join(), /CANARY/i, `straight to the server it shows: ${texts.join('; ')} ${raw.join()}`);
    for (const [at, look] of looks.entries()) {
      // each look at some, and some at each
      if ((nth + at) % 4 > 0) continue;
      const ways = [
        [...texts, look],
        [[...texts, look].join(';')],
        [...texts, { text: look.split(';')[0] ?? '', values: [] }],
      ];
      const attack = ways[(nth + (at >> 2)) % ways.length] ?? [];
      const seen = await seenOf(client, ['BEGIN', ...attack]);
      t.notMatch(seen.join('\n'), /CANARY/i, JSON.stringify(attack));
      await client.query('ROLLBACK; DISCARD ALL').catch(() => client.query('ROLLBACK'));
    }
  }
});

t.test('hides what is made behind a rollback that is not answered yet', async (t) => {
  const client = await raw();
  const texts = ['BEGIN', 'CREATE TABLE w (v text)', 'SAVEPOINT s'];
  for (const text of texts) {
    await client.send(query(text));
    t.ok(await client.hears('Z', 1));
  }
  const [back, drop, view] = ['ROLLBACK TO s', 'DROP TABLE w', 'CREATE VIEW w AS SELECT card AS v FROM people'];
  await client.send(Buffer.concat([back, drop, view].map(query)));
  t.ok(await client.hears('Z', 3));
  for (const look of looks) {
    await client.send(query(`SAVEPOINT l; ${look}`));
    await client.hears('Z', 1);
    await client.send(query('ROLLBACK TO l'));
    await client.hears('Z', 1);
  }
  t.notMatch(Buffer.concat(client.heard.map(({ body }) => body)).toString('latin1'), /CANARY/i);
  await client.send(query('ROLLBACK'));
});

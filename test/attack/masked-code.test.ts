/**
 * Masked values through the application's own code: functions, procedures, operators, casts, triggers, rules, generated
 * columns. Each attack must leak without masks; what touches nothing masked must come through as it is.
 */
import t from 'tap';
import { type MaskedClient, startMaskedDatabase } from '../masking/database.js';

const canary = 'CANARY-4711';

const setup = `
  CREATE TABLE people (id int PRIMARY KEY, name text, card text, copied text GENERATED ALWAYS AS (upper(card)) STORED);
  CREATE TABLE trail (id int, v text);
  CREATE TABLE audit (at timestamptz DEFAULT now(), who text, what text);
  CREATE TABLE ruled (id int, note text);
  CREATE TABLE second (v text, w text GENERATED ALWAYS AS ('x' || v) STORED);
  CREATE TABLE clean (id int PRIMARY KEY, title text, price numeric, touched timestamptz);
  CREATE TYPE pair AS (a text, b text);
  CREATE FUNCTION on_people() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit (who, what) VALUES (NEW.name, NEW.card); RETURN NEW; END $$;
  CREATE TRIGGER copy AFTER INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION on_people();
  CREATE FUNCTION on_audit() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE text_of text; BEGIN
    text_of := NEW.what; INSERT INTO second VALUES (text_of); RETURN NEW; END $$;
  CREATE TRIGGER copy AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION on_audit();
  CREATE RULE note AS ON UPDATE TO people DO ALSO INSERT INTO ruled VALUES (NEW.id, OLD.card);
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := now(); RETURN NEW; END $$;
  CREATE TRIGGER touch BEFORE UPDATE ON clean FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE TABLE transitions (v text);
  CREATE FUNCTION all_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO transitions SELECT card FROM fresh; RETURN NULL; END $$;
  CREATE TRIGGER whole AFTER INSERT ON people REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION all_new();
  CREATE TABLE dynamic_log (v text);
  CREATE FUNCTION log_dynamically() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format('INSERT INTO %I SELECT card FROM people WHERE id = $1', 'dynamic_log') USING NEW.id; RETURN NULL; END $$;
  CREATE TRIGGER dynamic AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION log_dynamically();
  INSERT INTO people (id, name, card) VALUES (1, 'Ada', '${canary}'), (2, 'Bob', NULL);
  UPDATE people SET name = 'Ada' WHERE id = 1;
  INSERT INTO clean VALUES (1, 'Lamp', 12.50, now()), (2, 'Desk', 100, now());

  CREATE FUNCTION card_of(p int) RETURNS text LANGUAGE sql STABLE AS 'SELECT card FROM people WHERE id = p';
  CREATE FUNCTION card_atomic(p int) RETURNS text STABLE RETURN (SELECT card FROM people WHERE id = p);
  CREATE FUNCTION card_by_position(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT card FROM people WHERE id = $1';
  CREATE FUNCTION cards() RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN QUERY SELECT card FROM people; END $$;
  CREATE FUNCTION cards_table() RETURNS TABLE (nr int, c text) LANGUAGE plpgsql AS $$ BEGIN
    FOR nr, c IN SELECT id, card FROM people LOOP RETURN NEXT; END LOOP; END $$;
  CREATE FUNCTION card_out(p int, OUT n text, OUT c text) LANGUAGE plpgsql AS $$ BEGIN
    SELECT name, card INTO n, c FROM people WHERE id = p; END $$;
  CREATE FUNCTION card_nested(p int) RETURNS text LANGUAGE sql AS 'SELECT reverse(card_of(p))';
  CREATE FUNCTION card_variables() RETURNS text LANGUAGE plpgsql AS $$ DECLARE a text; b text; c text; BEGIN
    FOR i IN 1..3 LOOP c := b; b := a; a := (SELECT card FROM people WHERE id = 1); END LOOP; RETURN c; END $$;
  CREATE FUNCTION card_record() RETURNS text LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN
    SELECT * INTO r FROM people WHERE id = 1; RETURN r.card; END $$;
  CREATE FUNCTION card_recursive(n int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    IF n = 0 THEN RETURN (SELECT card FROM people WHERE id = 1); END IF; RETURN card_recursive(n - 1); END $$;
  CREATE FUNCTION card_shifted(a text, b text, c text, n int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    IF n = 0 THEN RETURN a; END IF; RETURN card_shifted(b, c, (SELECT card FROM people WHERE id = 1), n - 1); END $$;
  CREATE FUNCTION card_mutual_b(n int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
  CREATE FUNCTION card_mutual_a(n int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    IF n = 0 THEN RETURN (SELECT card FROM people WHERE id = 1); END IF; RETURN card_mutual_b(n - 1); END $$;
  CREATE OR REPLACE FUNCTION card_mutual_b(n int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN card_mutual_a(n); END $$;
  CREATE FUNCTION log_recursively(v text, n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    IF n = 0 THEN INSERT INTO open_log VALUES (v); RETURN 0; END IF; RETURN log_recursively((SELECT card FROM people WHERE id = 1), n - 1); END $$;
  CREATE TABLE open_log (v text);
  CREATE FUNCTION card_field(p people) RETURNS text LANGUAGE sql STABLE AS 'SELECT p.card';
  CREATE FUNCTION card_notation(p people) RETURNS text LANGUAGE sql STABLE AS 'SELECT p.card_field';
  CREATE FUNCTION name_field(p people) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN p.name; END $$;
  CREATE FUNCTION hanoi(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    IF n = 0 THEN RETURN 0; END IF; RETURN hanoi(n - 1) + 1 + hanoi(n - 1); END $$;
  CREATE FUNCTION card_dynamic() RETURNS text LANGUAGE plpgsql AS $$ DECLARE v text; BEGIN
    EXECUTE 'SELECT card FROM people WHERE id = $1' INTO v USING 1; RETURN v; END $$;
  CREATE FUNCTION card_made(col text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE v text; BEGIN
    EXECUTE format('SELECT %I FROM people WHERE id = 1', col) INTO v; RETURN v; END $$;
  CREATE FUNCTION card_error() RETURNS text LANGUAGE plpgsql AS $$ DECLARE v text; BEGIN
    PERFORM card::int FROM people WHERE id = 1; RETURN ''; EXCEPTION WHEN others THEN RETURN SQLERRM; END $$;
  CREATE FUNCTION card_detail() RETURNS text LANGUAGE plpgsql AS $$ DECLARE v text; BEGIN
    PERFORM card::int FROM people WHERE id = 1; RETURN ''; EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS v = MESSAGE_TEXT; RETURN v; END $$;
  CREATE FUNCTION card_default(p text DEFAULT NULL) RETURNS text LANGUAGE sql AS 'SELECT coalesce(p, card_of(1))';
  CREATE FUNCTION first_card(state text, v int) RETURNS text LANGUAGE sql AS 'SELECT coalesce(state, card_of(v))';
  CREATE AGGREGATE first_card(int) (SFUNC = first_card, STYPE = text);
  CREATE FUNCTION card_cast(pair) RETURNS text LANGUAGE sql AS $$ SELECT card_of(1) $$;
  CREATE FUNCTION card_operator(int, int) RETURNS text LANGUAGE sql AS 'SELECT card_of($1)';
  CREATE OPERATOR <#> (LEFTARG = int, RIGHTARG = int, FUNCTION = card_operator);
  CREATE FUNCTION identity_of(v text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT v';
  CREATE FUNCTION pass(v text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE w text := v; BEGIN RETURN w; END $$;

  CREATE FUNCTION log_all() RETURNS void LANGUAGE sql AS 'INSERT INTO trail SELECT id, card FROM people';
  CREATE FUNCTION log_loop() RETURNS int LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN
    FOR r IN SELECT * FROM people LOOP INSERT INTO trail VALUES (r.id, r.card); END LOOP; RETURN 1; END $$;
  CREATE FUNCTION log_one(p text) RETURNS void LANGUAGE sql AS 'INSERT INTO trail VALUES (9, p)';
  CREATE FUNCTION log_nested(p text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM log_one(p || '!'); END $$;
  CREATE FUNCTION log_updates() RETURNS void LANGUAGE plpgsql AS $$ DECLARE c text; BEGIN
    SELECT card INTO STRICT c FROM people WHERE id = 1; UPDATE trail SET v = c; UPDATE clean SET title = c WHERE id = 1; END $$;
  CREATE FUNCTION log_merge() RETURNS void LANGUAGE sql AS
    'MERGE INTO trail t USING people p ON false WHEN NOT MATCHED THEN INSERT VALUES (p.id, p.card)';
  CREATE FUNCTION log_dynamic() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE 'INSERT INTO trail SELECT id, card FROM people'; END $$;
  CREATE FUNCTION log_made(rel text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format('INSERT INTO trail SELECT id, card FROM %I', rel); END $$;
  CREATE FUNCTION log_for() RETURNS void LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN
    FOR r IN EXECUTE 'SELECT card FROM people' LOOP INSERT INTO trail VALUES (1, r.card); END LOOP; END $$;
  CREATE FUNCTION log_into(OUT c text) LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO trail SELECT 1, card FROM people WHERE id = 1 RETURNING v INTO c; END $$;
  CREATE FUNCTION log_temp() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    CREATE TEMP TABLE stash AS SELECT card FROM people; END $$;
  CREATE FUNCTION tell() RETURNS int LANGUAGE plpgsql AS $$ DECLARE c text; BEGIN
    SELECT card INTO c FROM people WHERE id = 1; PERFORM pg_notify('ch', c); RETURN 1; END $$;
  CREATE FUNCTION keep() RETURNS text LANGUAGE sql AS $$ SELECT set_config('my.card', card_of(1), false) $$;
  CREATE PROCEDURE log_procedure() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trail SELECT id, card FROM people; END $$;
  CREATE PROCEDURE out_procedure(INOUT c text) LANGUAGE plpgsql AS $$ BEGIN c := card_of(1); END $$;

  CREATE FUNCTION by_default(p text DEFAULT card_of(1)) RETURNS text LANGUAGE sql AS 'SELECT p';
  CREATE FUNCTION name_of_row(p people) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT p.name';
  CREATE TABLE filled (id int, v text DEFAULT card_of(1));
  CREATE DOMAIN carded AS text DEFAULT card_of(1);
  CREATE TABLE filled_by_domain (id int, v carded);
  CREATE FUNCTION says(v text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
    RAISE NOTICE '%', (SELECT card FROM public.people WHERE id = 1); RETURN true; END $$;
  CREATE TABLE checked (v text CHECK (says(v)));
  CREATE TABLE unchecked (v text);
  INSERT INTO unchecked VALUES ('plain');
  CREATE TABLE indexed (v text);
  CREATE INDEX ON indexed (says(v));
  CREATE TABLE tenants (v text);
  INSERT INTO tenants VALUES ('ours');
  CREATE POLICY own ON tenants USING (says(v));
  ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
  ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
  CREATE ROLE tenant;
  GRANT ALL ON ALL TABLES IN SCHEMA public TO tenant;
  CREATE TABLE logged (id int, note text);
  CREATE TABLE log (at timestamptz DEFAULT now(), what text, row_of jsonb);
  CREATE FUNCTION on_logged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO log (what, row_of) VALUES (TG_TABLE_NAME || ' ' || TG_OP, to_jsonb(NEW)); RETURN NEW; END $$;
  CREATE TRIGGER log AFTER INSERT ON logged FOR EACH ROW EXECUTE FUNCTION on_logged();
  INSERT INTO logged VALUES (1, 'noted');
  CREATE VIEW with_calls AS SELECT id, card_of(id) AS c, name_of_row(people) AS n FROM people;
  CREATE FUNCTION people_rows() RETURNS SETOF people LANGUAGE sql STABLE AS 'SELECT * FROM people ORDER BY id';
  CREATE FUNCTION people_records() RETURNS SETOF people LANGUAGE plpgsql STABLE AS $$ DECLARE r people; BEGIN
    FOR r IN SELECT * FROM people ORDER BY id LOOP RETURN NEXT r; END LOOP; END $$;
  CREATE FUNCTION typed_row() RETURNS text LANGUAGE plpgsql STABLE AS $$ DECLARE r people%ROWTYPE; BEGIN
    SELECT id, card, name INTO r FROM people WHERE id = 1; RETURN r.name; END $$;
  CREATE FUNCTION people_shifted() RETURNS SETOF people LANGUAGE sql STABLE AS 'SELECT id, card, name, name FROM people';

  CREATE FUNCTION gross(net numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT net * 1.19';
  CREATE FUNCTION label(c clean) RETURNS text LANGUAGE sql STABLE AS $$ SELECT c.title || ': ' || c.price $$;
  CREATE FUNCTION cheap(most numeric) RETURNS SETOF clean LANGUAGE sql STABLE AS 'SELECT * FROM clean WHERE price < most';
  CREATE FUNCTION listed() RETURNS TABLE (nr int, t text) LANGUAGE plpgsql STABLE AS $$ BEGIN
    RETURN QUERY SELECT id, upper(title) FROM clean ORDER BY id; END $$;
  CREATE FUNCTION add_clean(t text) RETURNS int LANGUAGE plpgsql AS $$ DECLARE n int; BEGIN
    INSERT INTO clean VALUES (3, t, 1) RETURNING id INTO n; RETURN n; END $$;
  CREATE FUNCTION name_of(p int) RETURNS text LANGUAGE plpgsql STABLE AS $$ DECLARE r record; BEGIN
    SELECT name INTO r FROM people WHERE id = p; RETURN r.name; END $$;
  CREATE FUNCTION slug(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ DECLARE s text; BEGIN
    s := lower(v); s := regexp_replace(s, '[^a-z]+', '-', 'g'); IF s = '' THEN RETURN NULL; END IF; RETURN s; END $$;
  CREATE FUNCTION half(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 / $2';
  CREATE OPERATOR </> (LEFTARG = int, RIGHTARG = int, FUNCTION = half);
  CREATE DOMAIN positive AS int CHECK (half(VALUE, 1) > 0);
  CREATE PROCEDURE total(INOUT s numeric) LANGUAGE plpgsql AS $$ BEGIN SELECT sum(price) INTO s FROM clean; END $$;
  CREATE AGGREGATE product(numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = 1);
  CREATE FUNCTION loud(v text) RETURNS text LANGUAGE internal IMMUTABLE STRICT AS 'upper';
`;

const database = await startMaskedDatabase(
  `version: 1\nmask:\n  - {column: public.people.card, with: 'null'}\n`,
  setup,
);
t.teardown(() => database.stop());

const show = `SELECT 'shown', v FROM trail UNION ALL SELECT 'title', title FROM clean`;

/** What is run, and what then shows the value, if the statement itself does not. */
const attacks: readonly (readonly [attack: string, look?: string])[] = [
  ['SELECT card_recursive(2)'],
  [`SELECT card_shifted('a', 'b', 'c', 3)`],
  ['SELECT card_mutual_a(2), card_mutual_b(2)'],
  [`SELECT log_recursively('x', 2)`, 'SELECT v FROM open_log'],
  ['SELECT card_field(p), card_notation(p) FROM people p'],
  ['SELECT p.card_field, p.card_notation FROM people p'],
  [`SELECT name_field(jsonb_populate_record(p, jsonb_build_object('name', p.card))) FROM people p`],
  ['SELECT card_of(1)'],
  ['SELECT card_atomic(1)'],
  ['SELECT card_by_position(1)'],
  ['SELECT * FROM card_of(1) c'],
  ['SELECT cards()'],
  ['SELECT c FROM cards() c'],
  ['SELECT * FROM cards_table()'],
  ['SELECT x FROM cards_table() AS q(y, x)'],
  ['SELECT (card_out(1)).c'],
  ['SELECT c FROM card_out(1)'],
  ['SELECT card_nested(1)'],
  ['SELECT card_variables()'],
  ['SELECT card_record()'],
  ['SELECT card_dynamic()'],
  [`SELECT card_made('card')`],
  ['SELECT card_error()'],
  ['SELECT card_detail()'],
  ['SELECT card_default()'],
  ['SELECT first_card(id) FROM clean'],
  ['SELECT 1 <#> 2'],
  ['SELECT identity_of(card) FROM people'],
  ['SELECT pass(card), identity_of(v => card) FROM people'],
  ['SELECT to_jsonb(cards_table()) '],
  ['SELECT string_agg(c, $$,$$) FROM cards() c'],
  ['SELECT copied FROM people'],
  ['SELECT what FROM audit'],
  ['SELECT v, w FROM second'],
  ['SELECT note FROM ruled'],
  ['SELECT * FROM transitions'],
  ['SELECT * FROM dynamic_log'],
  ['UPDATE people SET name = name WHERE id = 1 RETURNING copied'],
  ['CALL out_procedure(NULL)'],
  ['CREATE TEMP TABLE a AS SELECT card_of(1) AS v', 'SELECT v FROM a'],
  ['CREATE TEMP TABLE b AS SELECT c FROM cards() c', 'SELECT c FROM b'],
  ['SELECT c INTO TEMP b2 FROM cards() c', 'SELECT c FROM b2'],
  ['INSERT INTO trail SELECT 1, card_of(1)', show],
  ['INSERT INTO trail VALUES (1, card_of(1)) RETURNING v'],
  ['UPDATE clean SET title = card_of(1)', show],
  ['MERGE INTO trail t USING clean c ON false WHEN NOT MATCHED THEN INSERT VALUES (1, card_of(1))', show],
  [`SELECT set_config('my.card', card_of(1), false)`, `SELECT current_setting('my.card', true)`],
  ['SELECT keep()', `SELECT current_setting('my.card', true)`],
  ['SELECT log_all()', show],
  ['SELECT log_loop()', show],
  ['SELECT log_one(card) FROM people', show],
  ['SELECT log_nested(card) FROM people', show],
  ['SELECT log_updates()', show],
  ['SELECT log_merge()', show],
  ['SELECT log_dynamic()', show],
  [`SELECT log_made('people')`, show],
  ['SELECT log_for()', show],
  ['SELECT log_into()', show],
  ['SELECT log_temp()', 'SELECT card FROM stash'],
  ['CALL log_procedure()', show],
  [`DO $$ BEGIN INSERT INTO trail SELECT id, card FROM people; END $$`, show],
  [
    `DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM people LOOP INSERT INTO trail VALUES (1, r.card); END LOOP; END $$`,
    show,
  ],
  [`DO $$ BEGIN EXECUTE 'INSERT INTO trail SELECT id, ' || 'card FROM people'; END $$`, show],
  [`DO $$ BEGIN RAISE NOTICE '%', card_of(1); END $$`],
  [`DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = card_of(1); END $$`],
  ['COPY (SELECT card_of(1)) TO STDOUT'],
  ['COPY audit TO STDOUT'],
  ['SELECT by_default()'],
  ['SELECT by_default(p => card) FROM people'],
  ['INSERT INTO filled (id) VALUES (1) RETURNING v'],
  ['INSERT INTO filled (id) VALUES (1)', 'SELECT v FROM filled'],
  ['INSERT INTO filled_by_domain (id) VALUES (1) RETURNING v'],
  ['CREATE TEMP TABLE t (id int, v text DEFAULT card_of(1)); INSERT INTO t VALUES (1)', 'SELECT v FROM t'],
  ['ALTER TABLE clean ADD COLUMN extra text DEFAULT card_of(1)', 'SELECT extra FROM clean'],
  ['ALTER TABLE clean ALTER COLUMN title TYPE text USING card_of(1)', 'SELECT title FROM clean'],
  ['ALTER TABLE people ALTER COLUMN name TYPE text USING card', 'SELECT name FROM people'],
  [
    'CREATE DOMAIN d AS text DEFAULT card_of(1); CREATE TABLE t (id int, v d); INSERT INTO t VALUES (1)',
    'SELECT v FROM t',
  ],
  [`INSERT INTO checked VALUES ('x')`],
  [`INSERT INTO indexed VALUES ('x')`],
  ['ALTER TABLE unchecked ADD CHECK (says(v))'],
  ['CREATE INDEX ON unchecked (says(v))'],
  ['SET ROLE tenant; SELECT v FROM tenants'],
  ['SELECT c FROM with_calls'],
  ['SELECT card FROM people_rows()'],
  ['SELECT (people_rows()).card'],
  ['SELECT card FROM people_records()'],
  ['SELECT name FROM people_shifted()'],
  ['SELECT typed_row()'],
  ['SELECT a, b, c FROM people_rows() AS r(a, b, c)'],
  ['WITH w AS (INSERT INTO trail SELECT 1, card_of(1) RETURNING v) SELECT v FROM w'],
  ['EXPLAIN (VERBOSE) SELECT 1 FROM clean WHERE title = card_of(1)'],
];

/** The value itself, in any case, backwards or in part. */
const shows = (bytes: Buffer): boolean => /canary|yranac|4711|1174/i.test(bytes.toString('latin1'));

/** Not every way shows it on every server; it must not lead to it in any case. */
const mayShowNothing: ReadonlySet<string> = new Set(['EXPLAIN (VERBOSE) SELECT 1 FROM clean WHERE title = card_of(1)']);

for (const [attack, look] of attacks) {
  t.test(attack, async (t) => {
    const client = await database.connect();
    t.teardown(() => client.close());
    const run = async (raw: boolean): Promise<boolean> => {
      await client.query('BEGIN', { raw: true });
      const results = [await client.query(attack, { raw })];
      if (look !== undefined && results[0]?.denied === undefined) results.push(await client.query(look, { raw }));
      await client.query('ROLLBACK', { raw: true });
      return results.some(({ bytes }) => shows(bytes));
    };
    if (!mayShowNothing.has(attack)) t.ok(await run(true), 'without masks it shows');
    t.notOk(await run(false), 'with masks it does not');
  });
}

const ordinary: readonly (readonly [sql: string, expected: string])[] = [
  ['SELECT hanoi(3)', '7'],
  ['SELECT name_field(p) FROM people p WHERE id = 1', 'Ada'],
  ['SELECT p.name_of_row FROM people p WHERE id = 1', 'Ada'],
  ['SELECT n FROM with_calls ORDER BY n', 'Ada,Bob'],
  ['SELECT id, name FROM people_rows()', '1 Ada,2 Bob'],
  ['SELECT (people_rows()).name', 'Ada,Bob'],
  [`SELECT by_default('given')`, 'given'],
  [`INSERT INTO filled VALUES (1, 'given') RETURNING v`, 'given'],
  ['SELECT v FROM tenants', 'ours'],
  ['SELECT what FROM log', 'logged INSERT'],
  [`SELECT row_of ->> 'note' FROM log`, 'noted'],
  ['SELECT gross(price) FROM clean WHERE id = 2', '119.00'],
  ['SELECT label(c) FROM clean c WHERE id = 1', 'Lamp: 12.50'],
  ['SELECT c.label FROM clean c WHERE id = 1', 'Lamp: 12.50'],
  ['SELECT title FROM cheap(50)', 'Lamp'],
  ['SELECT id, title FROM cheap(50) AS c', '1 Lamp'],
  ['SELECT * FROM listed()', '1 LAMP,2 DESK'],
  ['SELECT t FROM listed() l WHERE l.nr = 2', 'DESK'],
  [`SELECT add_clean('Chair')`, '3'],
  ['SELECT name_of(1)', 'Ada'],
  [`SELECT slug('Hello, World')`, 'hello-world'],
  ['SELECT slug(name) FROM people WHERE id = 1', 'ada'],
  ['SELECT 8 </> 2', '4'],
  ['SELECT 5::positive', '5'],
  ['CALL total(NULL)', '112.50'],
  ['SELECT product(id) FROM clean', '2'],
  [`SELECT loud('x')`, 'X'],
  ['SELECT count(*) FROM cards()', '2'],
  ['SELECT (card_out(1)).n', 'Ada'],
  ['SELECT n FROM card_out(1)', 'Ada'],
  ['SELECT nr FROM cards_table() ORDER BY nr', '1,2'],
  [`UPDATE clean SET title = slug('A B') WHERE id = 1 RETURNING title, touched IS NOT NULL`, 'a-b t'],
  ['INSERT INTO trail SELECT id, upper(title) FROM clean RETURNING v', 'LAMP,DESK'],
  ['SELECT who FROM audit WHERE who IS NOT NULL LIMIT 1', 'Ada'],
  ['SELECT id, name FROM people ORDER BY id', '1 Ada,2 Bob'],
  ['CREATE TEMP TABLE mine AS SELECT slug(title) AS s FROM clean', ''],
];

for (const [sql, expected] of ordinary) {
  t.test(`comes through: ${sql}`, async (t) => {
    const client = await database.connect();
    t.teardown(() => client.close());
    await client.query('BEGIN', { raw: true });
    const { rows, denied, errors } = await client.query(sql);
    await client.query('ROLLBACK', { raw: true });
    t.equal(denied, undefined);
    t.strictSame(errors, []);
    t.equal(rows.map((row) => row.map((cell) => cell?.toString() ?? 'null').join(' ')).join(), expected);
  });
}

t.test('an unknown function is the server’s error', async (t) => {
  const client: MaskedClient = await database.connect();
  t.teardown(() => client.close());
  for (const sql of ['SELECT no_such_function(1)', 'INSERT INTO trail VALUES (1, no_such_function(1))']) {
    const { denied, errors } = await client.query(sql);
    t.equal(denied, undefined, sql);
    t.match(errors.join(), /function no_such_function\(integer\) does not exist/, sql);
  }
});

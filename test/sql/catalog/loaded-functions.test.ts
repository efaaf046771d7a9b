import t from 'tap';
import { createAnalyser } from '../../../src/sql/analyser.js';
import { type FunctionRow, functionsQuery, LoadedFunctions } from '../../../src/sql/catalog/loaded-functions.js';
import { loadGrammar } from '../../../src/sql/grammar/grammar.js';
import { type PostgresVersion, postgresAvailable, startPostgres } from '../../helpers/postgres.js';
import { summary } from '../summary.js';

const schema = `
  CREATE TABLE t (id int, a text);
  CREATE SCHEMA app;
  CREATE EXTENSION pg_trgm;
  CREATE FUNCTION full_name(int) RETURNS text STABLE LANGUAGE sql AS 'SELECT a FROM t WHERE id = $1';
  CREATE FUNCTION added(int, int) RETURNS int LANGUAGE sql RETURN $1 + $2;
  CREATE FUNCTION app.purge() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM t; END;

  CREATE FUNCTION app.rename(n int, new_name text) RETURNS TABLE (changed int) LANGUAGE plpgsql AS
    $$ DECLARE r t%ROWTYPE; BEGIN UPDATE t SET a = new_name WHERE id = n; changed := 1; RETURN NEXT; END $$;
  CREATE FUNCTION app.run(q text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE q; END $$;
  CREATE FUNCTION outer_call() RETURNS void LANGUAGE sql AS 'SELECT app.purge()';
  CREATE FUNCTION ping(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN pong($1); END $$;
  CREATE FUNCTION pong(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN ping($1); END $$;
  CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int);
  CREATE FUNCTION bad_step(int, int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; RETURN 1; END $$;
  CREATE AGGREGATE bad_total (int) (sfunc = bad_step, stype = int);
  CREATE FUNCTION lower(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN TRUNCATE t; RETURN 1; END $$;
  CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE internal IMMUTABLE AS 'int4eq';
  CREATE FUNCTION reload() RETURNS bool LANGUAGE internal AS 'pg_reload_conf';
  CREATE TYPE span AS RANGE (subtype = text);
  CREATE OPERATOR === (function = same, leftarg = int, rightarg = int);
  CREATE PROCEDURE app.clean() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t WHERE id = 1; COMMIT; END $$;`;

for (const version of [15, 18] satisfies PostgresVersion[]) {
  t.test(`PostgreSQL ${version} says what its functions do`, { skip: !postgresAvailable(version) }, async (t) => {
    const server = await startPostgres({ version });
    t.teardown(() => server.stop());
    await server.query(schema);

    const functions = new LoadedFunctions();
    const analyser = await createAnalyser({ catalog: functions });
    const does = (sql: string) => summary(analyser.analyse(sql));
    t.equal(does('SELECT full_name(1)'), 'function-call? full_name', 'before the catalog was read');
    functions.replace(await server.query<FunctionRow>(functionsQuery));

    t.equal(does('SELECT full_name(1)'), 'read t(id a)');
    t.equal(does('SELECT added(1, 2)'), '');
    t.equal(does('SELECT app.purge()'), 'delete! t');
    t.equal(does('SELECT outer_call()'), 'delete! t');
    t.equal(does("SELECT * FROM app.rename(1, 'x')"), 'update t(a), read t(new_name id n)');
    t.equal(does("SELECT app.run('x')"), 'function-call? app.run', 'dynamic SQL');
    t.equal(does('SELECT ping(1)'), '', 'two that call each other');
    t.equal(does('SELECT total(id) FROM t'), 'read! t(id)');
    t.equal(does('SELECT bad_total(id) FROM t'), 'delete! t, read! t(id)');
    t.equal(does('SELECT lower(1)'), 'truncate! t', 'an overload of a built-in name');
    t.equal(does("SELECT similarity('a', 'b')"), '', 'of an extension');
    t.equal(does("SELECT same(1, 2), 1 === 2, span('a', 'b')"), '', 'made of what PostgreSQL has');
    t.equal(does('SELECT reload()'), 'function-call? reload', 'by another name');
    t.equal(does('CALL app.clean()'), 'delete t, read t(id), transaction [in a body]');
    t.equal(does('SELECT nobody()'), 'function-call? nobody');
    t.equal(does('SELECT other.purge()'), 'function-call? other.purge', 'of that name, in another schema');

    functions.doubt();
    t.equal(does('SELECT full_name(1)'), 'function-call? full_name', 'after a change nobody has read yet');
  });
}

t.test(
  'functions that all call each other are read to their end, from wherever one begins, and not again for each way',
  async (t) => {
    const functions = new LoadedFunctions();
    const names = ['a', 'b', 'c', 'd', 'e'];
    const body = (name: string) =>
      `SELECT ${names.map((one) => `${one}()`).join()}${name === 'd' ? '; TRUNCATE t' : ''}`;
    const row = { schema: 'public', volatility: 'v', language: 'sql', extension: null };
    functions.replace(names.map((name) => ({ ...row, name, body: body(name) })));
    const grammar = await loadGrammar();
    for (const order of [names, [...names].reverse()]) {
      let texts = 0;
      const parse = (sql: string) => {
        texts++;
        return grammar.parse(sql);
      };
      const analyser = await createAnalyser({ grammar: { ...grammar, parse }, catalog: functions });
      for (const name of order) t.equal(summary(analyser.analyse(`SELECT ${name}()`)), 'truncate! t', name);
      t.ok(texts <= 80, `${texts} texts were parsed, of ${5 * 4 * 3 * 2} ways`);
    }
  },
);

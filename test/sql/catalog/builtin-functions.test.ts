import t from 'tap';
import { createAnalyser } from '../../../src/sql/analyser.js';
import { BuiltInFunctions } from '../../../src/sql/catalog/builtin-functions.js';
import { sideEffectFree, sideEffectFreeExtensions } from '../../../src/sql/catalog/pg-catalog-functions.js';
import { isSystemRelation } from '../../../src/sql/catalog/system-relations.js';
import { type PostgresVersion, postgresAvailable, startPostgres } from '../../helpers/postgres.js';
import { builtInNames, extensionNames } from './function-names.js';

const analyser = await createAnalyser();
const functions = new BuiltInFunctions();
const harmless = new Set(`${sideEffectFree} ${sideEffectFreeExtensions}`.split(/\s+/));

for (const version of [15, 18] satisfies PostgresVersion[]) {
  t.test(`PostgreSQL ${version}: each function is sorted`, { skip: !postgresAvailable(version) }, async (t) => {
    const server = await startPostgres({ version });
    t.teardown(() => server.stop());
    const builtIns = await builtInNames(server);
    const unsorted = builtIns.filter(({ name }) => functions.find('pg_catalog', name) === undefined);
    t.same(
      unsorted.map(({ name }) => name),
      [],
      'every name of pg_catalog is known',
    );
    const wrong = builtIns.filter((one) => one.volatile && harmless.has(one.name));
    t.same(
      wrong.map(({ name }) => name),
      [],
      'no volatile one counts as free of side effects',
    );

    const catalogs = await server.query<{ name: string }>(
      `SELECT relname::text AS name FROM pg_class
       WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')`,
    );
    t.same(
      catalogs.map(({ name }) => name).filter((name) => !isSystemRelation({ type: 'table', name })),
      [],
      'every catalog is known',
    );

    const ofExtensions = await extensionNames(server);
    // citext has its own replace() and the like: without a schema that is PostgreSQL's name, with one it is asked about.
    const own = new Set(builtIns.map(({ name }) => name));
    t.same(
      ofExtensions.map(({ name }) => name).filter((name) => !own.has(name) && !functions.find('public', name)),
      [],
      'every function of the contrib extensions is known',
    );

    // What the table calls harmless, the server allows in a read-only transaction, wherever it can be called at all.
    const callable = await server.query<{ name: string }>(
      `SELECT DISTINCT proname::text AS name FROM pg_proc
       WHERE pronamespace = 'pg_catalog'::regnamespace AND pronargs = 0 AND prokind = 'f'
       AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
       AND prorettype::regtype::text NOT LIKE '%handler'`,
    );
    for (const { name } of callable) {
      if (functions.find(undefined, name)?.effect !== 'none') continue;
      await server
        .query(`SET default_transaction_read_only = on; SELECT * FROM pg_catalog."${name}"()`)
        .catch((error: { code?: string }) => t.not(error.code, '25006', `${name}()`));
    }
    t.ok(callable.length > 100, `${callable.length} called`);

    // Words that no function of a user can have: what our grammars, one of which is older, take for a call. JSON_TABLE
    // needs COLUMNS, which the older one does not read.
    const words = await server.query<{ word: string }>(
      `SELECT word FROM pg_get_keywords() WHERE catcode IN ('C', 'R')`,
    );
    for (const { word } of words) {
      const [called = word] = analyser.analyse(`SELECT ${word}(1)`).statements[0]?.functions ?? [];
      if (called === word && word !== 'json_table')
        t.equal(analyser.analyse(`SELECT ${word}(1)`).statements[0]?.effects.length ?? 0, 0, word);
    }
  });
}

t.test('tables that only look like catalogs', (t) => {
  t.notOk(isSystemRelation({ type: 'table', name: 'pg_search_documents' }));
  t.notOk(isSystemRelation({ type: 'table', schema: 'app', name: 'pg_class' }));
  t.ok(isSystemRelation({ type: 'table', schema: 'information_schema', name: 'tables' }));
  t.end();
});

t.test('names of others are not taken for PostgreSQL’s', (t) => {
  t.equal(functions.find(undefined, 'evil'), undefined);
  t.equal(functions.find('public', 'count'), undefined);
  t.equal(functions.find('pg_catalog', 'similarity'), undefined);
  t.equal(functions.find('pg_temp', 'lower'), undefined);
  t.match(functions.find('extensions', 'uuid_generate_v4'), { effect: 'none' });
  t.match(functions.find(undefined, 'dblink'), { effect: 'network', opaque: true });
  t.end();
});

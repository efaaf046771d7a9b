/**
 * The lead's own SQL is not always the lead's own: a model wrote it, or it came with a message. And what stands in the bucket was
 * once the agent's. Neither may reach the lead's machine, terminal or spreadsheet.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { test } from 'tap';
import type { CommandModule } from '../../src/cli/command.js';
import * as query from '../../src/cli/commands/transcripts-query.js';
import { terminalText } from '../../src/cli/print/printable-output.js';
import type { OptionValues } from '../../src/cli/table.js';
import { openViews } from '../../src/cli/views/open-views.js';
import { commandWorld } from '../review/command-world.js';
import { busySession } from '../review/views/busy-session.js';
import { testIssuer } from '../transcript/people.js';
import { record } from '../transcript/recorded.js';

const issuer = await testIssuer();
const withKeys = { keys: 'keys.json' };

/** Statements that reach files, the network, the environment or code; `%` is a folder, `@` a web server. */
const reaches = [
  `SELECT * FROM read_csv('%/secret.csv')`,
  `SELECT * FROM read_text('%/secret.csv')`,
  `SELECT * FROM read_blob('%/secret.csv')`,
  `SELECT * FROM read_json('%/secret.csv')`,
  `SELECT * FROM read_parquet('%/secret.csv')`,
  `SELECT * FROM parquet_metadata('%/secret.csv')`,
  `SELECT * FROM sniff_csv('%/secret.csv')`,
  `FROM '%/secret.csv'`,
  `SELECT * FROM '%/*.csv'`,
  `SELECT * FROM glob('%/*')`,
  `SELECT * FROM query('SELECT * FROM read_csv(''%/secret.csv'')')`,
  `SELECT * FROM query_table('%/secret.csv')`,
  `WITH a AS (FROM read_text('%/secret.csv')) FROM a`,
  `EXPLAIN ANALYZE SELECT * FROM read_text('%/secret.csv')`,
  `DESCRIBE SELECT * FROM read_csv('%/secret.csv')`,
  `SUMMARIZE SELECT * FROM read_csv('%/secret.csv')`,
  `SELECT getenv('HOME')`,
  `SELECT * FROM read_text('/proc/self/environ')`,
  `SELECT * FROM read_text('http://@/x')`,
  `SELECT * FROM read_parquet('http://@/x')`,
  `SELECT * FROM duckdb_secrets()`,
  `COPY (SELECT 1) TO '%/out.csv'`,
  `COPY statements TO '%/out.parquet'`,
  `COPY (SELECT 1) TO '/dev/stdout'`,
  `EXPORT DATABASE '%/out'`,
  `IMPORT DATABASE '%/out'`,
  `ATTACH '%/out.db'`,
  `ATTACH ':memory:' AS other`,
  `INSTALL httpfs`,
  `INSTALL httpfs FROM 'http://@'`,
  `LOAD httpfs`,
  `LOAD '%/secret.csv'`,
  `CREATE TABLE mine AS SELECT 1`,
  `CREATE SECRET (TYPE s3)`,
  `CREATE OR REPLACE VIEW sessions AS SELECT 1`,
  `CREATE MACRO mine() AS 1`,
  `DROP VIEW sessions`,
  `SET enable_external_access = true`,
  `SET lock_configuration = false`,
  `RESET lock_configuration`,
  `SET allowed_paths = ['%/secret.csv']`,
  `SET allowed_directories = ['%']`,
  `PRAGMA enable_external_access = true`,
  `PRAGMA enable_profiling = 'json'`,
  `CALL enable_logging()`,
  `CALL checkpoint()`,
  `PREPARE mine AS SELECT * FROM read_text('%/secret.csv')`,
  `SELECT 1; COPY (SELECT 1) TO '%/out.csv'`,
  `SELECT 1) TO '%/out.csv'; COPY (SELECT 1`,
  `SELECT 1) TO '%/out.csv' --`,
];

test('a reader’s SQL reaches no file, no network, no environment and no setting', async (t) => {
  const { run, root, store } = commandWorld(t, issuer);
  await store(busySession(await issuer.login('ada')));
  const folder = join(root, 'lead');
  mkdirSync(folder);
  writeFileSync(join(folder, 'secret.csv'), 'TOP,SECRET\n1,2\n');
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.end('x');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const attack = (sql: string): string => sql.replaceAll('%', folder).replaceAll('@', address);

  const open = await (await DuckDBInstance.create()).connect();
  for (const sql of reaches.slice(0, 3)) {
    await t.resolves(open.run(attack(sql)), `without dbguard it works: ${sql}`);
  }
  const attempts = reaches.map(attack);
  const inOneReading: CommandModule<OptionValues> = {
    async run(context, _args, options) {
      const file = join(root, 'mine.parquet');
      const { engine } = await openViews(context, options, { writable: file });
      for (const sql of attempts) {
        const asked = async (): Promise<void> => {
          for await (const rows of (await engine.query(sql)).rows())
            t.notMatch(JSON.stringify(rows), /SECRET|HOME/, sql);
        };
        await t.rejects(asked(), { code: 'usage' }, sql);
        await t.rejects(engine.export(sql, [], file), { code: 'usage' }, `into a file: ${sql}`);
      }
      engine.close();
      return 0;
    },
  };
  t.equal((await run(inOneReading, [], withKeys)).code, 0);
  t.strictSame(readdirSync(folder), ['secret.csv'], 'nothing was written');
  t.notOk(existsSync(join(root, 'mine.parquet')));
  t.equal(asked, 0, 'nobody was asked');
  t.match((await run(query, ['FROM sessions'], withKeys)).out, /ada@example.test/, 'what it is for works');
});

test('what an agent has written does nothing to a terminal, nor to a spreadsheet', async (t) => {
  const { run, store } = commandWorld(t, issuer);
  const sql = `SELECT '\u001b]0;owned\u0007\u001b[2J\u202e' -- \u009b31m`;
  const formulas = [`=HYPERLINK("http://x")`, '+1', '-1', '@SUM(1)', '\t=1', '\r=1', '＝1'];
  const extra = [sql, ...formulas].flatMap((text, i) => [
    [{ k: 'statement', decision: 'allow' }, { sql: text }] as const,
    [{ k: 'outcome', of: 2 + i * 2, how: 'done' }] as const,
  ]);
  const open = { agent: `=cmd|' /C calc'!A1`, connection: { name: '\u001b[2Jshop' } };
  await store(record(await issuer.login('ada'), { statements: 0, extra, open }));
  const table = await run(query, ['FROM statements'], withKeys);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  t.notMatch(table.out.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u202e]/);
  t.match(table.out, '⟨U+001B⟩');
  t.equal(terminalText(table.out), table.out);
  const csv = await run(query, ['SELECT agent, connection, sql FROM statements'], { ...withKeys, format: 'csv' });
  for (const formula of formulas) t.match(csv.out.replaceAll('""', '"'), `'${formula}`);
  t.equal(csv.out.match(/^'=cmd/gm)?.length, formulas.length + 1);
  const { err } = await run(query, [`SELECT "\u001b[2J" FROM sessions`], withKeys).catch(({ message }) => ({
    err: message,
  }));
  t.notMatch(err, '\u001b');
});

test('a cache that somebody has changed is made anew, and said; only its owner can read it', async (t) => {
  const { run, root, store } = commandWorld(t, issuer);
  await store(busySession(await issuer.login('ada')));
  const count = async () => {
    const { out, err } = await run(query, ['SELECT count(*) AS n FROM statements'], { ...withKeys, format: 'csv' });
    return { n: out.split('\n')[1], err };
  };
  t.strictSame(await count(), { n: '5', err: '' });
  const views = join(root, 'home/cache/views');
  const files = () =>
    readdirSync(views, { recursive: true, encoding: 'utf8' })
      .map((name) => join(views, name))
      .filter((path) => statSync(path).isFile());
  for (const path of files()) t.equal(statSync(path).mode & 0o777, 0o600, path);
  for (const path of [join(root, 'home/state/cache-key')]) t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(views).mode & 0o777, 0o700);
  const list = () => files().find((path) => path.endsWith('/list')) ?? '';
  const statements = () => {
    const { name } = JSON.parse(readFileSync(list(), 'utf8').split('\n')[1] ?? '').files.statements[0];
    return join(dirname(list()), name);
  };
  const before = readFileSync(statements());

  const forged = join(root, 'forged.parquet');
  const open = await (await DuckDBInstance.create()).connect();
  await open.run(`COPY (SELECT * FROM read_parquet('${statements()}') LIMIT 0) TO '${forged}' (FORMAT parquet)`);
  const tamperings: Record<string, () => void> = {
    'rows taken out': () => writeFileSync(statements(), readFileSync(forged)),
    'a byte changed': () =>
      writeFileSync(
        statements(),
        before.map((byte, at) => (at === 99 ? byte ^ 1 : byte)),
      ),
    'no Parquet at all': () => writeFileSync(statements(), 'x'),
    'its list changed': () =>
      writeFileSync(list(), readFileSync(list(), 'utf8').replace(/"verdict":"\w+"/, '"verdict":"proven" ')),
    'a list without its first line': () => writeFileSync(list(), readFileSync(list(), 'utf8').replace(/^.*\n/, '')),
    'nothing in the list': () => writeFileSync(list(), ''),
    'readable by others': () => chmodSync(statements(), 0o644),
    'another key': () => writeFileSync(join(root, 'home/state/cache-key'), Buffer.alloc(32)),
  };
  for (const [what, tamper] of Object.entries(tamperings)) {
    tamper();
    t.match(await count(), { n: '5', err: /The cache of 1 day was not as dbguard had left it/ }, what);
    t.strictSame(await count(), { n: '5', err: '' }, `${what}: and is whole again`);
  }
  const target = statements();
  rmSync(target);
  symlinkSync(forged, target);
  t.match(await count(), { n: '5', err: /not as dbguard had left it/ }, 'a link');
});

/**
 * Masks through drivers as they are installed: psycopg 2 and 3, JDBC and node-postgres, text and binary, COPY in all
 * formats. A program reads what dbguard masks, and reads a table that holds what masks leave: it cannot tell which is which.
 *
 * They are no dependencies of ours: FOLDER has them.
 *   python3 -m venv py && py/bin/pip install 'psycopg[binary]' psycopg2-binary
 *   mvn dependency:copy -Dartifact=org.postgresql:postgresql:42.7.4 -DoutputDirectory=java
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import pg from 'pg';
import type { Only } from '../helpers/only.js';
import { type PostgresVersion, startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';
import { repositoryRoot } from '../helpers/repository.js';
import { differences } from './differences.js';

const mask = [
  { column: 'people.ssn', with: 'partial', keep: 4 },
  { column: 'people.code', with: 'pattern', pattern: '##-**' },
  { column: 'people.born', with: 'date', keep: 'year' },
  { column: 'people.seen', with: 'date', keep: 'month' },
  { column: 'people.salary', with: 'round', to: 1000 },
  { column: 'people.rate', with: 'bucket', bounds: [0, 10, 100] },
  { column: 'people.big', with: 'null' },
  { column: 'people.score', with: 'round', to: 10 },
  { column: 'people.doc', with: 'json', hide: ['$.ssn', '$.kin.phone'] },
  { column: 'people.note', with: 'fixed', value: '***' },
  { column: 'people.tags', with: 'fixed', value: '***' },
  { column: 'people.days', with: 'date', keep: 'decade' },
  { column: 'people.raw', with: 'null' },
  { column: 'people.flag', with: 'null' },
  { column: 'people.home', with: 'null' },
  { column: 'people.key', with: 'hash' },
  { column: 'people.mail', with: 'email' },
  { column: 'people.card', with: 'card' },
  { column: 'people.phone', with: 'phone' },
  { column: 'people.free', with: 'detected' },
] as const;

const table = `CREATE TYPE address AS (street text, city text);
  CREATE TABLE people (id int PRIMARY KEY, name text, ssn text, code varchar(10), born date, seen timestamptz, salary int,
    rate numeric, big int8, score float8, doc jsonb, note text, tags text[], days date[], raw bytea, flag bool,
    home address, free text, key uuid, mail text, card text, phone text);`;
const hashed = `'0f8fad5b-d9cb-469f-a165-70867728950e', 'knry@mail.example', '4111 1111 1111 1111', '+47 400 00 000'`;

/** The second row is NULL but for its name; the third has the hashed values of the first. */
const held = `${table} INSERT INTO people VALUES
  (1, 'Ada', 'CANARY-4821', 'ab-CANARY', '1911-03-07', '2024-05-06 07:08:09Z', 41234, 55.50, 7345001, 47.5,
   '{"ssn": "CANARY", "kin": {"phone": "CANARY", "name": "Bo"}, "n": 1.50}', 'CANARY', '{CANARY,"CANARY b",NULL}',
   '{1911-03-07,NULL}', 'CANARY', true, ROW('CANARY','Oslo'), 'write to CANARY@mail.example today', ${hashed}),
  (3, 'Zoë "Z"', 'x', 'ab-cd', '2001-12-31', '1999-12-31 23:59:59Z', -1501, -1, 1, -4, '[]', '', '{}', '{}', '', false,
   NULL, 'nothing', ${hashed});
  INSERT INTO people (id, name) VALUES (2, 'Bob');`;

const shown = `${table} INSERT INTO people VALUES
  (1, 'Ada', '*******4821', '*********', '1911-01-01', '2024-05-01 00:00:00Z', 41000, 10, NULL, 50,
   '{"ssn": null, "kin": {"phone": null, "name": "Bo"}, "n": 1.50}', '***', '{***,***,NULL}',
   '{1910-01-01,NULL}', NULL, NULL, NULL, 'write to ******************* today', ${hashed}),
  (3, 'Zoë "Z"', '*', 'ab-**', '2001-01-01', '1999-12-01 00:00:00Z', -2000, NULL, NULL, 0, '[]', '***', '{}', '{}', NULL, NULL,
   NULL, 'nothing', ${hashed});
  INSERT INTO people (id, name) VALUES (2, 'Bob');`;

/** What only has a form: whether it has it, and which values are equal. */
const columns =
  'id, name, ssn, code, born, seen, salary, rate, big, score, doc, note, tags, days, raw, flag, home, free';
/** Of these only the form is compared, as text. */
const forms = 'SELECT id, key, mail, card, phone FROM people ORDER BY id';
const queries = [
  `SELECT ${columns} FROM people ORDER BY id`,
  'SELECT row_to_json(p)::jsonb - ARRAY[$$key$$,$$mail$$,$$card$$,$$phone$$,$$home$$,$$tags$$,$$days$$] AS row FROM people p ORDER BY id',
  'SELECT array_agg(salary ORDER BY id), array_agg(born ORDER BY id) FROM people',
  'SELECT count(*), count(ssn), min(born) FROM people',
  forms,
];
const copied = `SELECT ${columns} FROM people ORDER BY id`;

interface Program {
  readonly name: string;
  missing(): string | undefined;
  run(url: string): Promise<string[]>;
}

function programs(folder: string): readonly Program[] {
  const python = join(folder, 'py/bin/python');
  const jars = join(folder, 'java');
  const at = (file: string): string => join(repositoryRoot, 'test/conformance/programs', file);
  const needs = (path: string) => () => (existsSync(path) ? undefined : path);
  return [
    { name: 'node-postgres', missing: () => undefined, run: inNode },
    { name: 'psycopg 2', missing: needs(python), run: (url) => run(python, [at('masks_psycopg_2.py')], url) },
    { name: 'psycopg 3', missing: needs(python), run: (url) => run(python, [at('masks_psycopg_3.py')], url) },
    { name: 'JDBC', missing: needs(jars), run: (url) => run('java', ['-cp', join(jars, '*'), at('Masks.java')], url) },
  ];
}

async function run(program: string, args: readonly string[], url: string): Promise<string[]> {
  const env = { DATABASE_URL: url, QUERIES: JSON.stringify(queries), COPIED: copied, PYTHONDONTWRITEBYTECODE: '1' };
  const { all = '', exitCode } = await execa(program, args, { reject: false, all: true, env, timeout: 120_000 });
  return [...all.split('\n').filter((line) => !line.startsWith('NOTICE')), `exit ${exitCode}`];
}

async function inNode(url: string): Promise<string[]> {
  const lines: string[] = [];
  for (const binary of [false, true]) {
    const client = new pg.Client({ connectionString: url, binary } as pg.ClientConfig);
    await client.connect();
    for (const [at, text] of queries.entries()) {
      if (binary && text === forms) continue;
      for (const query of [{ text }, { text, name: `q${at}` }, { text, name: `q${at}` }]) {
        // it does not read every type in binary
        const answer = await client.query({ ...query, rowMode: 'array' }).catch(String);
        lines.push(typeof answer === 'string' ? answer : JSON.stringify([answer.fields.map(typeOf), answer.rows]));
      }
    }
    await client.end();
  }
  return [...lines, 'exit 0'];
}

const typeOf = ({ dataTypeID }: pg.FieldDef): number => dataTypeID;

/** What `key`, `mail`, `card` and `phone` look like, masked or not. */
const hashedForms: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID'],
  [/[\w-]+@[\w.]+/g, 'MAIL'],
  [/\d{4} \d{4} \d{4} \d{4}/g, 'CARD'],
  [/\+\d+( \d+)+/g, 'PHONE'],
  // pg_type.oid of the composite type
  [/\b16\d{3}\b/g, 'OID'],
];

/** @returns how many programs saw something else */
export async function tryMasks(folder: string, chosen: Only, versions: readonly PostgresVersion[]): Promise<number> {
  let failed = 0;
  for (const version of versions) {
    const server = await startPostgres({ version });
    const guarded = await startProxyProcess(server, { policy: { profile: 'observe' }, config: { mask } });
    try {
      for (const [database, setup] of [
        ['held', held],
        ['shown', shown],
      ] as const) {
        await server.query(`CREATE DATABASE ${database}`);
        await server.query(setup, undefined, database);
      }
      for (const program of programs(folder).filter(({ name }) => chosen(name))) {
        const missing = program.missing();
        if (missing !== undefined) {
          console.log(`  PostgreSQL ${version}, ${program.name}: skipped, there is no ${missing}`);
          continue;
        }
        const [expected, masked] = await Promise.all(
          [server.url('shown'), guarded.url('held')].map(async (url) => {
            const lines = await program.run(url);
            return lines.map((line) => hashedForms.reduce((text, [form, name]) => text.replaceAll(form, name), line));
          }),
        );
        const diff = differences(expected ?? [], masked ?? []);
        const canaries = (masked ?? []).filter((line) => /canary|43414e415259/i.test(line));
        const fine = diff.length === 0 && canaries.length === 0 && expected?.at(-1) === 'exit 0';
        console.log(
          `  PostgreSQL ${version}, ${program.name}: ${fine ? `the same, ${expected.length} lines` : 'different'}`,
        );
        if (!fine) failed++;
        for (const line of [...diff.slice(0, 12), ...canaries.slice(0, 3), ...(fine ? [] : [expected?.at(-1) ?? ''])])
          console.log(`    ${line.slice(0, 300)}`);
      }
    } finally {
      await guarded.stop();
      await server.stop();
    }
  }
  return failed;
}

/** Every row of the table, over a folder and over S3 with versions; and what a second verifier says of the same lines. */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { startS3 } from '../helpers/s3.js';
import { clientId } from '../transcript/people.js';
import { differences, judge } from './judge.js';
import { castAt, tamperings as known, Scene } from './tamperings.js';
import { tamperingsOfStrangers } from './tamperings-of-strangers.js';
import { folderVault, s3Vault } from './vaults.js';

const tamperings = [...known, ...tamperingsOfStrangers];
const cast = await castAt(Date.UTC(2026, 10, 23, 12));

test('the table is large, and each row has a name of its own', (t) => {
  t.ok(tamperings.length > 100, `${tamperings.length} rows`);
  t.equal(new Set(tamperings.map(({ name }) => name)).size, tamperings.length);
  t.end();
});

test('in a folder', async (t) => {
  const root = t.testdir();
  for (const [n, row] of tamperings.entries()) {
    if (row.versions) continue;
    const scene = new Scene(cast);
    row.change(scene);
    const vault = await folderVault(join(root, String(n)));
    await scene.store(vault);
    const judgement = await judge(scene, vault);
    t.strictSame(differences(row, judgement), [], row.name, { found: judgement.messages });
  }
});

test('on S3 with versions', async (t) => {
  const server = await startS3();
  server.pageSize = 1000;
  t.teardown(() => server.close());
  for (const row of tamperings) {
    const scene = new Scene(cast);
    row.change(scene);
    const vault = await s3Vault(server);
    await scene.store(vault);
    const judgement = await judge(scene, vault);
    t.strictSame(differences(row, judgement), [], row.name, { found: judgement.messages });
  }
});

const verifier = join(import.meta.dirname, '..', 'vectors', 'transcript', 'verify.py');
const hasPython = spawnSync('python3', ['--version']).status === 0 || 'python3 is missing';

test('a second verifier agrees about the lines', { skip: hasPython !== true && hasPython }, (t) => {
  const rows = tamperings.filter(({ second }) => second !== undefined);
  const cases = rows.map((row) => {
    const scene = new Scene(cast);
    row.change(scene);
    const { sid, prefix, segments } = scene.first;
    const kept = segments.filter((_, n) => !scene.omitted.has(scene.key(n)));
    const [, subject] = prefix.split('/');
    const read = { issuerKeys: cast.issuer.keys, reader: { clientId } };
    return { name: row.name, sid, subject, segments: kept, ...read };
  });
  const file = join(t.testdir(), 'sessions.jsonl');
  writeFileSync(file, cases.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const { stdout, stderr } = spawnSync('python3', [verifier, file], { encoding: 'utf8' });
  t.equal(stderr, '');
  const said = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  t.ok(rows.length > 45, `${rows.length} rows`);
  for (const [n, row] of rows.entries()) t.equal(said[n]?.verdict, row.second, `${row.name}: ${said[n]?.why}`);
  t.end();
});

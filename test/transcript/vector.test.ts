/** The published sessions: this code still writes them byte for byte, and a program that shares no code judges them alike. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'tap';
import { alternativeKey, segmentKey } from '../../src/transcript/object-key.js';
import { pack } from './recorded.js';
import { makeVectors, type VectorCase } from './vector-cases.js';
import { judged, noPython, python } from './verifiers.js';

const folder = join(import.meta.dirname, '..', 'vectors', 'transcript');
const file = join(folder, 'sessions.jsonl');
const made = await makeVectors();
if (process.env.UPDATE_VECTORS === '1') writeFileSync(file, made.map((one) => `${JSON.stringify(one)}\n`).join(''));
const cases: VectorCase[] = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));

test('the writer writes what it always wrote', async (t) => {
  for (const [n, one] of made.entries()) t.strictSame(JSON.parse(JSON.stringify(one)), cases[n], one.name);
  t.equal(made.length, cases.length);
  t.equal(new Set(cases.map(({ name }) => name)).size, cases.length, 'each name once');
});

test('each is judged as it says', async (t) => {
  for (const one of cases) {
    const { verdict, findings } = await judged(one);
    t.equal(verdict, one.verdict, `${one.name}: ${findings.map(({ message }) => message).join('; ')}`);
  }
});

test('an independent verifier agrees', { skip: noPython }, async (t) => {
  const { lines, stderr } = python(file);
  t.equal(stderr, '');
  for (const [n, one] of cases.entries()) t.equal(lines[n]?.verdict, one.verdict, `${one.name}: ${lines[n]?.why}`);
});

test('and reads objects as they lie in a bucket', { skip: noPython }, async (t) => {
  const [sound, broken] = ['an ordinary session', 'a segment dropped'].map((name) =>
    cases.find((one) => one.name === name),
  );
  for (const [one, status, stored] of [
    [sound, 0, pack],
    [broken, 1, pack],
    // what is no segment is a foreign object, and the session is not whole without it
    [sound, 1, (lines: readonly string[]) => Buffer.from(`${lines.join('\n')}\n`)],
    [sound, 1, (lines: readonly string[]) => Buffer.concat([gzipSync(''), pack(lines)])],
  ] as const) {
    if (!one) return t.fail('no such session');
    const root = t.testdir({ 'jwks.json': JSON.stringify(one.issuerKeys) });
    const path = join(root, one.subject, one.sid);
    mkdirSync(path, { recursive: true });
    for (const [n, lines] of one.segments.entries()) {
      const bytes = n === 1 ? stored(lines) : pack(lines);
      if (lines.length > 0) writeFileSync(segmentKey(`${path}/`, n), bytes);
    }
    const said = python(path, join(root, 'jwks.json'), 'dbguard');
    t.match(said, { status, stderr: stored === pack ? '' : /00000001\.jsonl\.gz is no segment/ });
  }
});

test('and names beside a segment’s', { skip: noPython }, async (t) => {
  const one = cases.find(({ name }) => name === 'an ordinary session');
  if (!one) return t.fail('no such session');
  for (const [status, behind] of [
    [0, ''],
    [2, 'another text'],
  ] as const) {
    const root = t.testdir({ 'jwks.json': JSON.stringify(one.issuerKeys) });
    const path = join(root, one.subject, one.sid);
    mkdirSync(path, { recursive: true });
    for (const [n, lines] of one.segments.entries()) {
      const name = alternativeKey(`${path}/`, n, Buffer.from(`${lines.join('\n')}\n${behind}`));
      writeFileSync(name, pack(lines));
    }
    t.match(python(path, join(root, 'jwks.json'), 'dbguard'), { status });
  }
});

/** The published session: this code still writes it byte for byte, verifies it, and so does a program that shares no code. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { listSessions } from '../../src/review/catalog.js';
import { pinnedKeys } from '../../src/review/issuer-keys.js';
import { verifySession } from '../../src/review/verify-session.js';
import { segmentKey } from '../../src/transcript/object-key.js';
import { editPayload, memorySource, pack, readEntry } from './recorded.js';
import { makeVector, type TranscriptVector } from './vector.js';

const folder = join(import.meta.dirname, '..', 'vectors', 'transcript');
const file = join(folder, 'session.json');
const vector: TranscriptVector = JSON.parse(readFileSync(file, 'utf8'));
const hasPython = spawnSync('python3', ['--version']).status === 0;

test('the writer writes what it always wrote', async (t) => {
  t.same(await makeVector(), vector);
});

test('the published session is proven', async (t) => {
  const createdAt = Date.UTC(2026, 10, 23, 12, 0, 10);
  const objects = vector.segments.map((lines, n) => ({
    key: segmentKey(vector.prefix, n),
    bytes: pack(lines),
    createdAt,
  }));
  const source = memorySource(objects);
  const keys = pinnedKeys(JSON.stringify(vector.issuerKeys), 'vector');
  for await (const session of listSessions(source)) {
    const report = await verifySession(session, { source, keys, demands: {}, now: createdAt });
    t.match(report, { verdict: 'proven', state: 'complete', level: 'nonce', findings: [] });
    t.match(report, { sid: vector.expected.sid, entries: vector.expected.entries, head: vector.expected.head });
  }
});

function python(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('python3', [join(folder, 'verify.py'), ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('an independent verifier agrees', { skip: !hasPython && 'python3 is missing' }, async (t) => {
  const { status, stdout, stderr } = python(file);
  t.equal(stderr, '');
  t.equal(status, 0);
  const { sid, entries, statements, head } = vector.expected;
  t.same(JSON.parse(stdout), { sid, entries, statements, head });
});

test('and reads objects as they lie in a bucket', { skip: !hasPython && 'python3 is missing' }, async (t) => {
  const root = t.testdir({ 'jwks.json': JSON.stringify(vector.issuerKeys) });
  const folder = join(root, vector.expected.sid);
  mkdirSync(folder);
  for (const [n, lines] of vector.segments.entries()) writeFileSync(segmentKey(`${folder}/`, n), pack(lines));
  t.equal(python(folder, join(root, 'jwks.json')).status, 0);
});

test('and disagrees with changes', { skip: !hasPython && 'python3 is missing' }, async (t) => {
  const root = t.testdir();
  const refuse = (why: RegExp, change: (segments: string[][]) => void) => {
    const segments = vector.segments.map((lines) => [...lines]);
    change(segments);
    const path = join(root, 'changed.json');
    writeFileSync(path, JSON.stringify({ ...vector, segments }));
    const { status, stderr } = python(path);
    t.equal(status, 1);
    t.match(stderr, why);
  };
  const at = (segments: string[][], segment: number, line: number, change: (text: string) => string) => {
    const lines = segments[segment];
    if (lines) lines[line] = change(lines[line] ?? '');
  };
  refuse(/head at 4/, (s) => at(s, 1, 1, (line) => editPayload(line, (p) => p.replace('"allow"', '"alloy"'))));
  refuse(/disclosures of entry 3/, (s) => at(s, 1, 1, (line) => line.replace('Name', 'Nume')));
  refuse(/number of entry 3/, (s) => s[1]?.splice(1, 1));
  refuse(/no final seal/, (s) => s.pop());
  refuse(/signature over 9/, (s) => at(s, 2, 1, (line) => line.replace(/"sig":".{10}/, '"sig":"AAAAAAAAAA')));
  refuse(/a key stands twice/, (s) =>
    at(s, 1, 1, (line) => editPayload(line, (p) => p.replace('"decision"', '"decision":"deny","decision"'))),
  );
  refuse(/binds another key/, (s) =>
    at(s, 0, 0, (line) => editPayload(line, (p) => p.replace(/"salt":"../, '"salt":"AA'))),
  );
  t.equal(readEntry(vector.segments[2]?.[0] ?? '').n, 8);
});

/** What was recorded of one statement, read alone, is what the whole recording has of it, wherever its lines lie. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { DbguardError } from '../../src/errors.js';
import { readAnswer } from '../../src/review/recorded-answer.js';
import { ShownAnswers } from '../../src/review/recorded-results.js';
import { type Recording, readRecording } from '../../src/review/recordings.js';
import { chunkKey } from '../../src/transcript/recording.js';

const owner = { subject: 'a'.repeat(32), sid: '0'.repeat(26) };

/** A writer: statements begin, get rows and end in any order; chunks are cut at any time, and come into the chain later. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ does: 'begin' as const }) },
  { weight: 8, arbitrary: fc.record({ does: fc.constant('row' as const), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('end' as const), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.constant({ does: 'cut' as const }) },
  { weight: 3, arbitrary: fc.constant({ does: 'chunk' as const }) },
);

interface Step {
  readonly does: 'begin' | 'cut' | 'chunk' | 'row' | 'end';
  readonly which?: number;
}

function written(steps: readonly Step[]) {
  let n = 0;
  let lines: object[] = [];
  const open: number[] = [];
  const ends = new Map<number, number | undefined>();
  const waiting: Buffer[] = [];
  const chunks: Recording['chunks'][number][] = [];
  const objects = new Map<string, Buffer>();
  const place = { ...owner, stream: 'results', keepDays: undefined, encrypted: false } as const;
  const cut = (): void => {
    if (lines.length > 0) waiting.push(gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
    lines = [];
  };
  const arrive = (): void => {
    const bytes = waiting.shift();
    if (bytes === undefined) return;
    const digest = createHash('sha256').update(bytes).digest('base64url');
    objects.set(chunkKey(place, chunks.length, digest), bytes);
    chunks.push({ n: ++n, at: n, chunk: chunks.length, digest, size: bytes.length });
  };
  for (const one of steps) {
    if (one.does === 'cut') cut();
    else if (one.does === 'chunk') arrive();
    else if (one.does === 'begin') {
      open.push(++n);
      ends.set(n, undefined);
      lines.push({ of: n, t: n, columns: [['v', 25]] });
    } else {
      const of = open[(one.which ?? 0) % Math.max(1, open.length)];
      if (of === undefined) continue;
      if (one.does === 'row') lines.push({ of, rows: [[`${n} of ${of}`]] });
      else {
        ends.set(of, ++n);
        open.splice(open.indexOf(of), 1);
      }
    }
  }
  cut();
  while (waiting.length > 0) arrive();
  const recording: Recording = { stream: 'results', chunks, end: 'session' };
  return { recording, ends, objects };
}

const partsOf = (end: number | undefined) =>
  (end === undefined ? [] : [{ item: { n: end, kind: 'outcome' } }]) as never;

t.test('read alone it is the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const { recording, ends, objects } = written(steps);
      const source = { read: async (key: string) => objects.get(key) ?? Buffer.alloc(0) };
      const all = new ShownAnswers();
      for await (const chunk of readRecording(owner, recording, source))
        if (chunk.state === 'read') all.add(chunk.lines);
      for (const [n, end] of ends) {
        const alone = await readAnswer(owner, recording, source, undefined, { n, parts: partsOf(end) });
        if (JSON.stringify(alone.answer?.results) !== JSON.stringify(all.of(n)?.results))
          throw new Error(`${n}: ${JSON.stringify(alone)} where all have ${JSON.stringify(all.of(n))}`);
        if (alone.changed || alone.missing !== undefined) throw new Error(alone.missing);
      }
    }),
    { numRuns: 300 },
  );
});

t.test('what is missing is said, and what is something else', async (t) => {
  const { recording, objects } = written([{ does: 'begin' }, { does: 'row', which: 0 }, { does: 'end', which: 0 }]);
  const row = { n: 1, parts: partsOf(2) };
  const gone = { read: async () => Promise.reject(new DbguardError('transcript-unknown', 'expired')) };
  t.match(await readAnswer(owner, recording, gone, undefined, row), {
    answer: undefined,
    missing: /not in the bucket/,
    changed: false,
  });
  const other = { read: async () => Buffer.from([...objects.values()][0] ?? []).reverse() };
  t.match(await readAnswer(owner, recording, other, undefined, row), {
    answer: undefined,
    missing: /something else/,
    changed: true,
  });
});

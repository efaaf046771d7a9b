/**
 * Any change to a transcript is found: a byte, a line, a segment; dropped, repeated, moved, cut. Over sessions of every
 * shape that a writer makes.
 */
import * as fc from 'fast-check';
import { test } from 'tap';
import { listSessions } from '../../src/review/catalog.js';
import type { SessionReport } from '../../src/review/session-report.js';
import { verifySession } from '../../src/review/verify-session.js';
import { segmentKey } from '../../src/transcript/object-key.js';
import { clientId, testIssuer } from './people.js';
import { memorySource, pack, type Recorded, record } from './recorded.js';

const now = Date.UTC(2026, 10, 23, 12);
const issuer = await testIssuer();
const login = await issuer.login('dev', { at: now });
const keys = { keysOf: async () => [{ ...issuer.keys, origin: 'test' }] };

/** Texts that stand in entries and disclosures; what JSON escapes and what UTF-8 makes long among them. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('SELECT 1', '\t', '\n', '"', '{"size":1}', '\u2028', 'é😀'),
);

const sessions = fc
  .record({
    statements: fc.integer({ min: 0, max: 6 }),
    texts: fc.array(text, { maxLength: 4 }),
    final: fc.boolean(),
  })
  .map(({ statements, texts, final }) =>
    record(login, {
      statements,
      final,
      extra: texts.map((sql) => [{ k: 'parse', conn: 1, facts: [{ command: sql }] }, { sql }]),
    }),
  );

/** @param segments the bytes of each segment, unpacked */
async function verify({ prefix }: Recorded, segments: readonly Uint8Array[]): Promise<SessionReport> {
  const createdAt = now + 10_000;
  const objects = segments.map((bytes, n) => ({ key: segmentKey(prefix, n), bytes: pack(bytes), createdAt }));
  const source = memorySource(objects);
  for await (const session of listSessions(source)) {
    return verifySession(session, { source, keys, demands: { clientId }, now: createdAt + 3_600_000 });
  }
  throw new Error('no session');
}

/**
 * A changed transcript is not proven, or what was added to it is named as a foreign object, and what is said of it is not what
 * is said of the untouched one. Which verdict it is, depends on whether a signature is left to say whose the object was.
 */
async function isFound(session: Recorded, segments: readonly Uint8Array[]): Promise<boolean> {
  const said = ({ verdict, entries, findings }: SessionReport): string =>
    JSON.stringify([verdict, entries, findings.map(({ message }) => message)]);
  const after = await verify(session, segments);
  const isForeign = after.findings.some(({ code }) => code === 'foreign-object');
  if (after.verdict === 'proven' && !isForeign) return false;
  return said(after) !== said(await verify(session, bytesOf(session.segments)));
}

const bytesOf = (segments: readonly (readonly string[])[]): Buffer[] =>
  segments.map((lines) => Buffer.from(lines.map((line) => `${line}\n`).join('')));

const textOf = (segments: readonly (readonly string[])[]): string => JSON.stringify(segments);

test('what was not changed is not accused', async (t) => {
  await fc.assert(
    fc.asyncProperty(sessions, async (session) => {
      const { verdict, findings } = await verify(session, bytesOf(session.segments));
      return verdict === (session.segments.length === 3 ? 'proven' : 'unproven') && findings.length <= 1;
    }),
    { numRuns: 100 },
  );
  t.pass();
});

test('a byte that is another one', async (t) => {
  await fc.assert(
    fc.asyncProperty(sessions, fc.nat(), fc.integer({ min: 1, max: 255 }), async (session, at, flip) => {
      const segments = bytesOf(session.segments);
      const all = segments.reduce((sum, { length }) => sum + length, 0);
      let place = at % all;
      const segment = segments.find(({ length }) => {
        if (place < length) return true;
        place -= length;
        return false;
      });
      if (!segment) return false;
      segment[place] = (segment[place] ?? 0) ^ flip;
      return await isFound(session, segments);
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test('bytes put in or taken out', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      sessions,
      fc.nat(),
      fc.nat(),
      fc.oneof(fc.constant(Buffer.alloc(0)), fc.uint8Array({ minLength: 1, maxLength: 5 })),
      async (session, at, from, put) => {
        const segments = bytesOf(session.segments);
        const which = at % segments.length;
        const bytes = segments[which] ?? Buffer.alloc(0);
        const place = from % bytes.length;
        const rest = bytes.subarray(put.length === 0 ? place + 1 : place);
        const changed = Buffer.concat([bytes.subarray(0, place), put, rest]);
        // the same bytes again where they repeat
        fc.pre(!changed.equals(bytes));
        segments[which] = changed;
        return await isFound(session, segments);
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

test('lines dropped, repeated, moved', async (t) => {
  const ways = {
    drop: (lines: string[], at: number) => lines.splice(at, 1),
    repeat: (lines: string[], at: number, to: number) => lines.splice(to, 0, lines[at] ?? ''),
    move: (lines: string[], at: number, to: number) => lines.splice(to, 0, ...lines.splice(at, 1)),
  };
  await fc.assert(
    fc.asyncProperty(
      sessions,
      fc.constantFrom(...Object.values(ways)),
      fc.nat(),
      fc.nat(),
      async (session, way, from, to) => {
        const before = session.segments.flat();
        const after = [...before];
        way(after, from % before.length, to % before.length);
        fc.pre(textOf([after]) !== textOf([before]));
        const { verdict } = await verify(session, bytesOf([after]));
        return verdict !== 'proven';
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

test('cut anywhere: never proven', async (t) => {
  await fc.assert(
    fc.asyncProperty(sessions, fc.nat(), async (session, at) => {
      const all = Buffer.concat(bytesOf(session.segments));
      const length = at % all.length;
      const kept = all.subarray(0, length);
      const { verdict } = await verify(session, [kept]);
      return verdict !== 'proven';
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('segments dropped, repeated, moved, under another number', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      sessions,
      fc.constantFrom('drop', 'repeat', 'swap'),
      fc.nat(),
      fc.nat(),
      async (session, way, one, two) => {
        const before = bytesOf(session.segments);
        const after = [...before];
        const [at, to] = [one % before.length, two % before.length];
        const [a, b] = [before[at], before[to]];
        if (!a || !b) return false;
        if (way === 'drop') after.splice(at, 1);
        else if (way === 'repeat') after.splice(to, 0, a);
        else {
          after.splice(at, 1, b);
          after.splice(to, 1, a);
        }
        fc.pre(!Buffer.concat(after).equals(Buffer.concat(before)));
        return await isFound(session, after);
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});

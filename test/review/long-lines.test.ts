/**
 * However long a line is, and whoever wrote it, `verify` needs no more memory than for short ones: by the real program, as
 * the system counts it. The bound is generous; a line that is held costs several times its length.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { test } from 'tap';
import { LongLine } from '../../src/review/long-line.js';
import { redactionEntry } from '../../src/review/redaction.js';
import { decodeDisclosure, decodeLine, MAX_DISCLOSED } from '../../src/transcript/line.js';
import { redactionKey } from '../../src/transcript/object-key.js';
import { runTranscripts } from '../bench/transcripts-command.js';
import { clientId, testIssuer } from '../transcript/people.js';
import { besideKey, objectsOf, pack, type Recorded, record } from '../transcript/recorded.js';

const boundMiB = 200;
const at = Date.now() - 3_600_000;
const issuer = await testIssuer();
const login = await issuer.login('dev', { at: at - 1000 });
const lead = await issuer.login('lead', { at: at - 1000 });
const long = (character: string): string => character.repeat(Math.floor(MAX_DISCLOSED / character.length) - 64);
const noise = (characters: number): string => randomBytes((characters * 3) / 4).toString('base64');

interface Kind {
  /** Disclosed by a statement, twice. */
  readonly statement?: { readonly sql: string; readonly bind?: readonly (string | null)[] };
  /** Disclosed by a verdict of a statement that was asked about. */
  readonly reason?: string;
  /** Stored beside the session. */
  readonly beside?: (session: Recorded) => Readonly<Record<string, Uint8Array>>;
}

const foreign = (key: string, bytes: Uint8Array) => ({ beside: () => ({ [key]: bytes }) });

const kinds: Readonly<Record<string, () => Kind>> = {
  'a statement': () => ({ statement: { sql: long('a') } }),
  'a statement in letters of three bytes': () => ({ statement: { sql: long('中') } }),
  'a statement of nothing but escapes': () => ({ statement: { sql: long('"\n') } }),
  'a statement that does not pack': () => ({ statement: { sql: noise(MAX_DISCLOSED / 2) } }),
  'a bind value': () => ({ statement: { sql: 'INSERT INTO t VALUES ($1)', bind: [long('a')] } }),
  'a million bind values': () => ({
    statement: {
      sql: 'INSERT',
      bind: Array.from({ length: 1_000_000 }, (_, n) => (n % 3 === 0 ? null : `value ${n}`)),
    },
  }),
  'a reason': () => ({ reason: long('a') }),
  'a redaction': () => ({
    beside({ prefix, sid }) {
      const target = { sid, n: 3, digests: {} };
      const extra = [[redactionEntry(target, 'too long'), { sql: long('a') }]] as const;
      const own = record(lead, { at, statements: 0, extra });
      return { [redactionKey(prefix, own.sid)]: pack(own.segments.flat()) };
    },
  }),
  'a foreign object': () => ({
    beside: ({ prefix }) => besideIt(prefix, pack([`{"n":3}\t["s","sql","${long('a')}"]`])),
  }),
  'a foreign object of one line without an end': () => ({
    beside: ({ prefix }) => besideIt(prefix, pack([long('a')])),
  }),
  'a foreign object of a long entry': () => ({
    beside: ({ prefix }) => besideIt(prefix, pack([`{"n":3,"x":[${long('[],')}[]]}`])),
  }),
  'a foreign object that does not pack': () => ({
    beside: ({ prefix }) => besideIt(prefix, pack([`{"n":3}\t["s","sql","${noise(MAX_DISCLOSED / 2)}"]`])),
  }),
  'an object in no folder': () => foreign('v1/note.jsonl.gz', pack([long('a')])),
};

function besideIt(prefix: string, bytes: Uint8Array): Record<string, Uint8Array> {
  return Object.fromEntries([0, 1, 2].map((n) => [besideKey(prefix, n, bytes), bytes]));
}

function sessionOf({ statement, reason }: Kind): Recorded {
  if (reason !== undefined) {
    const asked = [{ k: 'statement', conn: 1, decision: 'ask', rule: 'test' }, { sql: 'DROP TABLE t' }] as const;
    const denied = [{ k: 'verdict', of: 2, decision: 'deny', by: 'person' }, { reason }] as const;
    return record(login, { at, statements: 0, extra: [asked, denied] });
  }
  if (statement === undefined) return record(login, { at });
  const extra = [2, 4].flatMap((of) => [
    [
      { k: 'statement', conn: 1, decision: 'allow', rule: 'test' },
      { ...statement, sql: statement.sql },
    ] as const,
    [{ k: 'outcome', of, how: 'done' }] as const,
  ]);
  return record(login, { at, statements: 0, extra });
}

for (const [what, kindOf] of Object.entries(kinds)) {
  test(`${what} is verified in bounded memory`, { timeout: 300_000 }, async (t) => {
    const kind = kindOf();
    const root = t.testdir({ 'keys.json': JSON.stringify(issuer.keys) });
    const session = sessionOf(kind);
    const own = objectsOf(session, at).map(({ key, bytes }) => [key, bytes] as const);
    for (const [key, bytes] of [...own, ...Object.entries(kind.beside?.(session) ?? {})]) {
      const path = join(root, 'bucket', key);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    }
    const args = [
      'verify',
      '--all',
      '--offline',
      '--keys',
      'keys.json',
      '--client-id',
      clientId,
      '--bucket',
      'file:bucket',
    ];
    const { out, peak } = await runTranscripts(root, args);
    t.match(out, /1 proven, 0 not all proven, 0 changed/);
    t.ok(peak < boundMiB, `${peak.toFixed(0)} MiB, less than ${boundMiB}`);
  });
}

test('a long line that goes by says what the same line says as a whole', async () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '\u0000', '\ud800', '\u2028'));
  const value = fc.oneof(text, fc.array(fc.option(text)), fc.jsonValue(), fc.constant(undefined));
  const disclosure = fc.oneof(
    fc.tuple(text, text, value).map((parts) => JSON.stringify(parts)),
    fc.tuple(text, text, value).map((parts) => JSON.stringify(parts, undefined, 1).replaceAll('\n', '\r')),
    fc.tuple(text, fc.nat()).map(([cut, at]) => `["s","sql","${cut}"]`.slice(0, at)),
    fc.constantFrom(
      '',
      '[',
      '["a","b",null]',
      '["a","b",[nul]]',
      '["a","b",[null,]]',
      '["a","b","\\x"]',
      '["a","b","\\u12"]',
    ),
    fc.constantFrom(
      '["a","b","c"]]',
      '["a","b","c"],',
      '["a","b",,]',
      '["a" "b","c"]',
      '["a","b",[["c"]]]',
      '["a","\\u0062","c"]',
    ),
  );
  const told = (disclosed: Parameters<typeof decodeDisclosure>[0]): unknown => {
    try {
      const { name, digest } = decodeDisclosure(disclosed);
      return { name, digest };
    } catch {
      return 'none';
    }
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(disclosure),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      async (disclosures, cuts) => {
        const whole = [`{"n":1}`, ...disclosures.map((one) => one.replaceAll(/[\t\n]/g, ''))].join('\t');
        const bytes = Buffer.from(whole);
        const passing = new LongLine();
        for (let from = 0; from < bytes.length; ) {
          const [cut = 1] = cuts;
          passing.add(bytes.subarray(from, from + cut));
          from += cut;
        }
        const { line, passed } = passing.end();
        const held = decodeLine(bytes.toString());
        if (held.kind !== 'entry') throw new Error('a signature');
        return line === held.payload && isDeepStrictEqual(passed.map(told), held.disclosures.map(told));
      },
    ),
    { numRuns: 500 },
  );
});

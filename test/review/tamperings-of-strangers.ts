/**
 * What somebody can do who may read everything and create objects, and what a session's own key can say that nobody
 * would: the second half of the table, written from FORMAT.md alone.
 */
import { gzipSync } from 'node:zlib';
import { createSession } from '../../src/identity/session.js';
import type { Disclosures, EntryBody } from '../../src/transcript/entry.js';
import type { FindingCode } from '../../src/transcript/finding.js';
import { redactionKey, segmentKey, sessionPrefix } from '../../src/transcript/object-key.js';
import { besideKey, editPayload, isSignature, pack, record } from '../transcript/recorded.js';
import type { Scene, Tampering } from './tamperings.js';

const HOUR = 3_600_000;
const slander = { verdict: 'proven', exit: 0, finds: 'foreign-object' } as const;

const heartbeat = (n: number, scene: Scene): string =>
  JSON.stringify({ n, t: (scene.cast.at + 2000) * 1000, k: 'heartbeat' });

/** Stored a moment before the genuine object, which then lies beside it. */
function squatted(segment: number, content: (scene: Scene) => Uint8Array): Tampering['change'] {
  return (scene) => {
    const genuine = pack(scene.lines(segment));
    scene.omitted.add(scene.key(segment));
    scene.after.push(async (vault) => {
      const [key, beside] = [scene.key(segment), besideKey(scene.first.prefix, segment, genuine)];
      await vault.put({ key, bytes: content(scene), createdAt: scene.stored - 1000 });
      await vault.put({ key: beside, bytes: genuine, createdAt: scene.stored });
    });
  };
}

function beside(segment: number, content: (scene: Scene) => Uint8Array): Tampering['change'] {
  return (scene) => {
    const bytes = content(scene);
    scene.put(besideKey(scene.first.prefix, segment, bytes), bytes);
  };
}

const upToFirstSignature = (lines: readonly string[]): readonly string[] =>
  lines.slice(0, lines.findIndex(isSignature) + 1);
const withoutSignatures = (lines: readonly string[]): readonly string[] => lines.filter((line) => !isSignature(line));
const otherAgent = (line = ''): string => editPayload(line, (text) => text.replace(/}$/, ',"agent":"rm -rf"}'));

/** The texts of an entry stand behind it, each behind a tab. */
const withTexts =
  (change: (texts: readonly string[]) => readonly string[]) =>
  (line: string): string => {
    const [entry = '', ...texts] = line.split('\t');
    return [entry, ...change(texts)].join('\t');
  };

/** Each entry with the texts of the next one that has some. */
function textsMoved(lines: readonly string[]): string[] {
  const texts = lines.map((line) => line.split('\t').slice(1)).filter((own) => own.length > 0);
  let next = 0;
  return lines.map(withTexts((own) => (own.length === 0 ? own : (texts[++next % texts.length] ?? []))));
}

/** Copies of what is genuine, spoiled a little: each of them beside the genuine object, and in its place before it. */
const copies: Readonly<Record<string, readonly [segment: number, content: (scene: Scene) => Uint8Array]>> = {
  'the opening, and something behind it': [0, (s) => pack([...s.lines(0), heartbeat(2, s)])],
  'the opening, and junk behind it': [0, (s) => pack([...s.lines(0), '{"n":2}'])],
  'the opening with another agent': [0, (s) => pack([otherAgent(s.lines(0)[0]), ...s.lines(0).slice(1)])],
  'the opening with another agent, unsigned': [0, (s) => pack(withoutSignatures([otherAgent(s.lines(0)[0])]))],
  'the opening entry and nothing else': [0, (s) => pack(s.lines(0).slice(0, 1))],
  'a segment, and an entry behind it': [1, (s) => pack([...s.lines(1), heartbeat(11, s)])],
  'a segment, and a false signature behind it': [
    1,
    (s) => pack([...s.lines(1), (s.lines(1).at(-1) ?? '').replace(/"size":\d+/, '"size":99')]),
  ],
  'a segment up to its first signature': [1, (s) => pack(upToFirstSignature(s.lines(1)))],
  'a segment without signatures': [1, (s) => pack(withoutSignatures(s.lines(1)))],
  'a segment twice in one object': [1, (s) => pack([...s.lines(1), ...s.lines(1)])],
  'a segment with carriage returns': [1, (s) => pack(s.lines(1).map((line) => `${line}\r`))],
  'a segment without any of its texts': [1, (s) => pack(s.lines(1).map(withTexts(() => [])))],
  'a segment without one of its texts': [
    1,
    (s) => pack(s.lines(1).map((line, n) => (n === 0 ? withTexts(() => [])(line) : line))),
  ],
  'a segment with one of its texts in part': [
    1,
    (s) => pack(s.lines(1).map(withTexts((texts) => texts.map((text) => text.slice(0, -3))))),
  ],
  'a segment with each text twice': [1, (s) => pack(s.lines(1).map(withTexts((texts) => [...texts, ...texts])))],
  'a segment with its texts at other entries': [1, (s) => pack(textsMoved(s.lines(1)))],
  'a segment with a text of somebody’s own': [
    1,
    (s) =>
      pack(s.lines(1).map(withTexts((texts) => [...texts, '["AAAAAAAAAAAAAAAAAAAAAA","sql","DROP TABLE users"]']))),
  ],
  'a segment with nothing but its signatures': [1, (s) => pack(s.lines(1).filter(isSignature))],
  'a segment behind a byte order mark': [1, (s) => pack(Buffer.from(`\ufeff${s.lines(1).join('\n')}\n`))],
  'a segment without its last line end': [1, (s) => gzipSync(s.lines(1).join('\n'))],
  'a segment and a second gzip member': [1, (s) => Buffer.concat([pack(s.lines(1)), pack(['junk'])])],
  'an empty gzip member and a segment': [1, (s) => Buffer.concat([gzipSync(''), pack(s.lines(1))])],
  'a segment as it is unpacked': [1, (s) => Buffer.from(`${s.lines(1).join('\n')}\n`)],
  'a segment, cut while packed': [1, (s) => pack(s.lines(1)).subarray(0, -9)],
  'a segment that is not packed': [1, (s) => Buffer.from('junk\n'.repeat(9) + s.lines(1).join('\n'))],
  'a bomb of blanks': [1, () => gzipSync(Buffer.alloc(17 << 20, ' '))],
  'a bomb of lines': [1, () => gzipSync(Buffer.alloc(17 << 20, '\n'))],
};

const copied = Object.entries(copies).flatMap(([name, [segment, content]]): Tampering[] => [
  { name: `beside the genuine one: ${name}`, change: beside(segment, content), ...slander },
  { name: `before the genuine one: ${name}`, change: squatted(segment, content), ...slander },
]);

/** Names that look like a session's. */
const names: Readonly<Record<string, (prefix: string) => string>> = {
  'not packed, by its name': (prefix) => `${prefix}00000003.jsonl`,
  'a number of nine digits': (prefix) => `${prefix}000000001.jsonl.gz`,
  'capitals in its hex': (prefix) => `${prefix}00000001-ABCDEF0123456789.jsonl.gz`,
  'a folder in the folder': (prefix) => `${prefix}more/00000003.jsonl.gz`,
  'a blank behind its name': (prefix) => `${prefix}00000003.jsonl.gz `,
  'a redaction named after the session itself': (prefix) => redactionKey(prefix, prefix.split('/')[2] ?? ''),
  'a redaction of a redaction': (prefix) => `${prefix}redactions/redactions/x.jsonl.gz`,
};
const named = Object.entries(names).map(
  ([name, key]): Tampering => ({
    name: `an object whose name is ${name}`,
    change: (s) => s.put(key(s.first.prefix), pack(['junk'])),
    ...slander,
  }),
);

const ofNobody: Readonly<Record<string, (scene: Scene) => string>> = {
  'a capital V': ({ first }) => first.prefix.replace('v1', 'V1'),
  'capitals in the subject': ({ first }) => first.prefix.replace(/[0-9a-f]{32}/, (hex) => hex.toUpperCase()),
  'capitals in the id': ({ first }) => first.prefix.replace(/[^/]{26}\/$/, (sid) => sid.toUpperCase()),
  'a subject of 31 digits': ({ first }) => first.prefix.replace(/[0-9a-f](?=\/)/, ''),
};
const beyond = Object.entries(ofNobody).map(
  ([name, prefix]): Tampering => ({
    name: `a folder with ${name}`,
    change: (s) => s.put(segmentKey(prefix(s), 0), pack(s.lines(0))),
    ...{ verdict: 'proven', exit: 2, finds: 'unknown-object' },
  }),
);

type Step = readonly [EntryBody, Disclosures?];
const read: EntryBody = { k: 'statement', conn: 1, decision: 'allow' };
const done = (of: number): Step => [{ k: 'outcome', of, how: 'done' }];
/** Entries from 11 on, signed by the session's own key. */
const contradicting: Readonly<Record<string, readonly Step[]>> = {
  'a text of what comes later': [[{ ...read, text: 12 }], [read, { sql: 'SELECT 1' }], done(11), done(12)],
  'a text of itself': [[{ ...read, text: 11 }], done(11)],
  'a text of an outcome': [[{ ...read, text: 3 }], done(11)],
  'a text of its own and another': [[{ ...read, text: 2 }, { sql: 'SELECT 1' }], done(11)],
  'a text and more rows': [[{ k: 'statement', text: 2, continues: 2 }], done(11)],
  'nothing prepared': [[{ k: 'parse', conn: 1 }]],
  'prepared from a heartbeat': [[{ k: 'heartbeat' }], [{ k: 'parse', conn: 1, text: 11 }]],
  'facts that nobody stated': [[{ ...read, facts: 2 }, { sql: 'SELECT 1' }], done(11)],
  'facts in words': [[{ ...read, facts: 'a read' }, { sql: 'SELECT 1' }], done(11)],
  'a dry run of what a rule denied': [[{ k: 'dry-run', of: 4 }]],
  'a connection that does neither come nor go': [[{ k: 'connection', event: 'maybe', conn: 1 }]],
  'more rows of an outcome': [[{ k: 'statement', continues: 3 }], done(11)],
};
const contradictions = Object.entries(contradicting).map(
  ([name, extra]): Tampering => ({
    name: `by the session’s own key: ${name}`,
    change: (s) => {
      s.second = undefined;
      s.first = record(s.cast.ada, { at: s.cast.at + 1000, credential: s.first.credential, extra });
    },
    ...{ verdict: 'invalid', exit: 1, finds: 'contradiction', second: 'invalid' },
  }),
);

const between = (previous: (scene: Scene) => object, finds: FindingCode): Pick<Tampering, 'change' | 'finds'> => ({
  change: (s) => {
    s.second = undefined;
    const { sid, size, head } = s.first;
    s.others.push(
      s.record(s.cast.ada, { at: s.cast.at + 5000, previous: { sid, size, head, ...previous(s) } as never }),
    );
  },
  finds,
});
const succession: readonly Tampering[] = [
  {
    name: 'the next session says one entry more',
    ...between((s) => ({ size: s.first.size + 1 }), 'session-truncated'),
  },
  { name: 'the next session says one entry less', ...between((s) => ({ size: s.first.size - 1 }), 'session-replaced') },
  { name: 'the next session says another head', ...between(() => ({ head: 'A'.repeat(43) }), 'session-replaced') },
  { name: 'the next session says a size and no head', ...between(() => ({ head: undefined }), 'contradiction') },
  { name: 'the next session says a head and no size', ...between(() => ({ size: undefined }), 'contradiction') },
].map((row) => ({ verdict: 'proven', exit: 1, ...row }) as const);

const crowds: readonly Tampering[] = [
  {
    name: 'five hundred folders of junk that look like sessions',
    change: (s) => {
      const [, subject = ''] = s.first.prefix.split('/');
      for (let n = 0; n < 500; n++)
        s.put(segmentKey(sessionPrefix(subject, `01${String(n).padStart(24, '0')}`), 0), pack([`junk ${n}`]));
    },
    ...{ verdict: 'proven', exit: 2, finds: 'nothing-there' },
  },
  {
    name: 'two hundred openings of the same session, unsigned',
    change: (s) => {
      for (let n = 0; n < 200; n++)
        beside(0, () => pack([editPayload(s.lines(0)[0] ?? '', (text) => text.replace(/}$/, `,"agent":"${n}"}`))]))(s);
    },
    ...slander,
  },
  {
    name: 'a colleague’s session under a certificate for this one',
    change: (s) => {
      const credential = createSession(s.cast.bob, { now: s.cast.at + 1000, lifetimeMs: HOUR, sid: s.first.sid });
      beside(1, () => pack(record(s.cast.bob, { at: s.cast.at + 1000, credential }).segments[1] ?? []))(s);
    },
    ...slander,
  },
];

export const tamperingsOfStrangers: readonly Tampering[] = [
  ...copied,
  ...named,
  ...beyond,
  ...contradictions,
  ...succession,
  ...crowds,
];

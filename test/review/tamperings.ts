/**
 * Every way to tamper with a bucket that we know of, with what verification has to say of it. Each row changes one thing
 * about a sound bucket: two sessions of Ada, the second of which names the first, and one of Bob.
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import type { Login } from '../../src/identity/identity.js';
import { createSession } from '../../src/identity/session.js';
import type { ExpectedPerson } from '../../src/review/expectations.js';
import { redactionEntry } from '../../src/review/redaction.js';
import type { Verdict } from '../../src/review/session-report.js';
import type { FindingCode } from '../../src/transcript/finding.js';
import { redactionKey, segmentKey, sessionPrefix, subjectHash } from '../../src/transcript/object-key.js';
import { type TestIssuer, testIssuer } from '../transcript/people.js';
import {
  besideKey,
  editDisclosures,
  editPayload,
  isSignature,
  objectsOf,
  pack,
  type Recorded,
  type RecordOptions,
  readEntry,
  record,
  resign,
  type StoredObject,
} from '../transcript/recorded.js';
import type { Vault } from './vaults.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Whom everything is told about. */
export interface Cast {
  readonly issuer: TestIssuer;
  readonly ada: Login;
  readonly bob: Login;
  readonly lead: Login;
  /** Claims to be Ada, by an issuer that is none. */
  readonly impostor: Login;
  /** By an issuer whose keys nobody has at hand. */
  readonly stranger: Login;
  readonly at: number;
}

export async function castAt(at: number): Promise<Cast> {
  const issuer = await testIssuer(undefined, 'k1', 'EdDSA');
  const [ada, bob, lead] = await Promise.all(['ada', 'bob', 'lead'].map((sub) => issuer.login(sub, { at })));
  const impostor = await (await testIssuer(undefined, 'k1', 'EdDSA')).login('ada', { at });
  const stranger = await (await testIssuer(undefined, 'k2', 'EdDSA')).login('guest', { at });
  if (!ada || !bob || !lead) throw new TypeError('no logins');
  return { issuer, ada, bob, lead, impostor, stranger, at };
}

/** What a row may change. */
export class Scene {
  readonly cast: Cast;
  /** May be replaced whole; `second` names what it was at first. */
  first: Recorded;
  second: Recorded | undefined;
  others: Recorded[];
  readonly extra: StoredObject[] = [];
  /** Once everything is stored. */
  readonly after: ((vault: Vault) => Promise<void> | void)[] = [];
  readonly stored: number;
  /** When it is verified; everything is stored ten seconds after the beginning. */
  now: number;
  storedAt = (_key: string): number => this.stored;
  readonly omitted = new Set<string>();
  retentionDays: number | undefined;
  expected: ExpectedPerson[] = [];

  constructor(cast: Cast) {
    this.cast = cast;
    this.stored = cast.at + 10_000;
    this.now = cast.at + HOUR;
    this.first = record(cast.ada, { at: cast.at + 1000 });
    const { sid, size, head } = this.first;
    this.second = record(cast.ada, { at: cast.at + 5000, previous: { sid, size, head } });
    this.others = [record(cast.bob, { at: cast.at + 2000 })];
  }

  record(login: Login, options: RecordOptions = {}): Recorded {
    return record(login, { at: this.cast.at + 1000, ...options });
  }

  /** Lines of a segment of the first session, to be changed in place. */
  lines(segment: number): string[] {
    const lines = this.first.segments[segment];
    if (lines === undefined) throw new RangeError('no such segment');
    return lines;
  }

  key(segment: number): string {
    return segmentKey(this.first.prefix, segment);
  }

  put(key: string, bytes: Uint8Array, createdAt = this.stored): void {
    this.extra.push({ key, bytes, createdAt });
  }

  objects(): StoredObject[] {
    const sessions = [this.first, ...(this.second ? [this.second] : []), ...this.others];
    const all = sessions.flatMap((session) => objectsOf(session, this.stored));
    const kept = [...all, ...this.extra].filter(({ key }) => !this.omitted.has(key));
    return kept.map((object) => ({
      ...object,
      createdAt: this.extra.includes(object) ? object.createdAt : this.storedAt(object.key),
    }));
  }

  async store(vault: Vault): Promise<void> {
    for (const object of this.objects()) await vault.put(object);
    for (const step of this.after) await step(vault);
  }
}

export interface Tampering {
  readonly name: string;
  readonly change: (scene: Scene) => void;
  /** Of Ada's first session; `gone` where nothing is left of it. */
  readonly verdict: Verdict | 'gone';
  /** Found about that session, or beside the sessions. */
  readonly finds?: FindingCode;
  /** Of `verify --all`. */
  readonly exit: 0 | 1 | 2;
  /** Only where an overwrite leaves a trace. */
  readonly versions?: true;
  /** Where the bucket's own clock cannot be set, the row says nothing. */
  readonly bucketClock?: true;
  /** What the second verifier says of the first session's lines, where it can say anything. */
  readonly second?: Verdict | undefined;
}

const invalid = { verdict: 'invalid', exit: 1, second: 'invalid' } as const;
const unproven = { verdict: 'unproven', exit: 2 } as const;
/** Ada's verdict stays; the object is named. */
const slander = { verdict: 'proven', exit: 0, finds: 'foreign-object' } as const;
const rewritten = { verdict: 'invalid', exit: 1, versions: true } as const;
const between = { verdict: 'proven', exit: 1 } as const;

type Replacement = string | ((found: string) => string);
/** Of base64url; at random it may be any already. */
const anotherLetter = (letter: string): string => (letter === '_' ? '-' : '_');
const edit = (segment: number, line: number, from: string | RegExp, to: Replacement) => (scene: Scene) => {
  const lines = scene.lines(segment);
  const before = lines[line] ?? '';
  lines[line] = editPayload(before, (payload) =>
    payload.replace(from, (found) => (typeof to === 'string' ? to : to(found))),
  );
  if (lines[line] === before) throw new RangeError(`nothing to edit in ${before.slice(0, 80)}`);
};
const disclose = (change: (texts: readonly string[]) => readonly string[]) => (scene: Scene) => {
  scene.lines(1)[0] = editDisclosures(scene.lines(1)[0] ?? '', change);
};
const signatureAt = (lines: readonly string[], which: number): number => {
  const places = lines.flatMap((line, n) => (isSignature(line) ? [n] : []));
  return places[which] ?? -1;
};
const editSignature = (from: RegExp, to: Replacement) => (scene: Scene) => {
  const lines = scene.lines(1);
  const at = signatureAt(lines, 0);
  const before = lines[at] ?? '';
  lines[at] = before.replace(from, (found) => (typeof to === 'string' ? to : to(found)));
  if (lines[at] === before) throw new RangeError(`nothing to edit in ${before.slice(0, 80)}`);
};
const junk = pack(['junk']);
const again = (scene: Scene, options: RecordOptions): Recorded =>
  scene.record(scene.cast.ada, { credential: scene.first.credential, ...options });
/** Beside the genuine object of that number. */
const beside = (scene: Scene, segment: number, bytes: Uint8Array): void =>
  scene.put(besideKey(scene.first.prefix, segment, bytes), bytes);
const isolated = (scene: Scene): void => {
  scene.second = undefined; // nobody says how the first one ended
};
const crashed = (scene: Scene): void => {
  isolated(scene);
  scene.first.segments.pop();
};

export const tamperings: readonly Tampering[] = [
  { name: 'nothing at all', change: () => undefined, verdict: 'proven', exit: 0, second: 'proven' },

  // what somebody does who has no key
  { name: 'a statement’s decision', change: edit(1, 0, '"allow"', '"alloy"'), ...invalid, finds: 'chain-broken' },
  { name: 'a statement’s time', change: edit(1, 0, /"t":(\d)/, '"t":2'), ...invalid },
  { name: 'a statement’s number', change: edit(1, 0, /"n":\d+/, '"n":9'), ...invalid, finds: 'entry-missing' },
  { name: 'a statement’s kind', change: edit(1, 0, '"statement"', '"heartbeat"'), ...invalid },
  { name: 'a verdict is turned round', change: edit(1, 3, '"deny"', '"allow"'), ...invalid },
  { name: 'an outcome', change: edit(1, 1, '"done"', '"lost"'), ...invalid, finds: 'chain-broken' },
  {
    name: 'the text of a statement',
    change: disclose((texts) => texts.map((text) => text.replace('SELECT 0', 'SELECT 9'))),
    ...invalid,
    finds: 'disclosure-changed',
  },
  { name: 'a text is taken out', change: disclose(([, ...rest]) => rest), ...invalid, finds: 'disclosure-missing' },
  { name: 'all texts are taken out', change: disclose(() => []), ...invalid, finds: 'disclosure-missing' },
  {
    name: 'a text is smuggled in',
    change: disclose((texts) => [...texts, '["salt","sql","SELECT 1"]']),
    ...invalid,
    finds: 'disclosure-changed',
  },
  {
    name: 'a text stands twice',
    change: disclose((texts) => [...texts, texts[0] ?? '']),
    ...invalid,
    finds: 'disclosure-changed',
  },
  {
    name: 'texts are swapped',
    change: disclose((texts) => [...texts].reverse()),
    ...invalid,
    finds: 'disclosure-changed',
  },
  {
    name: 'a text that is none',
    change: disclose((texts) => [...texts, 'junk']),
    ...invalid,
    finds: 'disclosure-changed',
  },
  { name: 'an entry is dropped', change: (s) => s.lines(1).splice(0, 1), ...invalid, finds: 'entry-missing' },
  {
    name: 'the last entry before a signature is dropped',
    change: (s) => s.lines(1).splice(signatureAt(s.lines(1), 0) - 1, 1),
    ...invalid,
    finds: 'chain-broken',
  },
  {
    name: 'a signature is dropped',
    change: (s) => s.lines(1).splice(signatureAt(s.lines(1), 0), 1),
    ...invalid,
    finds: 'chain-broken',
  },
  {
    name: 'two entries are swapped',
    change: (s) => s.lines(1).splice(0, 2, s.lines(1)[1] ?? '', s.lines(1)[0] ?? ''),
    ...invalid,
  },
  {
    name: 'an entry is repeated',
    change: (s) => s.lines(1).splice(1, 0, s.lines(1)[0] ?? ''),
    ...invalid,
    finds: 'entry-order',
  },
  {
    name: 'a signature is repeated',
    change: (s) => s.lines(1).splice(signatureAt(s.lines(1), 0), 0, s.lines(1)[signatureAt(s.lines(1), 0)] ?? ''),
    ...invalid,
    finds: 'entry-order',
  },
  {
    name: 'a signature of another session',
    change: (s) => s.lines(1).splice(signatureAt(s.lines(1), 0), 1, s.others[0]?.segments[1]?.find(isSignature) ?? ''),
    ...invalid,
  },
  {
    name: 'a signature by another key',
    change: (s) =>
      resign(s.first, 3 + signatureAt(s.lines(1), 0), createSession(s.cast.ada, { now: s.cast.at, lifetimeMs: HOUR })),
    ...invalid,
    finds: 'signature-invalid',
  },
  { name: 'the size in a signature', change: editSignature(/"size":\d+/, '"size":3'), ...invalid },
  { name: 'the head in a signature', change: editSignature(/(?<="head":")./, anotherLetter), ...invalid },
  {
    name: 'the bytes of a signature',
    change: editSignature(/(?<="sig":")./, anotherLetter),
    ...invalid,
    finds: 'signature-invalid',
  },
  { name: 'a signature spelled otherwise', change: editSignature(/^\{"size"/, '{ "size"'), ...invalid },
  { name: 'a line that is none', change: (s) => s.lines(1).splice(1, 0, 'junk'), ...invalid, finds: 'line-malformed' },
  { name: 'an empty line', change: (s) => s.lines(1).splice(1, 0, ''), ...invalid, finds: 'line-malformed' },
  { name: 'a key stands twice', change: edit(1, 0, '{"n"', '{"n":0,"n"'), ...invalid, finds: 'line-malformed' },
  { name: 'the opening names somebody else', change: edit(0, 0, '"sub":"ada"', '"sub":"bob"'), ...invalid },
  {
    name: 'the opening names another e-mail',
    change: edit(0, 0, 'ada@example.test', 'bob@example.test'),
    ...invalid,
    finds: 'identity-invalid',
  },
  {
    name: 'the opening names another key',
    change: edit(0, 0, /(?<="sessionKey":\{"kty":"OKP","crv":"Ed25519","x":")./, (letter) =>
      letter === '_' ? '-' : '_',
    ),
    ...invalid,
    finds: 'certificate-invalid',
  },
  {
    name: 'the opening names another connection',
    change: edit(0, 0, '"shop"', '"test"'),
    ...invalid,
    finds: 'chain-broken',
  },
  {
    name: 'the totals of a seal',
    change: (s) => edit(1, s.lines(1).length - 2, '"denied":1', '"denied":0')(s),
    ...invalid,
  },
  {
    name: 'a segment is swapped with the next',
    change: (s) => (s.first.segments = [s.lines(0), s.lines(2), s.lines(1)]),
    ...invalid,
  },
  {
    name: 'the middle segment is gone',
    change: (s) => void s.omitted.add(s.key(1)),
    ...invalid,
    finds: 'segment-missing',
  },
  {
    name: 'the first segment is gone',
    change: (s) => void s.omitted.add(s.key(0)),
    ...invalid,
    finds: 'open-unusable',
  },
  {
    name: 'the middle segment is another session’s',
    change: (s) => (s.first.segments[1] = s.others[0]?.segments[1] ?? []),
    ...invalid,
    finds: 'segment-missing',
  },
  {
    name: 'the first segment is another session’s',
    change: (s) => (s.first.segments[0] = s.others[0]?.segments[0] ?? []),
    ...invalid,
  },
  {
    name: 'an entry stands behind the last signature of a segment',
    change: (s) => s.lines(1).push(s.lines(1)[0] ?? ''),
    ...invalid,
  },
  {
    name: 'an entry stands behind the final seal',
    change: (s) => s.lines(2).push(`{"n":${s.first.size},"t":${s.stored * 1000},"k":"heartbeat"}`),
    ...invalid,
    finds: 'after-final-seal',
  },
  {
    name: 'the middle segment is junk',
    change: (s) => {
      s.omitted.add(s.key(1));
      s.after.push((vault) => vault.put({ key: s.key(1), bytes: junk, createdAt: s.stored }));
    },
    verdict: 'invalid',
    exit: 1,
    finds: 'segment-damaged',
  },
  {
    name: 'the middle segment is empty',
    change: (s) => {
      s.omitted.add(s.key(1));
      s.after.push((vault) => vault.put({ key: s.key(1), bytes: Buffer.alloc(0), createdAt: s.stored }));
    },
    verdict: 'invalid',
    exit: 1,
    finds: 'segment-damaged',
  },
  ...Object.entries({
    'cannot be unpacked': (packed: Uint8Array) => packed.subarray(0, 60),
    'is not packed': (packed: Uint8Array) => gunzipSync(packed),
    'stands behind an empty gzip member': (packed: Uint8Array) => Buffer.concat([gzipSync(''), packed]),
  }).map(
    ([what, spoil]): Tampering => ({
      name: `the middle segment ${what}`,
      change: (s) => {
        s.omitted.add(s.key(1));
        s.after.push((vault) => vault.put({ key: s.key(1), bytes: spoil(pack(s.lines(1))), createdAt: s.stored }));
      },
      verdict: 'invalid',
      exit: 1,
      finds: 'segment-damaged',
    }),
  ),
  {
    name: 'the middle segment lies beside its name, under that of another text',
    change: (s) => {
      s.omitted.add(s.key(1));
      s.after.push((vault) =>
        vault.put({ key: besideKey(s.first.prefix, 1, junk), bytes: pack(s.lines(1)), createdAt: s.stored }),
      );
    },
    verdict: 'invalid',
    exit: 1,
    finds: 'segment-damaged',
  },
  {
    name: 'the certificate of another session',
    change: (s) => {
      const other = s.record(s.cast.ada);
      const stolen = readEntry(other.segments[0]?.[0] ?? '').fields.certificate;
      edit(0, 0, /"certificate":\{.*?\]\}/, `"certificate":${JSON.stringify(stolen)}`)(s);
    },
    ...invalid,
    finds: 'certificate-invalid',
  },

  // cuts
  {
    name: 'the last segment is gone',
    change: (s) => {
      isolated(s);
      s.omitted.add(s.key(2));
    },
    ...unproven,
    finds: 'not-final',
    second: 'unproven',
  },
  {
    name: 'the last segment is gone, and the next session knows',
    change: (s) => void s.omitted.add(s.key(2)),
    verdict: 'unproven',
    exit: 1,
    finds: 'session-truncated',
    second: 'unproven',
  },
  {
    name: 'the final seal is not signed',
    change: (s) => {
      isolated(s);
      s.lines(2).pop();
    },
    ...unproven,
    finds: 'not-final',
    second: 'unproven',
  },
  {
    name: 'the last segment is junk',
    change: (s) => {
      isolated(s);
      s.omitted.add(s.key(2));
      s.put(segmentKey(s.first.prefix, 2).replace('00000002', '00000003'), junk);
    },
    ...unproven,
    finds: 'foreign-object',
  },
  {
    name: 'everything but the opening is gone',
    change: (s) => {
      isolated(s);
      for (const n of [1, 2]) s.omitted.add(s.key(n));
    },
    ...unproven,
    finds: 'not-final',
    second: 'unproven',
  },

  // what somebody does who kept the session's key
  {
    name: 'the session goes on behind its end',
    change: (s) => {
      isolated(s);
      const heartbeat = `{"n":${s.first.size},"t":${s.stored * 1000},"k":"heartbeat"}`;
      s.first.segments.push([heartbeat, s.lines(2).at(-1) ?? '']);
      resign(s.first, s.first.segments.flat().length - 1);
    },
    ...invalid,
    finds: 'after-final-seal',
  },
  {
    name: 'replaced by a longer one',
    change: (s) => (s.first = again(s, { statements: 6 })),
    verdict: 'proven',
    exit: 1,
    finds: 'session-replaced',
    second: 'proven',
  },
  {
    name: 'replaced by one of the same length',
    change: (s) => (s.first = again(s, { extra: [], clockError: (n) => n % 2 })),
    verdict: 'proven',
    exit: 1,
    finds: 'session-replaced',
    second: 'proven',
  },
  {
    name: 'replaced by a shorter one',
    change: (s) => (s.first = again(s, { statements: 2 })),
    verdict: 'proven',
    exit: 1,
    finds: 'session-truncated',
    second: 'proven',
  },
  {
    name: 'another end beside the genuine one',
    change: (s) => {
      const other = again(s, { clockError: () => 1 });
      beside(s, 1, pack(other.segments[1] ?? []));
    },
    verdict: 'invalid',
    exit: 1,
    finds: 'segment-conflict',
  },
  {
    name: 'deleted whole',
    change: (s) => {
      for (const n of [0, 1, 2]) s.omitted.add(s.key(n));
    },
    verdict: 'gone',
    exit: 1,
    finds: 'session-missing',
  },
  {
    name: 'two successors',
    change: (s) => {
      const { sid, size, head } = s.first;
      s.others.push(s.record(s.cast.ada, { at: s.cast.at + 6000, previous: { sid, size, head } }));
    },
    ...between,
    finds: 'session-forked',
  },
  {
    name: 'a session that names itself',
    change: (s) => {
      isolated(s);
      const credential = createSession(s.cast.ada, { now: s.cast.at + 1000, lifetimeMs: HOUR });
      s.first = s.record(s.cast.ada, { credential, previous: { sid: credential.sid } });
    },
    ...invalid,
    finds: 'session-circular',
  },
  {
    name: 'a session that names a later one',
    change: (s) => {
      const late = createSession(s.cast.ada, { now: s.cast.at + 2 * HOUR, lifetimeMs: HOUR });
      const later = s.record(s.cast.ada, { at: s.cast.at + 2 * HOUR, credential: late });
      s.second = later;
      s.first = s.record(s.cast.ada, { previous: { sid: later.sid } });
      s.now = s.cast.at + 3 * HOUR;
      s.storedAt = (key) => (key.includes(later.sid) ? s.cast.at + 2 * HOUR + 10_000 : s.stored);
    },
    ...between,
    finds: 'session-order',
    bucketClock: true,
  },
  {
    name: 'an id of another time',
    change: (s) => {
      isolated(s);
      const old = createSession(s.cast.ada, { now: s.cast.at - DAY, lifetimeMs: 2 * DAY });
      s.first = s.record(s.cast.ada, { credential: old });
    },
    ...invalid,
    finds: 'id-time',
  },
  {
    name: 'in another person’s folder',
    change: (s) => {
      isolated(s);
      s.first = { ...s.first, prefix: sessionPrefix(subjectHash(s.cast.bob.subject), s.first.sid) };
    },
    ...invalid,
    finds: 'wrong-place',
  },
  {
    name: 'a copy under another id',
    change: (s) => {
      isolated(s);
      const other = createSession(s.cast.ada, { now: s.cast.at + 1000, lifetimeMs: HOUR });
      s.first = { ...s.first, sid: other.sid, prefix: s.first.prefix.replace(s.first.sid, other.sid) };
    },
    ...invalid,
    finds: 'certificate-invalid',
  },
  {
    name: 'signed after the key’s life',
    change: (s) => {
      isolated(s);
      const credential = createSession(s.cast.ada, { now: s.cast.at + 1000, lifetimeMs: 3 });
      s.first = s.record(s.cast.ada, { credential });
    },
    ...invalid,
    finds: 'certificate-expired',
  },

  // versions
  {
    name: 'overwritten with junk',
    change: (s) => void s.after.push((vault) => vault.put({ key: s.key(1), bytes: junk, createdAt: s.stored + 2000 })),
    ...rewritten,
    finds: 'object-overwritten',
  },
  {
    name: 'the opening is overwritten',
    change: (s) =>
      void s.after.push((vault) =>
        vault.put({ key: s.key(0), bytes: pack(s.others[0]?.segments[0] ?? []), createdAt: s.stored + 2000 }),
      ),
    ...rewritten,
    finds: 'object-overwritten',
  },
  {
    name: 'the whole session is overwritten by a longer one',
    change: (s) => {
      const longer = objectsOf(again(s, { statements: 9 }), s.stored + 2000);
      s.after.push(async (vault) => {
        for (const object of longer) await vault.put(object);
      });
    },
    ...rewritten,
    finds: 'object-overwritten',
  },
  {
    name: 'overwritten and put back',
    change: (s) =>
      void s.after.push(
        (vault) => vault.put({ key: s.key(1), bytes: junk, createdAt: s.stored + 2000 }),
        (vault) => vault.put({ key: s.key(1), bytes: pack(s.lines(1)), createdAt: s.stored + 4000 }),
      ),
    ...rewritten,
    finds: 'object-overwritten',
  },
  {
    name: 'the same stored again',
    change: (s) =>
      void s.after.push((vault) => vault.put({ key: s.key(1), bytes: pack(s.lines(1)), createdAt: s.stored + 2000 })),
    verdict: 'proven',
    exit: 0,
    versions: true,
    finds: 'object-repeated',
  },
  {
    name: 'a delete marker',
    change: (s) => void s.after.push((vault) => vault.remove(s.key(1), s.stored + 2000)),
    ...rewritten,
    finds: 'object-deleted',
  },
  {
    name: 'a delete marker on everything',
    change: (s) => {
      for (const n of [0, 1, 2]) s.after.push((vault) => vault.remove(s.key(n), s.stored + 2000));
    },
    ...rewritten,
    finds: 'object-deleted',
  },
  {
    name: 'overwritten, then a delete marker',
    change: (s) =>
      void s.after.push(
        (vault) => vault.put({ key: s.key(2), bytes: junk, createdAt: s.stored + 2000 }),
        (vault) => vault.remove(s.key(2), s.stored + 4000),
      ),
    ...rewritten,
    finds: 'object-deleted',
  },
  {
    name: 'a delete marker, the content destroyed',
    change: (s) =>
      void s.after.push(
        (vault) => vault.remove(s.key(1), s.stored + 2000),
        (vault) => vault.purge(s.key(1)),
      ),
    ...rewritten,
    finds: 'object-deleted',
  },
  {
    name: 'a delete marker that the rules made',
    change: (s) => {
      s.retentionDays = 30;
      s.now = s.cast.at + 31 * DAY;
      for (const n of [0, 1, 2]) s.after.push((vault) => vault.remove(s.key(n), s.stored + 30 * DAY));
    },
    verdict: 'proven',
    exit: 0,
    versions: true,
    bucketClock: true,
    finds: 'session-expired',
  },
  {
    name: 'a delete marker before the rules would make one',
    change: (s) => {
      s.retentionDays = 30;
      s.now = s.cast.at + 31 * DAY;
      s.after.push((vault) => vault.remove(s.key(1), s.stored + 5 * DAY));
    },
    ...rewritten,
    bucketClock: true,
    finds: 'object-deleted',
  },

  // slander: strangers' objects, and Ada's verdict as it was
  { name: 'junk beside a segment', change: (s) => beside(s, 1, junk), ...slander },
  { name: 'junk behind the seal', change: (s) => s.put(s.key(3), junk), ...slander },
  { name: 'junk far behind the seal', change: (s) => s.put(s.key(99), junk), ...slander },
  {
    name: 'an unsigned segment behind the seal',
    change: (s) => s.put(s.key(3), pack([`{"n":${s.first.size},"t":${s.stored * 1000},"k":"heartbeat"}`])),
    ...slander,
  },
  { name: 'a copy of the last segment behind the seal', change: (s) => s.put(s.key(3), pack(s.lines(2))), ...slander },
  {
    name: 'a segment of another session behind the seal',
    change: (s) => s.put(s.key(3), pack(s.others[0]?.segments[1] ?? [])),
    ...slander,
  },
  {
    name: 'a copy without its texts beside a segment',
    change: (s) =>
      beside(s, 1, pack(s.lines(1).map((line) => (isSignature(line) ? line : editDisclosures(line, () => []))))),
    ...slander,
  },
  {
    name: 'a copy with a changed entry beside a segment',
    change: (s) =>
      beside(
        s,
        1,
        pack(
          s
            .lines(1)
            .map((line, n) => (n === 0 ? editPayload(line, (payload) => payload.replace('"allow"', '"alloy"')) : line)),
        ),
      ),
    ...slander,
  },
  {
    name: 'a copy with junk behind it beside a segment',
    change: (s) => beside(s, 1, pack([...s.lines(1), 'junk'])),
    ...slander,
  },
  {
    name: 'twenty copies with a changed entry beside a segment',
    change: (s) => {
      for (let i = 0; i < 20; i++)
        beside(
          s,
          1,
          pack(
            s
              .lines(1)
              .map((line, n) =>
                n === 0 ? editPayload(line, (payload) => payload.replace('"allow"', `"allow${i}"`)) : line,
              ),
          ),
        );
    },
    ...slander,
  },
  { name: 'the same segment twice', change: (s) => beside(s, 1, pack(s.lines(1))), verdict: 'proven', exit: 0 },
  {
    name: 'another opening beside the first, by an impostor',
    change: (s) =>
      beside(
        s,
        0,
        pack(
          s.record(s.cast.impostor, {
            credential: createSession(s.cast.impostor, { now: s.cast.at + 1000, lifetimeMs: HOUR, sid: s.first.sid }),
          }).segments[0] ?? [],
        ),
      ),
    ...slander,
  },
  {
    name: 'another opening beside the first, by a colleague',
    change: (s) =>
      beside(
        s,
        0,
        pack(
          s.record(s.cast.bob, {
            credential: createSession(s.cast.bob, { now: s.cast.at + 1000, lifetimeMs: HOUR, sid: s.first.sid }),
          }).segments[0] ?? [],
        ),
      ),
    ...slander,
  },
  {
    name: 'junk took the name of a segment',
    change: (s) => {
      s.omitted.add(s.key(1));
      s.after.push(async (vault) => {
        await vault.put({ key: s.key(1), bytes: junk, createdAt: s.stored - 1000 });
        const bytes = pack(s.lines(1));
        await vault.put({ key: besideKey(s.first.prefix, 1, bytes), bytes, createdAt: s.stored });
      });
    },
    ...slander,
  },
  {
    name: 'a redaction that is junk',
    change: (s) => s.put(redactionKey(s.first.prefix, s.others[0]?.sid ?? ''), junk),
    ...slander,
  },
  { name: 'a redaction by an impostor', change: (s) => redacted(s, s.cast.impostor), ...slander },
  { name: 'a redaction by Ada herself', change: (s) => redacted(s, s.cast.ada), ...slander },
  { name: 'a redaction of another session', change: (s) => redacted(s, s.cast.lead, s.others[0]?.sid), ...slander },
  {
    name: 'a redaction by a lead',
    change: (s) => redacted(s, s.cast.lead),
    verdict: 'proven',
    exit: 0,
    finds: 'redacted',
  },
  {
    name: 'a redaction by somebody whose issuer’s keys are not at hand',
    change: (s) => redacted(s, s.cast.stranger),
    verdict: 'proven',
    exit: 0,
    finds: 'redaction-unproven',
  },
  {
    name: 'a text is taken out, by a redaction of somebody whose issuer’s keys are not at hand',
    change: (s) => {
      redacted(s, s.cast.stranger);
      disclose((texts) => texts.filter((text) => !text.includes('"sql"')))(s);
    },
    verdict: 'unproven',
    exit: 2,
    finds: 'redaction-unproven',
  },
  {
    name: 'a text is taken out, by an impostor’s redaction',
    change: (s) => {
      redacted(s, s.cast.impostor);
      disclose((texts) => texts.filter((text) => !text.includes('"sql"')))(s);
    },
    ...invalid,
    second: undefined,
    finds: 'disclosure-missing',
  },
  {
    name: 'a text is taken out, by a lead’s redaction',
    change: (s) => {
      redacted(s, s.cast.lead);
      disclose((texts) => texts.filter((text) => !text.includes('"sql"')))(s);
    },
    verdict: 'proven',
    exit: 0,
    finds: 'redacted',
  },
  {
    name: 'an object of an unknown name in the folder',
    change: (s) => s.put(`${s.first.prefix}notes.txt`, Buffer.from('hello')),
    ...slander,
  },
  {
    name: 'a thousand empty objects in the folder',
    change: (s) => {
      for (let n = 0; n < 1000; n++) s.put(s.key(1000 + n), Buffer.alloc(0));
    },
    ...slander,
  },
  {
    name: 'junk behind a crash',
    change: (s) => {
      crashed(s);
      s.put(s.key(2), junk);
    },
    ...unproven,
    finds: 'foreign-object',
  },
  {
    name: 'an impostor’s session that names Ada’s as the one before',
    change: (s) =>
      void s.others.push(
        s.record(s.cast.impostor, {
          at: s.cast.at + 7000,
          previous: { sid: s.first.sid, size: 99, head: s.first.head },
        }),
      ),
    verdict: 'proven',
    exit: 1,
    finds: 'identity-invalid',
  },
  {
    name: 'a colleague’s session that names Ada’s as the one before',
    change: (s) => void s.others.push(s.record(s.cast.bob, { at: s.cast.at + 7000, previous: { sid: s.first.sid } })),
    verdict: 'proven',
    exit: 1,
    finds: 'session-missing',
  },

  // silence
  {
    name: 'an unknown object at the top',
    change: (s) => s.put('README.txt', Buffer.from('hello')),
    verdict: 'proven',
    exit: 2,
    finds: 'unknown-object',
  },
  {
    name: 'a folder of another version',
    change: (s) => s.put(s.key(0).replace('v1/', 'v2/'), junk),
    verdict: 'proven',
    exit: 2,
    finds: 'unknown-object',
  },
  {
    name: 'an id that is none',
    change: (s) => s.put(`${s.first.prefix.slice(0, -27)}${'z'.repeat(26)}/00000000.jsonl.gz`, junk),
    verdict: 'proven',
    exit: 2,
    finds: 'unknown-object',
  },
  {
    name: 'a redaction of no session',
    change: (s) => s.put(redactionKey(sessionPrefix(subjectHash(s.cast.bob.subject), s.first.sid), s.first.sid), junk),
    verdict: 'proven',
    exit: 2,
    finds: 'unknown-object',
  },
  {
    name: 'a folder of junk that looks like a session',
    change: (s) =>
      s.put(
        segmentKey(
          sessionPrefix(
            subjectHash(s.cast.bob.subject),
            s.first.sid.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
          ),
          0,
        ),
        junk,
      ),
    verdict: 'proven',
    exit: 2,
    finds: 'nothing-there',
  },
  {
    name: 'an empty bucket',
    change: (s) => {
      for (const { key } of s.objects()) s.omitted.add(key);
    },
    verdict: 'gone',
    exit: 2,
    finds: 'nothing-there',
  },
  {
    name: 'somebody who is expected is not there',
    change: (s) => {
      s.expected = [person('eve@example.test', s.cast.at)];
    },
    verdict: 'proven',
    exit: 1,
    finds: 'session-expected',
  },
  {
    name: 'an impostor in the place of somebody who is expected',
    change: (s) => {
      s.others = [];
      s.expected = [person('bob@example.test', s.cast.at)];
    },
    verdict: 'proven',
    exit: 1,
    finds: 'session-expected',
  },
  {
    name: 'everybody who is expected is there',
    change: (s) => {
      s.expected = [person('ADA@example.test', s.cast.at), person('bob', s.cast.at)];
    },
    verdict: 'proven',
    exit: 0,
  },
  {
    name: 'the session before has expired',
    change: (s) => {
      s.retentionDays = 30;
      s.now = s.cast.at + 31 * DAY;
      for (const n of [0, 1, 2]) s.omitted.add(s.key(n));
    },
    verdict: 'gone',
    exit: 0,
    finds: 'session-expired',
  },
  {
    name: 'the session before is gone too early',
    change: (s) => {
      s.retentionDays = 30;
      s.now = s.cast.at + 29 * DAY;
      for (const n of [0, 1, 2]) s.omitted.add(s.key(n));
    },
    verdict: 'gone',
    exit: 1,
    finds: 'session-missing',
  },
  {
    name: 'a session is expiring',
    change: (s) => {
      isolated(s);
      s.retentionDays = 30;
      s.now = s.cast.at + 31 * DAY;
      s.omitted.add(s.key(0));
    },
    verdict: 'gone',
    exit: 0,
    finds: 'session-expired',
    bucketClock: true,
  },
  {
    name: 'a young session with an old id and no beginning',
    change: (s) => {
      isolated(s);
      s.retentionDays = 30;
      s.now = s.cast.at + 61 * DAY;
      s.omitted.add(s.key(0));
      s.storedAt = (key) => (key.includes(s.first.sid) ? s.now - HOUR : s.stored);
    },
    verdict: 'invalid',
    exit: 1,
    finds: 'open-unusable',
    bucketClock: true,
  },

  // liveness
  {
    name: 'cut off a moment ago',
    change: (s) => {
      crashed(s);
      s.now = s.stored + MINUTE;
    },
    ...unproven,
    finds: 'still-open',
  },
  {
    name: 'cut off, and kept alive by a stranger’s object',
    change: (s) => {
      crashed(s);
      s.put(s.key(2), junk, s.now - 1000);
    },
    ...unproven,
    finds: 'not-final',
    bucketClock: true,
  },
  {
    name: 'cut off, and stored again lately',
    change: (s) => {
      crashed(s);
      s.storedAt = () => s.now - 1000;
    },
    ...unproven,
    finds: 'not-final',
    bucketClock: true,
  },

  // time
  {
    name: 'in the bucket before it happened',
    change: (s) => {
      isolated(s);
      s.storedAt = (key) => (key.includes(s.first.sid) ? s.cast.at - HOUR : s.stored);
    },
    verdict: 'invalid',
    exit: 1,
    finds: 'time-ahead',
    bucketClock: true,
  },
  {
    name: 'in the bucket long after',
    change: (s) => {
      s.storedAt = () => s.cast.at + 50 * HOUR;
      s.now = s.cast.at + 60 * HOUR;
    },
    verdict: 'proven',
    exit: 0,
    finds: 'late-upload',
    bucketClock: true,
  },
];

function person(name: string, at: number): ExpectedPerson {
  const day = new Date(at).toISOString().slice(0, 10);
  return { person: name, from: day, to: day, weekdays: false };
}

function redacted(scene: Scene, by: Login, sid = scene.first.sid): void {
  const { n, c } = readEntry(scene.lines(1)[0] ?? '');
  const redaction = redactionEntry({ sid, n, digests: { sql: c.sql ?? '' } }, 'a card number');
  const session = scene.record(by, { statements: 0, extra: [[redaction]] });
  scene.put(redactionKey(scene.first.prefix, session.sid), pack(session.segments.flat()));
}

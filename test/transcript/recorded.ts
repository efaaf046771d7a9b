/** Sessions made line by line, to be attacked; and a bucket of them in memory whose clock the test holds. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Login, SessionCredential } from '../../src/identity/identity.js';
import { createSession, sessionSigner } from '../../src/identity/session.js';
import { openDetails } from '../../src/io/spool/spool.js';
import type { ObjectSource } from '../../src/review/catalog.js';
import { Chain } from '../../src/transcript/chain.js';
import type { Disclosures, Entry, EntryBody, RawJson } from '../../src/transcript/entry.js';
import {
  decodeLine,
  decodePayload,
  type EntryLine,
  entryLine,
  firstHead,
  nextHead,
  signatureLine,
  signedBytes,
} from '../../src/transcript/line.js';
import { alternativeKey, segmentKey, sessionPrefix, subjectHash } from '../../src/transcript/object-key.js';
import { openEntry, type PreviousSession, type SessionConnection } from '../../src/transcript/open-entry.js';

export interface Recorded {
  readonly credential: SessionCredential;
  readonly prefix: string;
  readonly sid: string;
  readonly size: number;
  readonly head: string;
  /** Lines without newline, by segment. May be replaced by attacks. */
  segments: string[][];
}

export interface RecordOptions {
  /** Milliseconds since 1970 UTC. */
  readonly at?: number;
  readonly previous?: PreviousSession;
  readonly statements?: number;
  /** What the parser has read of them, and their texts; default: nothing, and SELECT of their number. */
  readonly statement?: (i: number, n: number) => { readonly facts: RawJson | number; readonly sql: string };
  readonly final?: boolean;
  /** Default: the connection shop, no agent. */
  readonly open?: { readonly connection?: SessionConnection; readonly agent?: string };
  readonly credential?: SessionCredential;
  readonly extra?: readonly (readonly [EntryBody, Disclosures?])[];
  /** Milliseconds by which the writer's clock is wrong at this entry. */
  readonly clockError?: (n: number) => number;
}

/** Three segments: the opening entry, statements with outcomes in signed groups of four, the final seal. */
export function record(login: Login, options: RecordOptions = {}): Recorded {
  const at = options.at ?? login.loggedInAt + 1000;
  const credential = options.credential ?? createSession(login, { now: at, lifetimeMs: 3_600_000 });
  const signer = sessionSigner(credential);
  let now = at * 1000;
  const wrongBy = options.clockError ?? (() => 0);
  const clock = (): number => {
    now += 1000;
    return now + wrongBy(chain.size) * 1000;
  };
  const chain: Chain = new Chain(credential.sid, { now: clock, randomBytes: pseudoRandom });
  const segments: string[][] = [];
  let segment: string[] = [];
  const add = (body: EntryBody, disclosures?: Disclosures): number => {
    const { n, line } = chain.add(body, disclosures);
    segment.push(line.trimEnd());
    return n;
  };
  const sign = (): void => void segment.push(chain.sign(signer).trimEnd());
  const seal = (final: boolean): void => {
    add(chain.seal(final));
    sign();
    segments.push(segment);
    segment = [];
  };
  add(
    openEntry(
      openDetails({ credential, version: '0.0.0', connection: { name: 'shop' }, ...options.open }, options.previous),
    ),
  );
  seal(false);
  for (let i = 0; i < (options.statements ?? 4); i++) {
    const { facts, sql = `SELECT ${i}` } = options.statement?.(i, chain.size) ?? {};
    const statement: EntryBody = { k: 'statement', conn: 1, decision: i === 1 ? 'deny' : 'allow', rule: 'test', facts };
    const of = add(statement, { sql, bind: [`${i}`] });
    add(i === 1 ? { k: 'verdict', of, decision: 'deny', by: 'rule' } : { k: 'outcome', of, how: 'done' });
    if (i % 2 === 1) sign();
  }
  for (const [body, disclosures] of options.extra ?? []) add(body, disclosures);
  seal(false);
  if (options.final !== false) seal(true);
  const prefix = sessionPrefix(subjectHash(credential.login.subject), credential.sid);
  return { credential, prefix, sid: credential.sid, size: chain.size, head: chain.head, segments };
}

/** Changes an entry's payload and leaves the rest: what somebody does who has no key. Signatures stay as they are. */
export function editPayload(text: string, edit: (payload: string) => string): string {
  if (isSignature(text)) return text;
  const { payload, disclosures } = readEntryLine(text);
  return entryLine(edit(payload), disclosures);
}

export function editDisclosures(text: string, edit: (disclosures: readonly string[]) => readonly string[]): string {
  const { payload, disclosures } = readEntryLine(text);
  return entryLine(payload, edit(disclosures));
}

export function readEntryLine(text: string): EntryLine {
  const line = decodeLine(text);
  if (line.kind !== 'entry') throw new TypeError('a signature');
  return line;
}

export function readEntry(text: string): Entry {
  return decodePayload(readEntryLine(text).payload);
}

export function isSignature(text: string): boolean {
  return text.startsWith('{"size":');
}

/**
 * Makes a signature anew over what stands before it: what the developer could do later, had they kept the key.
 *
 * @param at index of the signature among the lines of all segments
 */
export function resign(session: Recorded, at: number, credential = session.credential): void {
  let head = firstHead(session.sid);
  let size = 0;
  let index = 0;
  for (const lines of session.segments) {
    for (const [place, text] of lines.entries()) {
      if (index++ === at) {
        const signature = sessionSigner(credential).sign(signedBytes(session.sid, size, head));
        lines[place] = signatureLine(size, head, signature);
        return;
      }
      const line = decodeLine(text);
      head = nextHead(head, line.kind === 'entry' ? line.payload : text);
      if (line.kind === 'entry') size++;
    }
  }
  throw new RangeError('no such line');
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly createdAt: number;
}

/** @param createdAt the bucket's clock for every object, milliseconds since 1970 UTC */
export function objectsOf(session: Recorded, createdAt: number): StoredObject[] {
  return session.segments.map((lines, number) => ({
    key: segmentKey(session.prefix, number),
    bytes: pack(lines),
    createdAt,
  }));
}

/** @param content lines without newline, or bytes as they are */
export function pack(content: readonly string[] | Uint8Array): Uint8Array {
  return gzipSync(content instanceof Uint8Array ? content : `${content.join('\n')}\n`);
}

/** The name beside the plain one: as its text asks for, where there is any. */
export function besideKey(prefix: string, number: number, packed: Uint8Array): string {
  try {
    return alternativeKey(prefix, number, gunzipSync(packed));
  } catch {
    return alternativeKey(prefix, number, packed);
  }
}

export function memorySource(objects: readonly StoredObject[]): ObjectSource {
  const sorted = [...objects].sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    location: 'memory',
    read: async (key) => {
      const found = sorted.find((object) => object.key === key);
      if (!found) throw new Error(`no object ${key}`);
      return found.bytes;
    },
    keeping: async () => 'none',
    async *history(prefix) {
      for (const { key, bytes, createdAt } of sorted) {
        if (key.startsWith(prefix)) yield { key, size: bytes.length, createdAt, others: [], otherCount: 0 };
      }
    },
  };
}

/** Salts that are the same in each run; nothing here is secret. */
function pseudoRandom(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 197 + (i >> 8) * 31) & 0xff);
}

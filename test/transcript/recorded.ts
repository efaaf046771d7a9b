/** Sessions made line by line, to be attacked; and a bucket of them in memory whose clock the test holds. */
import { gzipSync } from 'node:zlib';
import type { Login, SessionCredential } from '../../src/identity/identity.js';
import { createSession, sessionSigner } from '../../src/identity/session.js';
import { openDetails } from '../../src/io/spool/spool.js';
import type { ObjectSource } from '../../src/review/catalog.js';
import { Chain } from '../../src/transcript/chain.js';
import type { Disclosures, EntryBody } from '../../src/transcript/entry.js';
import { decodeLine, encodeLine, LINE_END, preAuthEncoding, signedLineEnd } from '../../src/transcript/line.js';
import { segmentKey, sessionPrefix, subjectHash } from '../../src/transcript/object-key.js';
import { openEntry, type PreviousSession } from '../../src/transcript/open-entry.js';

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
  readonly final?: boolean;
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
  const add = (body: EntryBody, disclosures: Disclosures | undefined, sign: boolean): string => {
    const link = chain.add(body, disclosures);
    const end = sign
      ? signedLineEnd(Buffer.from(signer.sign(Buffer.from(link.preAuth))).toString('base64url'))
      : LINE_END;
    return (link.line + end).trimEnd();
  };
  const details = openDetails({ credential, version: '0.0.0', connection: { name: 'shop' } }, options.previous);
  const segments = [[add(openEntry(details), undefined, true), add(chain.seal(false), undefined, true)]];
  const middle: string[] = [];
  for (let i = 0; i < (options.statements ?? 4); i++) {
    const statement: EntryBody = { k: 'statement', conn: 1, decision: i === 1 ? 'deny' : 'allow', rule: 'test' };
    middle.push(add(statement, { sql: `SELECT ${i}`, bind: `["${i}"]` }, false));
    const answer: EntryBody = i === 1 ? { k: 'verdict', of: 2, decision: 'deny', by: 'rule' } : { k: 'outcome', of: 2 };
    middle.push(add(answer, undefined, i % 2 === 1));
  }
  for (const [body, disclosures] of options.extra ?? []) middle.push(add(body, disclosures, true));
  middle.push(add(chain.seal(false), undefined, true));
  segments.push(middle);
  if (options.final !== false) segments.push([add(chain.seal(true), undefined, true)]);
  const prefix = sessionPrefix(subjectHash(login.subject), credential.sid);
  return { credential, prefix, sid: credential.sid, size: chain.size, head: chain.head, segments };
}

/** Changes a line's payload and leaves the rest: what somebody does who has no key. */
export function editPayload(line: string, edit: (payload: string) => string): string {
  const decoded = decodeLine(line);
  return encodeLine({ ...decoded, payload: edit(decoded.payload) });
}

/** Signs a line anew with the session's key: what the developer could do later, had they kept it. */
export function resign(line: string, credential: SessionCredential): string {
  const decoded = decodeLine(line);
  const bytes = Buffer.from(preAuthEncoding(decoded.payload));
  const signature = Buffer.from(sessionSigner(credential).sign(bytes)).toString('base64url');
  return encodeLine({ ...decoded, signature });
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

export function pack(lines: readonly string[]): Uint8Array {
  return gzipSync(`${lines.join('\n')}\n`);
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
    async *list(prefix) {
      for (const { key, bytes, createdAt } of sorted) {
        if (key.startsWith(prefix)) yield { key, size: bytes.length, createdAt };
      }
    },
  };
}

/** Salts that are the same in each run; nothing here is secret. */
function pseudoRandom(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 197 + (i >> 8) * 31) & 0xff);
}

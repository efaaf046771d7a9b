/**
 * Gathers what a page carries: each session is verified once, and whatever verification read or asked on its way goes
 * into the page, no more. Texts that a reviewer has redacted do not.
 */
import { gzipSync } from 'node:zlib';
import { messageOf } from '../../errors.js';
import type { Finding } from '../../transcript/finding.js';
import { alternativeKey, parseObjectKey, sessionPrefix } from '../../transcript/object-key.js';
import { type ObjectReader, piecesFrom, type SegmentObject, type SessionObjects } from '../catalog.js';
import type { IssuerKeySource } from '../issuer-keys.js';
import { isAboutContent, segmentText } from '../read-segment.js';
import { chunksOf, type Recording, whyGone } from '../recordings.js';
import { withoutRedacted } from '../redact.js';
import { readRedactions } from '../redaction.js';
import type { SessionReport } from '../session-report.js';
import type { VerifyOptions } from '../verify-options.js';
import { verifySession } from '../verify-session.js';
import { type IssuerAnswer, objectName, type PageObject, type PageSession } from './page-data.js';

export interface Collected {
  readonly sessions: readonly PageSession[];
  readonly objects: readonly PageObject[];
  readonly issuerKeys: readonly IssuerAnswer[];
  readonly recordings?: readonly PageObject[];
  /** What each session's chain says of its recordings. */
  readonly streams: readonly (readonly Recording[])[];
  readonly reports: readonly SessionReport[];
}

/**
 * @param withRecordings their chunks as well, as they lie there
 * @param between what is found between a session and its neighbours in the bucket
 */
export async function collect(
  sessions: readonly SessionObjects[],
  options: VerifyOptions,
  between: (session: SessionObjects, report: SessionReport) => Promise<readonly Finding[]>,
  withRecordings = false,
): Promise<Collected> {
  const seen = new Seen(options.source);
  const asked = new Asked(options.keys);
  const how = { ...options, source: seen.source, keys: asked.source };
  const reports: SessionReport[] = [];
  const carried: PageSession[] = [];
  const chunks: PageObject[] = [];
  const streams: (readonly Recording[])[] = [];
  for (const session of sessions) {
    const report = await verifySession(session, how);
    const recordings = report.recordings ?? [];
    const found = await between(session, report);
    reports.push(report);
    streams.push(recordings);
    if (withRecordings) for (const one of recordings) chunks.push(...(await chunksIn(session, one, options)));
    const open = await withoutTexts(session, how, seen, report);
    const strangers = { keys: [...session.strangers.keys], count: session.strangers.count };
    carried.push({
      sid: session.sid,
      subject: session.subject,
      redactions: session.redactions,
      segments: open,
      strangers,
      between: found,
    });
  }
  return {
    sessions: carried,
    objects: seen.objects,
    issuerKeys: asked.answers,
    ...(streams.some((one) => one.length > 0) && withRecordings ? { recordings: chunks } : {}),
    streams,
    reports,
  };
}

/** Whatever lies there: the page holds it against the chain. */
async function chunksIn(
  session: SessionObjects,
  recording: Recording,
  { source }: VerifyOptions,
): Promise<PageObject[]> {
  const found: PageObject[] = [];
  for (const { key } of chunksOf(session, recording)) {
    try {
      found.push({ key, gz: Buffer.from(await source.read(key)).toString('base64') });
    } catch (error) {
      const problem = whyGone(error);
      if (problem === undefined) throw error;
      found.push({ key, problem });
    }
  }
  return found;
}

async function withoutTexts(
  session: SessionObjects,
  options: VerifyOptions,
  seen: Seen,
  { open }: SessionReport,
): Promise<readonly SegmentObject[]> {
  const { segments } = session;
  if (session.redactions.length === 0) return segments;
  const redactions = await readRedactions(session, options);
  if (open) redactions.authoredBy(open.subject);
  const covers: Covers = (...of) => redactions.covers(...of) === 'proven';
  return Promise.all(segments.map((segment) => seen.redact(segment, session, covers)));
}

type Covers = (n: number, name: string, digest: string) => boolean;

/** What lives here: every object that was read, as it was read. */
class Seen {
  readonly #known = new Map<string, Promise<PageObject>>();
  readonly #objects: PageObject[] = [];
  readonly source: ObjectReader;

  constructor(source: ObjectReader) {
    this.source = {
      location: source.location,
      read: async (key, version) => {
        try {
          const bytes = await source.read(key, version);
          this.#keep(key, version, bytes);
          return bytes;
        } catch (error) {
          if (isAboutContent(error)) this.#add({ ...named(key, version), problem: messageOf(error) });
          throw error;
        }
      },
      pieces: (key, version) => this.#pieces(source, key, version),
    };
  }

  get objects(): readonly PageObject[] {
    return this.#objects;
  }

  async *#pieces(source: ObjectReader, key: string, version: string | undefined): AsyncGenerator<Uint8Array> {
    const held: Uint8Array[] = [];
    for await (const piece of piecesFrom(source, key, version)) {
      held.push(Buffer.from(piece));
      yield piece;
    }
    this.#keep(key, version, Buffer.concat(held));
  }

  #keep(key: string, version: string | undefined, bytes: Uint8Array): void {
    this.#add({ ...named(key, version), gz: Buffer.from(bytes).toString('base64') });
  }

  #add(object: PageObject): void {
    const name = objectName(object);
    if (this.#known.has(name)) return;
    this.#known.set(name, Promise.resolve(object));
    this.#objects.push(object);
  }

  /** The segment as it is to stand in the page, its object without what is covered. */
  async redact(segment: SegmentObject, { subject, sid }: SessionObjects, covers: Covers): Promise<SegmentObject> {
    const at = this.#objects.findIndex((one) => objectName(one) === objectName(segment));
    const object = this.#objects[at];
    if (object === undefined || !('gz' in object)) return segment;
    const text = await segmentText(Buffer.from(object.gz, 'base64')).catch(() => undefined);
    const kept = text === undefined ? undefined : without(text, covers);
    if (kept === undefined || kept === text) return segment;
    const packed = gzipSync(kept);
    const isNamedByText = parseObjectKey(segment.key)?.text !== undefined;
    const key = isNamedByText
      ? alternativeKey(sessionPrefix(subject, sid), segment.segment, Buffer.from(kept))
      : segment.key;
    this.#objects[at] = { ...named(key, segment.version), gz: packed.toString('base64') };
    return { ...segment, key, size: packed.length };
  }
}

/** Undefined where it is no transcript's text: nothing of it is shown. */
function without(text: string, covers: Covers): string | undefined {
  try {
    return withoutRedacted(text, covers);
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    return undefined;
  }
}

function named(key: string, version: string | undefined): { readonly key: string; readonly version?: string } {
  return { key, ...(version === undefined ? {} : { version }) };
}

/** What lives here: each issuer that was asked about, once, with the answer. */
class Asked {
  readonly answers: IssuerAnswer[] = [];
  readonly source: IssuerKeySource;

  constructor(source: IssuerKeySource) {
    const answers = new Map<string, ReturnType<IssuerKeySource['keysOf']>>();
    this.source = {
      keysOf: (issuer) => {
        const known = answers.get(issuer);
        if (known) return known;
        const answer = source.keysOf(issuer);
        answers.set(issuer, answer);
        answer.then(
          (found) => this.answers.push({ issuer, found: found.map((one) => ({ ...one })) }),
          (error: unknown) => this.answers.push({ issuer, failed: messageOf(error) }),
        );
        return answer;
      },
    };
  }
}

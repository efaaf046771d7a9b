/**
 * Recordings of a session as they are read: what the chain says of them is collected while the session is verified, then
 * chunks are fetched, each held against its digest, opened and told line by line.
 *
 * What lives here: which chunks there are and what became of each. What it must not know: keys, screens.
 */
import { DbguardError, messageOf } from '../errors.js';
import { gunzipAtOnce } from '../gzip.js';
import { sha256Bytes } from '../sha256.js';
import type { Entry } from '../transcript/entry.js';
import { isRecord } from '../transcript/line.js';
import {
  chunkKey,
  type RecordedChunk,
  type RecordedStream,
  type RecordingBegin,
  recordedStreams,
} from '../transcript/recording.js';
import type { ObjectReader } from './catalog.js';

/** What the chain says of a chunk, and when. */
export interface ChainedChunk extends RecordedChunk {
  /** Milliseconds since 1970 UTC, by the writer's clock. */
  readonly at: number;
}

/** One stream of one session, by its chain alone. */
export interface Recording extends RecordingBegin {
  readonly stream: RecordedStream;
  readonly chunks: readonly ChainedChunk[];
  /** Undefined: the session crashed, or runs. `failed`: from there on nothing could be written. */
  readonly end: 'session' | 'failed' | undefined;
}

/** Whose recordings they are: as in `SessionObjects`. */
export interface RecordingOwner {
  readonly subject: string;
  readonly sid: string;
}

/** Decrypts one age file. Rejects where no key at hand fits. */
export type OpenSealed = (bytes: Uint8Array) => Promise<Uint8Array>;

/**
 * - `read`: `lines` are there.
 * - `gone`: expired, deleted, or withheld from this reader; `why` says what the bucket said.
 * - `changed`: under its name lies something else than what was recorded.
 * - `sealed`: it is there, is what was recorded, and no key at hand opens it.
 * - `unreadable`: it is what was recorded, and no recording of this format.
 */
export type ChunkRead = ChainedChunk &
  (
    | { readonly state: 'read'; readonly lines: readonly unknown[] }
    /** `isThere`: it is withheld from this reader alone. */
    | { readonly state: 'gone'; readonly why: string; readonly isThere: boolean }
    | { readonly state: 'changed' | 'sealed' | 'unreadable'; readonly why: string }
  );

const withheld = 'the bucket does not let you read it';
/** More than any writer cuts, by far: a chunk that unpacks to more is none. */
const mostUnpacked = 256 << 20;

/** Collects what the entries of one session say of its recordings; give it every entry, in order. */
export class RecordingEntries {
  readonly #streams = new Map<
    RecordedStream,
    { begin: RecordingBegin; chunks: ChainedChunk[]; end?: 'session' | 'failed' }
  >();

  add({ n, k, t, fields }: Entry): void {
    if (k !== 'recording') return;
    const stream = recordedStreams.find((one) => one === fields.stream);
    if (stream === undefined) return;
    if (fields.event === 'begin') {
      if (!this.#streams.has(stream)) this.#streams.set(stream, { begin: beginOf(stream, fields), chunks: [] });
      return;
    }
    const known = this.#streams.get(stream);
    if (known === undefined || known.end !== undefined) return;
    const { chunk, digest, size, why } = fields;
    if (fields.event === 'end') known.end = why === 'failed' ? 'failed' : 'session';
    else if (typeof chunk === 'number' && typeof digest === 'string' && typeof size === 'number')
      known.chunks.push({ n, at: t / 1000, chunk, digest, size });
  }

  get recordings(): readonly Recording[] {
    return [...this.#streams.values()].map(({ begin, chunks, end }) => ({ ...begin, chunks, end }));
  }

  of(stream: RecordedStream): Recording | undefined {
    return this.recordings.find((one) => one.stream === stream);
  }
}

/**
 * The chunks of a recording, in order, whatever became of each.
 *
 * @param open undefined where the reader has no key
 */
export async function* readRecording(
  { subject, sid }: RecordingOwner,
  recording: Recording,
  source: Pick<ObjectReader, 'read'>,
  open?: OpenSealed,
): AsyncGenerator<ChunkRead> {
  for (const { chunk, key } of chunksOf({ subject, sid }, recording)) {
    const bytes = await fetched(source, key);
    if ('gone' in bytes) yield { ...chunk, state: 'gone', why: bytes.gone, isThere: bytes.gone === withheld };
    else if ('changed' in bytes) yield { ...chunk, state: 'changed', why: bytes.changed };
    else if (bytes.length !== chunk.size || sha256Of(bytes) !== chunk.digest)
      yield { ...chunk, state: 'changed', why: 'under its name lies something else than what was recorded' };
    else yield { ...chunk, ...(await opened(bytes, recording.recipients !== undefined, open)) };
  }
}

/** Where the chunks of a recording lie, as the chain says. */
export function chunksOf(
  { subject, sid }: RecordingOwner,
  { stream, keepDays, recipients, chunks }: Recording,
): { readonly chunk: ChainedChunk; readonly key: string }[] {
  const place = { subject, sid, stream, keepDays, encrypted: recipients !== undefined };
  return chunks.map((chunk) => ({ chunk, key: chunkKey(place, chunk.chunk, chunk.digest) }));
}

/** The reason where there is none; rejects where nobody can tell. */
async function fetched(
  source: Pick<ObjectReader, 'read'>,
  key: string,
): Promise<Uint8Array | { readonly gone: string } | { readonly changed: string }> {
  try {
    return await source.read(key);
  } catch (error) {
    const why = whyGone(error);
    if (why !== undefined) return { gone: why };
    if (error instanceof DbguardError && error.code === 'transcript-invalid') return { changed: error.message };
    throw error;
  }
}

/** A chunk may expire, be deleted or be withheld from this reader. Undefined for what is another failure. */
export function whyGone(error: unknown): string | undefined {
  if (!(error instanceof DbguardError)) return undefined;
  if (error.code === 'transcript-unknown') return 'it is not in the bucket any more';
  return isDenied(error) ? withheld : undefined;
}

function isDenied({ cause }: DbguardError): boolean {
  return cause instanceof Error && (cause.name === 'AccessDenied' || (isRecord(cause) && cause.code === 'EACCES'));
}

type Opened =
  | { readonly state: 'read'; readonly lines: readonly unknown[] }
  | { readonly state: 'sealed' | 'unreadable'; readonly why: string };

async function opened(bytes: Uint8Array, encrypted: boolean, open: OpenSealed | undefined): Promise<Opened> {
  let packed: Uint8Array = bytes;
  if (encrypted) {
    if (open === undefined) return { state: 'sealed', why: 'it is encrypted, and no key was given' };
    try {
      packed = await open(bytes);
    } catch (error) {
      return { state: 'sealed', why: `the key that was given does not open it (${messageOf(error)})` };
    }
  }
  try {
    const unpacked = gunzipAtOnce(packed, mostUnpacked);
    if (unpacked === 'too-much') return { state: 'unreadable', why: 'it is larger than anything that dbguard writes' };
    return { state: 'read', lines: linesIn(new TextDecoder().decode(unpacked.bytes)) };
  } catch (error) {
    return { state: 'unreadable', why: messageOf(error) };
  }
}

/** What is no JSON is passed over. */
function linesIn(text: string): unknown[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as unknown];
    } catch {
      return [];
    }
  });
}

function beginOf(stream: RecordedStream, { keepDays, maxRows, maxBytes, recipients }: Entry['fields']): RecordingBegin {
  const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
  return {
    stream,
    keepDays: number(keepDays),
    maxRows: number(maxRows),
    maxBytes: number(maxBytes),
    recipients: Array.isArray(recipients) ? recipients.map(String) : undefined,
  };
}

function sha256Of(bytes: Uint8Array): string {
  return Buffer.from(sha256Bytes(bytes)).toString('base64url');
}

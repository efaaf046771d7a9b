/**
 * The entries of a transcript: what each kind holds. See `line.ts` for how an entry becomes bytes, FORMAT.md
 * for what a reader makes of them.
 */
export type EntryKind =
  | 'open'
  | 'connection'
  | 'intent'
  | 'parse'
  | 'statement'
  | 'dry-run'
  | 'approval'
  | 'verdict'
  | 'window'
  | 'grant'
  | 'outcome'
  | 'recording'
  | 'network'
  | 'heartbeat'
  | 'redaction'
  | 'seal';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** JSON text made once by the caller and reused, where serialising a large value per entry would cost too much. */
export class RawJson {
  readonly json: string;

  constructor(value: JsonValue) {
    this.json = JSON.stringify(value);
  }
}

/** Fields of one entry before numbering, time, chaining and signing. */
export interface EntryBody {
  readonly k: EntryKind;
  readonly [field: string]: JsonValue | RawJson | undefined;
}

/** A body that many entries have, as the runs of one prepared statement do: its fields become JSON once. */
export class RepeatedBody {
  readonly body: EntryBody;
  /** Where the chain keeps them, as they stand in a line. */
  text: string | undefined;

  constructor(body: EntryBody) {
    this.body = body;
  }
}

/** Fields that may be taken out later without breaking the chain: SQL text, bind values, reasons. */
export type Disclosures = Readonly<Record<string, string | readonly (string | null)[] | undefined>>;

/**
 * Where the proxy writes. Appending numbers and chains the entry; it is *acknowledged* only once a commit that
 * covers it has returned: then it is in the local journal, and a signature covers it soon.
 */
export interface Recorder {
  /** Returns the entry's number `n`. Throws DbguardError `journal-unwritable` once the journal has failed: fail closed. */
  append(body: EntryBody | RepeatedBody, disclosures?: Disclosures): number;
  /**
   * Runs `done` once everything appended so far is written (write(2)); with `sync` signed, written and fdatasync'ed.
   * Commits of one event-loop turn are grouped into one write. `done` gets an error when the journal failed.
   */
  commit(sync: boolean, done: (error?: Error) => void): void;
}

/** An entry as it was read: `fields` holds what its kind says, attacker-controlled until the chain has been verified. */
export interface Entry {
  readonly n: number;
  /** Microseconds since 1970 UTC, by the writer's clock. */
  readonly t: number;
  readonly k: string;
  /** Digest of each disclosure by its name, base64url. */
  readonly c: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Ed25519; the private half never leaves the implementation. */
export interface Signer {
  sign(bytes: Uint8Array): Uint8Array;
}

export interface BucketObject {
  readonly key: string;
  readonly size: number;
  /** The bucket's own creation time, milliseconds since 1970 UTC: the evidence of when. */
  readonly createdAt: number;
}

/** A write-once object store. Keys use `/`. */
export interface Bucket {
  /** For people and for the transcript: `file:/srv/transcripts`, `s3://bucket/prefix`. Never carries a secret. */
  readonly location: string;
  /**
   * Creates the object. Rejects with `bucket-conflict` when the key exists with other content; same content is success.
   * An aborted `signal` ends what waits for the network; the object may have been created nevertheless.
   */
  create(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** @param version as `history` names it; without it, the current one */
  read(key: string, version?: string): Promise<Uint8Array>;
  /** The same a piece at a time, where the store can: for what is too large to be held. Rejects as `read` does. */
  pieces?(key: string, version?: string): AsyncIterable<Uint8Array>;
  /** What is there now, in the order of the keys. */
  list(prefix: string): AsyncIterable<BucketObject>;
}

/**
 * Creation on condition: one PUT per object, with If-None-Match, a SHA-256 checksum, and Object Lock and encryption where
 * asked. Not every store that speaks S3 knows these headers, and some take no notice of them.
 *
 * What lives here: the request, and the proof that a store heeds it. What it must not know: what a taken name means.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
import { createHash } from 'node:crypto';
import { PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { DbguardError } from '../../errors.js';
import type { S3BucketConfig } from '../../policy/read-bucket.js';
import { keepDaysOf } from '../../transcript/recording.js';
import { explain, type OpenedBucket, reasonOfS3 } from './s3-client.js';

const DAY_MS = 86_400_000;

export class WriteOnce {
  readonly #opened: OpenedBucket;
  /** The store has kept an object that a second PUT would have replaced. */
  #proven = false;
  #unsuitable: DbguardError | undefined;

  constructor(opened: OpenedBucket) {
    this.#opened = opened;
  }

  /**
   * Rejects with `bucket-unsuitable`, from then on each time, when the store does not know the condition or takes no
   * notice of it, and with `bucket-unreachable` for all else. The first object is sent twice: the same bytes, so that
   * nothing is lost where the second PUT is taken, and no more than creation has to be allowed.
   */
  async create(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<'created' | 'taken'> {
    if (this.#unsuitable !== undefined) throw this.#unsuitable;
    const answer = await this.#put(key, bytes, signal).catch((error: unknown) => this.#remember(error));
    if (answer === 'created' && !this.#proven && (await this.#again(key, bytes, signal)) === 'created') {
      this.#remember(replaces(this.#opened.location));
    }
    this.#proven = true;
    return answer;
  }

  /** A store that denies the second PUT has replaced nothing either. */
  async #again(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<'created' | 'taken'> {
    try {
      return await this.#put(key, bytes, signal);
    } catch (error) {
      const cause = error instanceof DbguardError ? error.cause : undefined;
      const status = cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined;
      if (status === 409 || (cause instanceof S3ServiceException && cause.name === 'AccessDenied')) return 'taken';
      return this.#remember(error);
    }
  }

  #remember(error: unknown): never {
    if (error instanceof DbguardError && error.code === 'bucket-unsuitable') this.#unsuitable = error;
    throw error;
  }

  async #put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<'created' | 'taken'> {
    const { client, config, location, prefix } = this.#opened;
    try {
      await client.send(
        new PutObjectCommand({
          Bucket: config.bucket,
          Key: prefix + key,
          Body: bytes,
          ContentType: key.endsWith('.age') ? 'application/octet-stream' : 'application/gzip',
          IfNoneMatch: '*',
          ChecksumSHA256: createHash('sha256').update(bytes).digest('base64'),
          ...locked(config.objectLockDays, keepDaysOf(key)),
          ...(config.sse === undefined ? {} : { ServerSideEncryption: config.sse }),
        }),
        signal ? { abortSignal: signal } : {},
      );
      return 'created';
    } catch (error) {
      if (!(error instanceof S3ServiceException)) throw explain(error, location);
      if (error.name === 'PreconditionFailed' || error.$metadata.httpStatusCode === 412) return 'taken';
      throw lacksHeaders(error) ? refuses(error, location, config) : explain(error, location);
    }
  }
}

/** What is meant to be gone after some days is not locked for longer. */
function locked(days: number | undefined, kept = Number.POSITIVE_INFINITY) {
  if (days === undefined) return {};
  const until = new Date(Date.now() + Math.min(days, kept) * DAY_MS);
  return { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until } as const;
}

/** 501 is what S3 says of a header that it does not know; others name the header, or what it is for, in a 400. */
function lacksHeaders({ name, message, $metadata: { httpStatusCode: status } }: S3ServiceException): boolean {
  if (name === 'NotImplemented' || status === 501 || status === 405) return true;
  if (status !== 400 || /digest|match/i.test(`${name} ${message.replace(/if-none-match/gi, '')}`)) return false;
  return /if-none-match|checksum-sha256|conditional|object.?lock|unsupported header/i.test(message);
}

function refuses(error: S3ServiceException, location: string, { objectLockDays, sse }: S3BucketConfig): DbguardError {
  const lacks = [
    'conditional writes (If-None-Match)',
    'SHA-256 checksums',
    ...(objectLockDays === undefined ? [] : ['Object Lock (object_lock_days)']),
    ...(sse === undefined ? [] : ['encryption (sse)']),
  ].join(' or ');
  return new DbguardError('bucket-unsuitable', `the store of ${location} lacks ${lacks}: ${reasonOfS3(error)}`, {
    hint: 'dbguard needs them: choose a store that has them. "dbguard transcripts check-bucket" tells what a store lacks.',
    cause: error,
  });
}

function replaces(location: string): DbguardError {
  return new DbguardError(
    'bucket-unsuitable',
    `the store of ${location} takes no notice of If-None-Match: it replaced an object, so it is not write-once`,
    {
      hint: 'dbguard needs conditional writes: choose a store that has them, in buckets with versions too. "dbguard transcripts check-bucket" tells.',
    },
  );
}

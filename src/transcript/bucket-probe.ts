/** What can be tried out on a bucket to see what it allows: requests that a writer never makes. */
import type { VersionKeeping } from './object-history.js';

/**
 * How a store answered a request. `exists`: refused, because something is there. `unable`: it does not know what was
 * asked for. `mismatch`: refused, because the checksum does not fit.
 */
export type Answer = 'done' | 'exists' | 'denied' | 'unable' | 'mismatch';

export interface PutOptions {
  /** If-None-Match: * */
  readonly onlyIfNew: boolean;
  readonly wrongChecksum?: boolean;
}

/** Each rejects only when the store cannot be reached. */
export interface BucketProbe {
  put(key: string, text: string, options: PutOptions): Promise<Answer>;
  remove(key: string): Promise<Answer>;
  read(key: string): Promise<Answer>;
  keeping(): Promise<VersionKeeping>;
  /** Object Lock: the default retention in days, 0 for none, `off`, or why it is not known. */
  lockDays(): Promise<number | 'off' | 'denied' | 'unable'>;
}

import type { Upstream } from '../upstream/connect.js';

export interface Wish {
  /** The user of a connection; the places are theirs together. */
  readonly user: string;
  /** Their name on the server. */
  readonly login: string;
  /** All that the connection is opened with: another one is for another. */
  readonly openedWith: string;
  readonly database: string;
}

/** A connection that has a place. */
export interface Lease extends Wish {
  /** The session whose clients may have it. */
  readonly owner: object;
  readonly upstream: Upstream;
  /** Of a new session; undefined where no other client may have it. */
  readonly asNew: string | undefined;
  /** By the monotonic clock, milliseconds. */
  readonly openedAt: number;
  readonly closed: Promise<unknown>;
}

export interface PoolCounts {
  /** With a place, idle ones included. */
  readonly open: number;
  readonly idle: number;
  /** Clients that wait for one. */
  readonly waiting: number;
}

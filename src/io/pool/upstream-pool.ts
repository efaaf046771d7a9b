/**
 * Server connections of a gateway's clients: how many there may be at once for each user of a connection, and which of them,
 * left by its client as it was found, is given to the next one.
 *
 * What lives here: places, who waits for one, connections that wait for a client. What it must not know: messages of clients,
 * transcripts, people.
 *
 * A connection passes only between clients of one session that ask for the same in their startup packets. It cannot pass to
 * another person, or to another transcript: dbguard.subject and dbguard.session come with the packet, and RESET brings back
 * those of whoever opened it.
 */
import type { Socket } from 'node:net';
import { serialize } from 'pg-protocol';
import type { Upstream } from '../upstream/connect.js';
import { answers, resetState, stateOf } from './as-new.js';
import type { Lease, PoolCounts, Wish } from './lease.js';
import { Places } from './places.js';

export interface PoolLimits {
  /** Server connections at once for one user of one connection. */
  readonly size: number;
  /** How long one of them waits for a client. */
  readonly idleMs: number;
  /** How long a client waits for one of them. */
  readonly waitMs: number;
}

/** Connections get slower and larger with what their sessions have cached. */
const oldestMs = 3_600_000;

export class UpstreamPool {
  readonly #limits: () => PoolLimits | undefined;
  readonly #places = new Map<string, Places>();

  /** @param limits as of now; undefined where each client has a connection of its own, and as many as it is let have */
  constructor(limits: () => PoolLimits | undefined) {
    this.#limits = limits;
  }

  get limits(): PoolLimits | undefined {
    return this.#limits();
  }

  get counts(): PoolCounts {
    const all = [...this.#places.values()].map(({ counts }) => counts);
    const sum = (of: (one: PoolCounts) => number): number => all.reduce((so, one) => so + of(one), 0);
    return { open: sum(({ open }) => open), idle: sum(({ idle }) => idle), waiting: sum(({ waiting }) => waiting) };
  }

  /** For one session. @param onKept told of a connection that its client has left, before it is reset */
  member(connection: string, onKept: (lease: Lease) => void): PoolMember {
    const placesOf = (user: string): Places => {
      const name = JSON.stringify([connection, user]);
      const found = this.#places.get(name);
      if (found) return found;
      const places = new Places(() => this.#limits()?.size ?? Number.POSITIVE_INFINITY, retire);
      this.#places.set(name, places);
      return places;
    };
    return new PoolMember(this, placesOf, onKept);
  }
}

export class PoolMember {
  readonly #pool: UpstreamPool;
  readonly #placesOf: (user: string) => Places;
  readonly #onKept: (lease: Lease) => void;
  readonly #leases = new Map<Socket, Lease>();
  /** Without a client. */
  readonly #kept = new Set<Lease>();
  #ended = false;

  constructor(pool: UpstreamPool, placesOf: (user: string) => Places, onKept: (lease: Lease) => void) {
    this.#pool = pool;
    this.#placesOf = placesOf;
    this.#onKept = onKept;
  }

  /**
   * Rejects as `connect` does, with `limit-exceeded` where no place becomes free in time, or with the reason of `signal`.
   */
  async take(wish: Wish, connect: () => Promise<Upstream>, signal: AbortSignal): Promise<Upstream> {
    const limits = this.#pool.limits;
    if (limits === undefined) return connect();
    const places = this.#placesOf(wish.user);
    const fits = (lease: Lease): boolean =>
      lease.owner === this && lease.openedWith === wish.openedWith && lease.database === wish.database;
    for (;;) {
      const found = await places.enter(fits, limits.waitMs, signal);
      if (found === undefined) break;
      this.#kept.delete(found);
      const alive = await answers(found.upstream).then(
        () => true,
        () => false,
      );
      if (alive && !signal.aborted) return handedOver(found.upstream);
      retire(found);
    }
    return this.#open(wish, places, connect);
  }

  async #open(wish: Wish, places: Places, connect: () => Promise<Upstream>): Promise<Upstream> {
    let opened: Upstream | undefined;
    try {
      opened = await connect();
      const asNew = await stateOf(opened);
      const upstream = { ...opened, rest: Buffer.alloc(0) };
      const { socket } = upstream;
      const closed = new Promise((resolve) => {
        socket.once('close', resolve);
        if (socket.closed) resolve(undefined);
      });
      const lease: Lease = { ...wish, owner: this, upstream, asNew, openedAt: performance.now(), closed };
      this.#leases.set(socket, lease);
      void closed.then(() => {
        this.#leases.delete(socket);
        this.#kept.delete(lease);
        places.leave(lease);
      });
      return handedOver(upstream);
    } catch (error) {
      opened?.socket.destroy();
      places.giveBack();
      throw error;
    }
  }

  /**
   * From a client that has left it without a transaction, an answer or a cancel request under way. It is closed where the next
   * one would not find it as new.
   *
   * @param reported ParameterStatus as of now
   */
  keep({ socket }: Upstream, reported: ReadonlyMap<string, string>): void {
    const lease = this.#leases.get(socket);
    const limits = this.#pool.limits;
    if (!lease) {
      socket.end(serialize.end());
      return;
    }
    const { asNew, openedAt } = lease;
    if (!limits || this.#ended || asNew === undefined || performance.now() - openedAt > oldestMs) {
      retire(lease);
      return;
    }
    this.#kept.add(lease);
    this.#onKept(lease);
    void this.#reset(lease, asNew, new Map(reported), limits.idleMs);
  }

  async #reset(lease: Lease, asNew: string, reported: Map<string, string>, idleMs: number): Promise<void> {
    const { upstream, user } = lease;
    const state = await resetState(upstream, reported).catch(() => undefined);
    const isNew = state === asNew && same(reported, upstream.parameters);
    if (!isNew || this.#ended) return retire(lease);
    this.#placesOf(user).idle(lease, idleMs);
  }

  /** Resolves when the server knows of no connection to them that waits for a client. */
  async leave(databases: readonly string[]): Promise<void> {
    await this.#close([...this.#kept].filter(({ database }) => databases.includes(database)));
  }

  /** Those that have a client are theirs to end. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#close([...this.#kept]);
  }

  async #close(leases: readonly Lease[]): Promise<void> {
    for (const lease of leases) {
      this.#placesOf(lease.user).forget(lease);
      retire(lease);
    }
    await Promise.all(leases.map(({ closed }) => closed));
  }
}

/** The server's half may take its time; the place is free when it is done. */
function retire({ upstream: { socket } }: Lease): void {
  socket.on('error', () => undefined);
  socket.resume();
  if (socket.writable) socket.end(serialize.end());
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

const lingerMs = 2_000;

/** As of the beginning: what its client changes is not seen by the next one. */
function handedOver(upstream: Upstream): Upstream {
  return { ...upstream, parameters: new Map(upstream.parameters) };
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

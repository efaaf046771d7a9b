/** Clients that each write numbered rows, one transaction each, and connect again whenever they are thrown out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type pg from 'pg';
import type { S3Store } from '../helpers/s3-store.js';

export class Ledger {
  /** `client, entry` of each row whose COMMIT was answered. */
  readonly acknowledged: string[] = [];
  /** By SQLSTATE, or by the words of the network. */
  readonly errors: Record<string, number> = {};
  readonly #connect: (client: number) => Promise<pg.Client>;
  readonly #written: number[];
  readonly #last: (string | undefined)[];
  readonly #open: (pg.Client | undefined)[];
  readonly #work: Promise<unknown>;
  #ending = false;

  constructor(clients: number, connect: (client: number) => Promise<pg.Client>) {
    this.#connect = connect;
    this.#written = Array.from({ length: clients }, () => 0);
    this.#last = Array.from({ length: clients });
    this.#open = Array.from({ length: clients });
    this.#work = Promise.all(this.#written.map((_, client) => this.#write(client)));
  }

  get written(): number {
    return this.acknowledged.length;
  }

  get connected(): number {
    return this.clientsConnected(() => true);
  }

  clientsConnected(which: (client: number) => boolean): number {
    return this.#open.filter((one, client) => one !== undefined && which(client)).length;
  }

  writtenBy(which: (client: number) => boolean): number {
    return this.#written.filter((_, client) => which(client)).reduce((all, one) => all + one, 0);
  }

  lastErrors(which: (client: number) => boolean): (string | undefined)[] {
    return this.#last.filter((_, client) => which(client));
  }

  async until(condition: () => boolean): Promise<void> {
    for (const end = Date.now() + 180_000; !condition(); await sleep(100))
      if (Date.now() > end) throw new Error(`it did not come: ${JSON.stringify(this.errors)}`);
  }

  /** By so many rows more. */
  grows(rows: number): Promise<void> {
    const wanted = this.written + rows;
    return this.until(() => this.written >= wanted);
  }

  async stop(): Promise<void> {
    this.#ending = true;
    await this.#work;
  }

  async #write(client: number): Promise<void> {
    for (let entry = 1; !this.#ending; ) {
      try {
        this.#open[client] ??= await this.#connect(client);
        const one = this.#open[client];
        await one.query('BEGIN');
        await one.query(`INSERT INTO ledger VALUES (${client}, ${entry})`);
        await one.query('COMMIT');
        this.acknowledged.push(`${client}, ${entry}`);
        this.#written[client] = entry++;
        await sleep(100);
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        const what = code ?? message;
        this.errors[what] = (this.errors[what] ?? 0) + 1;
        this.#last[client] = what;
        void this.#open[client]?.end().catch(() => undefined);
        this.#open[client] = undefined;
        // what was not acknowledged may have been written: its number is not used again
        entry++;
        await sleep(300);
      }
    }
    await this.#open[client]?.end().catch(() => undefined);
  }

  /** `client, entry` of each row that a transcript in the bucket tells of. */
  recordedIn(bucket: S3Store | undefined): Set<string> {
    const found = new Set<string>();
    for (const key of bucket?.keys() ?? []) {
      const body = bucket?.get(key)?.body;
      if (!body || !key.endsWith('.jsonl.gz')) continue;
      for (const [, row = ''] of gunzipSync(body)
        .toString()
        .matchAll(/INSERT INTO ledger VALUES \((\d+, \d+)\)/g))
        found.add(row);
    }
    return found;
  }
}

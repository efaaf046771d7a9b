/** A person who is asked, and a whole proxy in front of a real server: the stage of the attacks on approval. */
import pg from 'pg';
import type { Test } from 'tap';
import { createApprovals, type PendingApproval, type Verdict } from '../../src/approval/approvals.js';
import { compilePolicy } from '../../src/policy/engine.js';
import type { TestPostgres } from '../helpers/postgres.js';
import { type InProcessOptions, startProxyInProcess } from '../helpers/proxy-in-process.js';
import { Client } from '../helpers/wire-client.js';

export const once: Verdict = { decision: 'allow', scope: 'once' };
export const forSession: Verdict = { decision: 'allow', scope: 'session' };
export const no: Verdict = { decision: 'deny' };

/** The person: sees one statement at a time, and answers it. */
export class Person {
  readonly name = 'terminal';
  readonly shown: PendingApproval[] = [];
  #answer: ((verdict: Verdict) => void) | undefined;
  #wake: () => void = () => undefined;
  #begin: () => void = () => undefined;
  /** The first question. */
  readonly asked = new Promise<void>((resolve) => {
    this.#begin = resolve;
  });

  attended = () => true;

  present(pending: PendingApproval, gone: AbortSignal): Promise<Verdict> {
    this.shown.push(pending);
    this.#begin();
    this.#wake();
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      gone.addEventListener('abort', () => reject(new Error('gone')));
    });
  }

  /** Waits for the `count`th statement ever, and gives it back. */
  async sees(count: number): Promise<PendingApproval> {
    const late = setTimeout(() => this.#wake(), 60_000);
    while (this.shown.length < count) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = () =>
          this.shown.length < count ? reject(new Error(`nothing more than ${count - 1}`)) : resolve();
      });
    }
    clearTimeout(late);
    return this.shown[count - 1] as PendingApproval;
  }

  says(verdict: Verdict): void {
    this.#answer?.(verdict);
  }
}

/** @param setup several texts where each has to be a transaction of its own */
export async function startAttendedProxy(
  t: Test,
  server: TestPostgres,
  setup: string | readonly string[],
  options: Partial<InProcessOptions> = {},
) {
  const [first = '', ...more] = typeof setup === 'string' ? [setup] : setup;
  await server.query(
    `DROP SCHEMA IF EXISTS public, other CASCADE; CREATE SCHEMA public; CREATE SCHEMA other; ${first}`,
  );
  for (const sql of more) await server.query(sql);
  const person = new Person();
  const clock = {
    now: () => Date.now(),
    after: (milliseconds: number, callback: () => void) => {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
  };
  const asker = createApprovals({ channels: [person], clock, unattended: 'deny', howToApprove: '' });
  const harness = await startProxyInProcess({
    upstreamUrl: server.url(),
    policy: compilePolicy([]),
    asker,
    ...options,
  });
  t.teardown(() => harness.close());
  const connect = async (database?: string): Promise<pg.Client> => {
    const client = new pg.Client(harness.url(database));
    client.on('error', () => undefined);
    await client.connect();
    t.teardown(() => client.end().catch(() => undefined));
    return client;
  };
  const raw = async (): Promise<Client> => {
    const { port, username: user, password, hostname: host, pathname } = new URL(harness.url());
    const client = await Client.open({ host, port: Number(port), user, password, database: pathname.slice(1) });
    await client.logIn();
    t.teardown(() => client.hangUp());
    return client;
  };
  const count = async (table: string): Promise<number> => {
    const [row] = await server.query(`SELECT count(*)::int AS count FROM ${table}`);
    return Number(row?.count);
  };
  return { person, desk: asker, harness, connect, raw, count };
}

/** A database with secrets, and queries whose raw protocol bytes the tests look at. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { serialize } from 'pg-protocol';
import { type MaskCatalog, readMaskCatalog } from '../../src/io/catalog/mask-catalog.js';
import { maskDiagnostics } from '../../src/masking/diagnostics.js';
import { Masker } from '../../src/masking/masker.js';
import { SessionMasks } from '../../src/masking/session-masks.js';
import type { MaskPlan } from '../../src/masking/statement-plan.js';
import { parseConfig } from '../../src/policy/config.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';
import { finished } from '../../src/sql/steps.js';
import { backendRules } from '../../src/wire/backend.js';
import { Framer } from '../../src/wire/framer.js';
import { backend, headerBytes } from '../../src/wire/messages.js';
import { decodeRowDescription, type RowField } from '../../src/wire/row-description.js';
import { askCatalogOf } from '../helpers/ask-catalog.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';

/** No piece of these of four characters or more may ever reach a client, but for the last four of the SSN. */
export const secret = { ssn: 'QZXW-8137-LAST', email: 'vkjhq@secretmail.test', salary: 918273 };

const schema = `
  CREATE TABLE customers (
    id int PRIMARY KEY, name text, ssn text CHECK (ssn <> 'forbidden'), email varchar(80) UNIQUE, salary int, born date,
    CHECK (salary < 10000000));
  CREATE TABLE orders (id int PRIMARY KEY, customer_id int, note text);
  INSERT INTO customers VALUES (1, 'Ada', '${secret.ssn}', '${secret.email}', ${secret.salary}, '1987-06-15'), (2, 'Bob', NULL, NULL, NULL, NULL);
  INSERT INTO orders VALUES (10, 1, 'fine');
  CREATE VIEW contacts AS SELECT id AS nr, lower(ssn) AS low, email AS mail FROM customers;
  CREATE VIEW contacts2 AS SELECT mail, nr FROM contacts WHERE low IS NOT NULL;
  CREATE TABLE events (id int, payload text) PARTITION BY RANGE (id);
  CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (100);
  INSERT INTO events VALUES (1, '${secret.ssn}');
  CREATE FUNCTION leak() RETURNS text LANGUAGE sql STABLE AS 'SELECT ssn FROM customers LIMIT 1';
  CREATE FUNCTION shout() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    RAISE NOTICE 'ssn is %', (SELECT ssn FROM customers LIMIT 1); END $$;
  CREATE FUNCTION folded() RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT ssn FROM customers LIMIT 1); END $$;
  CREATE TABLE patients (code text);
  INSERT INTO patients SELECT '${secret.ssn}' FROM generate_series(1, 20);
  ANALYZE patients;
  CREATE TABLE defaulted (id int, v text DEFAULT leak());
`;

export const maskYaml = `version: 1
mask:
  - {column: public.customers.ssn, with: partial, keep: 4}
  - {column: public.customers.email, with: hash}
  - {column: public.customers.salary, with: 'null'}
  - {column: public.customers.born, with: date, keep: year}
  - {column: public.events.payload, with: fixed, value: '***'}
  - {column: patients.code, with: 'null'}
  - {column: defaulted.v, with: 'null'}
`;

export interface MaskedDatabase {
  readonly postgres: TestPostgres;
  readonly catalog: MaskCatalog;
  readonly masker: Masker;
  /** The catalog is read again. */
  reread(): Promise<void>;
  connect(): Promise<MaskedClient>;
  stop(): Promise<void>;
}

/** @param more SQL that the owner runs before the catalog is read */
export async function startMaskedDatabase(yaml = maskYaml, more = ''): Promise<MaskedDatabase> {
  const postgres = await startPostgres({ auth: 'trust' });
  await postgres.query(schema + more);
  const control = await askCatalogOf(postgres.url());
  const catalog = await readMaskCatalog(control.ask);
  const grammar = await loadGrammar();
  const masker = new Masker(parseConfig(yaml, 'dbguard.yaml').mask, grammar, catalog, { session: Buffer.alloc(32, 7) });
  const clients: MaskedClient[] = [];
  return {
    postgres,
    catalog,
    masker,
    reread: async () => {
      finished(catalog.take(await control.ask(catalog.questions(), 10_000)));
      catalog.believe();
    },
    connect: async () => {
      const client = await MaskedClient.open(postgres.port, new SessionMasks(masker));
      clients.push(client);
      return client;
    },
    stop: async () => {
      // a server that stops resets what is still open
      await Promise.all(clients.map((client) => client.close()));
      await control.end();
      await postgres.stop();
    },
  };
}

export interface Result {
  /** Everything that would go to the client. */
  readonly bytes: Buffer;
  readonly rows: readonly (readonly (Buffer | null)[])[];
  readonly copy: string;
  readonly denied?: string;
  readonly errors: readonly string[];
}

export interface QueryOptions {
  /** Through Parse, Bind, Execute with these result formats instead of Query. */
  readonly formats?: readonly (0 | 1)[];
  /** Leave Describe out, as drivers do that remember descriptions. */
  readonly describe?: boolean;
  /** Without any masking: what would have leaked. */
  readonly raw?: boolean;
}

/** Speaks the protocol itself, so that what passes the masks is seen as bytes. */
export class MaskedClient {
  readonly #socket: Socket;
  readonly #masks: SessionMasks;

  private constructor(socket: Socket, masks: SessionMasks) {
    this.#socket = socket;
    this.#masks = masks;
  }

  static async open(port: number, masks: SessionMasks): Promise<MaskedClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new MaskedClient(socket, masks);
    socket.write(serialize.startup({ user: 'postgres', database: 'postgres' }));
    await client.#answers(() => {});
    return client;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // how it ends does not matter any more
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()).on('error', () => {}));
    if (!socket.writableEnded) socket.end(serialize.end());
    await closed;
  }

  async query(sql: string, options: QueryOptions = {}): Promise<Result> {
    const plan: MaskPlan = options.raw ? { kind: 'none' } : this.#masks.planFor(sql, ['public']);
    const out: Buffer[] = [];
    const rows: (Buffer | null)[][] = [];
    const errors: string[] = [];
    let copy = '';
    if (plan.kind === 'deny') return { bytes: Buffer.alloc(0), rows, copy, denied: plan.reason, errors };
    const copies = plan.kind === 'mask' ? plan.forCopy('UTF8') : undefined;
    if (/^\s*copy.*to\s+stdout/is.test(sql) && copies === 'unsupported') {
      return { bytes: Buffer.alloc(0), rows, copy, denied: 'unsupported', errors };
    }
    this.#send(sql, options);
    let results = 0;
    const rewriterFor = (fields: RowField[] | undefined) => {
      const nth = fields === undefined || options.formats !== undefined ? undefined : results++;
      return plan.kind === 'mask' ? plan.forRow(fields, options.formats, 'UTF8', nth) : undefined;
    };
    let rewriter = rewriterFor(undefined);
    await this.#answers((type, bytes, start, end) => {
      const take = (from: Buffer, at: number, to: number): void => {
        out.push(Buffer.from(from.subarray(at, to)));
      };
      if (type === backend.rowDescription) rewriter = rewriterFor(decodeRowDescription(bytes, start, end));
      if (type === backend.dataRow) {
        if (rewriter) rewriter.rewrite(bytes, start, end, take);
        else take(bytes, start, end);
        rows.push(cells(out.at(-1) ?? Buffer.alloc(0)));
      } else if (type === backend.copyData && copies !== undefined && copies !== 'unsupported') {
        const before = out.length;
        copies.rewrite(bytes, start, end, take);
        copy += out
          .slice(before)
          .map((one) => one.toString('utf8', headerBytes))
          .join('');
      } else if (type === backend.copyData) {
        take(bytes, start, end);
        copy += bytes.toString('utf8', start + headerBytes, end);
      } else if (
        (type === backend.errorResponse || type === backend.noticeResponse) &&
        plan.kind === 'mask' &&
        plan.diagnostics
      ) {
        out.push(maskDiagnostics(bytes, start, end, plan.isClean));
        errors.push(out.at(-1)?.toString('utf8') ?? '');
      } else {
        take(bytes, start, end);
        if (type === backend.errorResponse) errors.push(bytes.toString('utf8', start, end));
      }
    });
    return { bytes: Buffer.concat(out), rows, copy, errors };
  }

  #send(sql: string, { formats, describe }: QueryOptions): void {
    if (formats === undefined) {
      this.#socket.write(serialize.query(sql));
      return;
    }
    const bind = Buffer.alloc(headerBytes + 2 + 2 + 2 + 2 + formats.length * 2);
    bind[0] = 0x42;
    bind.writeInt32BE(bind.length - 1, 1);
    bind.writeUInt16BE(formats.length, headerBytes + 6);
    for (const [at, format] of formats.entries()) bind.writeUInt16BE(format, headerBytes + 8 + at * 2);
    this.#socket.write(
      Buffer.concat([
        serialize.parse({ text: sql }),
        bind,
        ...(describe === false ? [] : [serialize.describe({ type: 'P' })]),
        serialize.execute(),
        serialize.sync(),
      ]),
    );
  }

  /** Up to ReadyForQuery. */
  async #answers(onMessage: (type: number, bytes: Buffer, start: number, end: number) => void): Promise<void> {
    const framer = new Framer(backendRules);
    framer.setCut(backend.dataRow, 'whole');
    framer.setCut(backend.copyData, 'whole');
    for (;;) {
      const [chunk] = (await once(this.#socket, 'data')) as [Buffer];
      framer.push(chunk);
      while (framer.next()) {
        if (framer.type === backend.readyForQuery) return;
        onMessage(framer.type, framer.buffer, framer.start, framer.end);
      }
    }
  }
}

function cells(row: Buffer): (Buffer | null)[] {
  const found: (Buffer | null)[] = [];
  let at = headerBytes + 2;
  for (let count = row.readUInt16BE(headerBytes); count > 0; count--) {
    const length = row.readInt32BE(at);
    at += 4;
    found.push(length < 0 ? null : row.subarray(at, at + length));
    at += Math.max(0, length);
  }
  return found;
}

/**
 * Does dbguard call something a read that the server would not let run in a read-only transaction? psql runs a script
 * through a middleman; whatever is called a read is first tried on the same connection, read-only and rolled back.
 *
 * What lives here: the middleman between psql and the server. What it must not know: the scripts.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Catalogs } from '../../src/io/catalog/catalogs.js';
import { CatalogChanges, type ClientCatalog } from '../../src/proxy/session-state/client-catalog.js';
import { dependsOnCatalog } from '../../src/proxy/session-state/needs-catalog.js';
import type { Facts } from '../../src/sql/facts.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';
import { askCatalogOf } from '../helpers/ask-catalog.js';
import { type PostgresVersion, startPostgres, type TestPostgres } from '../helpers/postgres.js';
import type { Target } from '../helpers/wire-client.js';
import { query } from '../helpers/wire-messages.js';
import { regressionTests, runPsql } from './psql.js';

interface Tried {
  statements: number;
  reads: number;
  /** Called reads, and refused with 25006. */
  readonly wrong: string[];
  /** Asked about though they run in a read-only transaction, by what made dbguard ask. */
  readonly falsePrompts: Map<string, string[]>;
  /** What the server runs, and dbguard cannot read. */
  readonly unread: string[];
  /** The longest that the facts of one text take, milliseconds, and the text. */
  slowest: { ms: number; sql: string };
}

interface Middleman {
  readonly target: Target;
  readonly tried: Tried;
  close(): Promise<void>;
}

/** Nothing but reading, and nothing in it that cannot be seen. */
function isRead(facts: Facts): boolean {
  if (facts.unparseable || facts.statements.length === 0) return false;
  return facts.statements.every(
    ({ transaction, effects }) => !transaction && effects.every(({ kind, opaque }) => kind === 'read' && !opaque),
  );
}

async function openMiddleman(server: TestPostgres): Promise<Middleman> {
  const asking = await askCatalogOf(server.url());
  const catalogs = new Catalogs({
    grammar: await loadGrammar(),
    controlOf: () => ({ ask: async () => [], askAll: asking.ask }),
    masking: undefined,
  });
  const tried: Tried = {
    statements: 0,
    reads: 0,
    wrong: [],
    unread: [],
    falsePrompts: new Map(),
    slowest: { ms: 0, sql: '' },
  };
  const listener = createServer((client) => {
    const upstream = connect(server.port, server.host);
    const passage = catalogs
      .client('postgres', new Map())
      .then(({ catalog }) => new Passage(client, upstream, catalog, tried));
    passage.catch(() => client.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const { host, superuser: user, password } = server;
  return {
    target: {
      host,
      port: typeof address === 'object' ? (address?.port ?? 0) : 0,
      user,
      password,
      database: 'postgres',
    },
    tried,
    close: async () => {
      catalogs.stop();
      listener.close();
      await asking.end();
    },
  };
}

/** SSLRequest and GSSENCRequest ("Message Formats" in the PostgreSQL manual): both are refused. */
const encryptionRequests = [80877103, 80877104];

/** What one trial heard. */
interface Trial {
  code: string | undefined;
  readonly done: () => void;
}

class Passage {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #catalog: ClientCatalog;
  readonly #changes: CatalogChanges;
  readonly #tried: Tried;
  #status = 'I';
  #trial: Trial | undefined;
  /** The statement under way, when it could not be read. */
  #unread: string | undefined;

  constructor(client: Socket, upstream: Socket, catalog: ClientCatalog, tried: Tried) {
    this.#client = client;
    this.#upstream = upstream;
    this.#catalog = catalog;
    this.#changes = new CatalogChanges(catalog);
    this.#tried = tried;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.setNoDelay();
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
    client.on('close', () => this.#changes.closed());
    const lost = () => client.destroy();
    this.#read(upstream, false, async (message) => this.#answered(message)).catch(lost);
    this.#read(client, true, (message) => this.#asked(message)).catch(lost);
  }

  /** Calls `handle` for one message after the other. The first one of a client has no type. */
  async #read(socket: Socket, begins: boolean, handle: (message: Buffer) => Promise<void>): Promise<void> {
    let bytes: Buffer = Buffer.alloc(0);
    let typed = !begins;
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        const header = typed ? 1 : 0;
        if (bytes.length < header + 4) break;
        const end = header + bytes.readInt32BE(header);
        if (bytes.length < end) break;
        const message = bytes.subarray(0, end);
        bytes = bytes.subarray(end);
        if (!typed && encryptionRequests.includes(message.readInt32BE(4))) socket.write('N');
        else {
          await handle(message);
          typed = true;
        }
      }
    }
  }

  async #asked(message: Buffer): Promise<void> {
    if (String.fromCharCode(message[0] ?? 0) === 'Q')
      await this.#statement(message.toString('utf8', 5, message.length - 1));
    this.#upstream.write(message);
  }

  async #answered(message: Buffer): Promise<void> {
    const type = String.fromCharCode(message[0] ?? 0);
    if (type === 'Z') this.#status = String.fromCharCode(message[5] ?? 0);
    const trial = this.#trial;
    if (trial === undefined) {
      if (type === 'E') this.#unread = undefined;
      if (type === 'Z' && this.#unread !== undefined) this.#tried.unread.push(this.#unread);
      if (type === 'Z') this.#unread = undefined;
      if (type === 'Z' && this.#status === 'I') this.#changes.transactionOver();
      this.#client.write(message);
    } else if (type === 'E') trial.code ??= /\0C(.{5})\0/.exec(message.toString('latin1'))?.[1];
    else if (type === 'Z') trial.done();
  }

  async #statement(sql: string): Promise<void> {
    const { analyser } = this.#catalog;
    // of the processor, which the server wants too
    const before = process.cpuUsage();
    let facts = analyser.analyse(sql);
    const { user, system } = process.cpuUsage(before);
    const ms = (user + system) / 1000;
    if (ms > this.#tried.slowest.ms) this.#tried.slowest = { ms, sql };
    this.#unread = facts.unparseable ? sql : undefined;
    if (dependsOnCatalog(facts, undefined, this.#catalog) && this.#catalog.behind) {
      await this.#catalog.ready();
      facts = analyser.analyse(sql);
    }
    this.#tried.statements += 1;
    if (this.#status !== 'E') await this.#try(sql, facts);
    this.#changes.forwarded({ facts });
  }

  async #try(sql: string, facts: Facts): Promise<void> {
    const read = isRead(facts);
    if (read) this.#tried.reads += 1;
    else if (!looksLikeRead(facts)) return;
    const nested = this.#status === 'T';
    const [begin, end] = nested
      ? ['SAVEPOINT trial; SET LOCAL transaction_read_only = on', 'ROLLBACK TO trial; RELEASE trial']
      : ['BEGIN READ ONLY', 'ROLLBACK'];
    await this.#run(begin);
    const code = await this.#run(sql);
    await this.#run(end);
    if (read && code === '25006') this.#tried.wrong.push(sql);
    if (!read && code === undefined) {
      const why = reasons(facts);
      this.#tried.falsePrompts.set(why, [...(this.#tried.falsePrompts.get(why) ?? []), sql]);
    }
  }

  /** The SQLSTATE when it fails. */
  async #run(sql: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const trial: Trial = {
        code: undefined,
        done: () => {
          this.#trial = undefined;
          resolve(trial.code);
        },
      };
      this.#trial = trial;
      this.#upstream.write(query(sql));
    });
  }
}

/** Worth a trial although dbguard would ask: a query in which nothing but functions is suspected. */
function looksLikeRead({ unparseable, statements }: Facts): boolean {
  if (unparseable || statements.length !== 1) return false;
  return statements.every(
    ({ command, effects }) =>
      ['SELECT', 'VALUES', 'EXPLAIN'].includes(command) &&
      effects.every(({ kind }) => ['read', 'function-call', 'execute-code', 'unknown'].includes(kind)),
  );
}

function reasons({ statements }: Facts): string {
  const suspected = statements.flatMap(({ effects }) =>
    effects.filter(({ kind, opaque }) => kind !== 'read' || opaque),
  );
  const words = suspected.map(
    ({ kind, targets, detail }) => `${kind} ${targets.map(({ name }) => name)} ${detail ?? ''}`,
  );
  return [...new Set(words)].sort().join(' + ').trim();
}

/** The regression tests through the middleman; true when nothing that dbguard calls a read writes. */
export async function tryReads(psql: string, version: PostgresVersion, regress: string): Promise<boolean> {
  const server = await startPostgres({ version });
  try {
    const middleman = await openMiddleman(server);
    for await (const { script } of regressionTests(regress)) await runPsql(psql, middleman.target, script, regress);
    await middleman.close();
    const { statements, reads, wrong, unread, falsePrompts, slowest } = middleman.tried;
    const asked = [...falsePrompts.values()].reduce((sum, { length }) => sum + length, 0);
    console.log(
      `  ${statements} statements, ${reads} called reads, ${wrong.length} of them refused in a read-only transaction`,
    );
    for (const sql of wrong) console.log(`    ${sql}`);
    console.log(`  ${unread.length} that the server runs cannot be read`);
    for (const sql of unread) console.log(`    ${sql.slice(0, 200)}`);
    console.log(`  ${asked} plain reads are asked about, for ${falsePrompts.size} reasons`);
    const most = [...falsePrompts].sort(([, a], [, b]) => b.length - a.length).slice(0, 20);
    for (const [why, { length }] of most) console.log(`    ${String(length).padStart(5)}  ${why}`);
    console.log(`  slowest: ${slowest.ms.toFixed(1)} ms for ${slowest.sql.slice(0, 100)}`);
    return wrong.length === 0;
  } finally {
    await server.stop();
  }
}

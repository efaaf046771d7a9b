/** A whole proxy in this process, in front of a real server, with a journal that stays in memory for assertions. */

import { Catalogs } from '../../src/io/catalog/catalogs.js';
import { ControlConnection } from '../../src/io/catalog/control-connection.js';
import { waitsForLock } from '../../src/io/catalog/lock-waits.js';
import { type MaskingOptions, masking } from '../../src/io/catalog/masked-database.js';
import { measureExtents } from '../../src/io/catalog/measure-extents.js';
import { rowsByName } from '../../src/io/catalog/small-tables.js';
import type { ConnectionTimeouts } from '../../src/io/listener/client-connection.js';
import { type RunningProxy, startProxy } from '../../src/io/listener/server.js';
import { openClientProcesses } from '../../src/io/peer/client-processes.js';
import { cancelUpstream } from '../../src/io/upstream/cancel.js';
import { connectUpstream } from '../../src/io/upstream/connect.js';
import { resolveUpstream } from '../../src/io/upstream/resolve.js';
import type { Policy } from '../../src/policy/decision.js';
import type { CompiledPolicy } from '../../src/policy/engine.js';
import type { ConnectionAccess } from '../../src/policy/read-connection-access.js';
import { DryRunner } from '../../src/proxy/dry-run/dry-run.js';
import { AccessWindows } from '../../src/proxy/session-state/access-windows.js';
import { withoutCatalog } from '../../src/proxy/session-state/client-catalog.js';
import type { Answer, ApprovalRequest, Asker } from '../../src/proxy/statement/asker.js';
import type { Assessor } from '../../src/proxy/statement/assessor.js';
import { ConnectionOnRequest, timedConnection } from '../../src/proxy/statement/connection-on-request.js';
import { StatementJournal } from '../../src/proxy/statement/statement-journal.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';
import { type Disclosures, type EntryBody, type Recorder, RepeatedBody } from '../../src/transcript/entry.js';
import { HonestyCheck } from './contradictions.js';
import type { Target } from './wire-client.js';

export interface Recorded {
  readonly k: EntryBody['k'];
  readonly n: number;
  readonly disclosures: Disclosures;
  readonly [field: string]: EntryBody[string] | Disclosures;
}

export class MemoryRecorder implements Recorder {
  readonly entries: Recorded[] = [];
  /** Set to have it fail as the real journal does on a full disk: commits report it, and nothing is taken any more. */
  broken: Error | undefined;
  commits = 0;
  readonly honesty = new HonestyCheck();
  #failed = false;

  append(given: EntryBody | RepeatedBody, disclosures: Disclosures = {}): number {
    const body = given instanceof RepeatedBody ? given.body : given;
    if (this.broken && this.#failed) throw this.broken;
    const n = this.entries.length;
    this.honesty.add(n, body, disclosures);
    this.entries.push({ ...body, n, disclosures });
    return n;
  }

  commit(_sync: boolean, done: (error?: Error) => void): void {
    setImmediate(() => {
      this.commits++;
      this.#failed = this.broken !== undefined;
      done(this.broken);
    });
  }

  get size(): number {
    return this.entries.length;
  }

  of(kind: string): Recorded[] {
    return this.entries.filter((entry) => entry.k === kind);
  }
}

export interface ProxyInProcess {
  readonly proxy: RunningProxy;
  readonly journal: StatementJournal;
  readonly recorder: MemoryRecorder;
  readonly requests: ApprovalRequest[];
  /** Connection string through the proxy. */
  url(database?: string): string;
  /** The same for a client on a raw socket. */
  readonly target: Target;
  answer: (request: ApprovalRequest, signal: AbortSignal) => Promise<Answer>;
  close(): Promise<void>;
}

const user = 'postgres';
const password = 'loopback-secret';

export interface InProcessOptions {
  /** In place of `requests` and `answer`. */
  readonly asker?: Asker;
  readonly upstreamUrl: string;
  readonly policy: Policy;
  readonly maxMessage?: number;
  readonly maxConnections?: number;
  readonly impact?: Assessor['impact'];
  readonly timeouts?: ConnectionTimeouts;
  /** Judge by the server's catalog too, and look for changes by other ways so often. */
  readonly catalogPollMs?: number;
  /** Clients are let in before the catalog has been read, which begins then. */
  readonly catalogReadAfter?: Promise<void>;
  readonly recorder?: MemoryRecorder;
  /** Why, as said by whoever began the session. */
  readonly reason?: string;
  /** Default: the time of day. */
  readonly windowClocks?: readonly (() => number)[];
  /** Clients have to ask for the connection. */
  readonly access?: ConnectionAccess;
  /** Masked as these files say. */
  readonly masked?: MaskingOptions;
}

export async function startProxyInProcess(options: InProcessOptions): Promise<ProxyInProcess> {
  const grammar = await loadGrammar();
  const analyser = await createAnalyser({ grammar });
  const recorder = options.recorder ?? new MemoryRecorder();
  const upstream = resolveUpstream({ url: options.upstreamUrl }, {});
  const requests: ApprovalRequest[] = [];
  const control = new ControlConnection(() => connectUpstream(upstream, new Map()));
  const pollMs = options.catalogPollMs;
  const masked = options.masked && masking(options.masked);
  const { catalogReadAfter } = options;
  const askAll: ControlConnection['askAll'] = async (questions, timeoutMs) => {
    await catalogReadAfter;
    return control.askAll(questions, timeoutMs);
  };
  const late = { ask: control.ask.bind(control), askAll };
  const catalogs = new Catalogs({ grammar, controlOf: () => late, masking: masked, ...(pollMs && { pollMs }) });
  const usesCatalog = pollMs !== undefined || masked !== undefined;
  const readAhead = usesCatalog ? catalogs.readAhead(upstream.database) : undefined;
  if (!catalogReadAfter) await readAhead;
  const { access } = options;
  if (access) recorder.append({ k: 'open', connection: { name: 'test', access: 'on-request' } });
  const windows = new AccessWindows({
    rules: [
      ...(isCompiled(options.policy) ? options.policy.config.access : []),
      ...(access ? [timedConnection('test', access)] : []),
    ],
    recorder,
    clocks: options.windowClocks ?? [() => Date.now()],
    every: (milliseconds, callback) => {
      const timer = setInterval(callback, milliseconds);
      return () => clearInterval(timer);
    },
  });
  const asker = options.asker ?? {
    ask: (request: ApprovalRequest, signal: AbortSignal) => {
      requests.push(request);
      return harness.answer(request, signal);
    },
  };
  const journal = new StatementJournal({
    ...{ windows, recorder, asker },
    policy: options.policy,
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
  });
  const processes = openClientProcesses();
  const dryRuns = new DryRunner();
  const facts = { connection: 'test', subject: 'dev@example.test', agent: 'test-agent' };
  const onRequest =
    access &&
    new ConnectionOnRequest({
      ...{ access, windows, recorder, asker },
      now: () => Date.now(),
      patienceMs: options.policy.approvalTimeoutMs,
      who: { sid: 'test-sid', ...facts, database: upstream.database, user },
      origin: 'dbguard.yaml:1',
      ...(options.reason && { reason: options.reason }),
      endSession: () => proxy.drain(),
    });
  const proxy = await startProxy({
    listen: { host: '127.0.0.1', port: 0 },
    password,
    maxConnections: options.maxConnections ?? 50,
    connection: {
      journal,
      processes,
      onRequest,
      judgedBy: async (database, startup) =>
        usesCatalog ? catalogs.client(database, startup) : { catalog: withoutCatalog(analyser), masks: undefined },
      users: new Map([[user, { user, login: user }]]),
      context: { sid: 'test-sid', ...facts, ...(options.reason && { reason: options.reason }) },
      admission: () => ({
        policy: options.policy,
        analyser,
        database: upstream.database,
        databases: 'any',
        sid: 'test-sid',
        context: { ...facts, user, now: Date.now() },
      }),
      databases: { use: () => () => undefined, leave: () => control.leave() },
      assessorFor: (upstream) => ({
        impact: options.impact ?? (async () => ({ lines: [] })),
        extents: measureExtents,
        sizes: rowsByName,
        dryRun: (candidate, held, session) => dryRuns.run(candidate, held, session),
        waitsForLock: () => waitsForLock(upstream.backendKey?.pid, control),
        endSession: () => {},
      }),
      maxMessage: options.maxMessage ?? 64 << 20,
      connect: (_user, { parameters, protocolMinor }, signal) =>
        connectUpstream(upstream, parameters, { protocolMinor, signal }),
      cancelUpstream,
      blocked: () => undefined,
      ...(options.timeouts && { timeouts: options.timeouts }),
    },
  });
  const harness: ProxyInProcess = {
    proxy,
    journal,
    recorder,
    requests,
    url: (database = upstream.database) =>
      `postgresql://${user}:${password}@127.0.0.1:${proxy.port}/${database}?sslmode=disable`,
    target: { host: '127.0.0.1', port: proxy.port, user, password, database: upstream.database },
    answer: async () => ({ decision: 'deny', by: { kind: 'nobody' } }),
    close: async () => {
      await onRequest?.stop();
      await proxy.close(0);
      processes.close();
      windows.stop();
      catalogs.stop();
      await control.close();
      const lies = recorder.broken ? [] : recorder.honesty.sealedAt(recorder.size);
      if (lies.length > 0) throw new Error(`the transcript contradicts itself: ${lies.join('; ')}`);
    },
  };
  return harness;
}

function isCompiled(policy: Policy): policy is CompiledPolicy {
  return 'config' in policy;
}

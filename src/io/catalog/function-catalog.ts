/**
 * The catalog of one database as the analyser wants it (functions, what runs behind relations, keys), kept in step with
 * the server.
 *
 * What lives here: when it is read, and when it may not be believed. What it must not know: what it says.
 *
 * Believed is only what was read after the last change that went through this proxy had ended, while no other is under
 * way. Changes that come by other ways are noticed by comparing fingerprints, `pollMs` late at most.
 */
import { type ClientCatalog, doubtsAfter } from '../../proxy/session-state/client-catalog.js';
import { createAnalyser } from '../../sql/analyser.js';
import { callersQuery, functionsQuery, LoadedFunctions } from '../../sql/catalog/loaded-functions.js';
import {
  columnsQuery,
  decisiveSettingsQuery,
  hiddenQuery,
  keysQuery,
  LoadedRelations,
  permanentQuery,
} from '../../sql/catalog/loaded-relations.js';
import type { Analyser, Facts } from '../../sql/facts.js';
import type { Grammar } from '../../sql/grammar/grammar.js';
import type { Row } from './control-connection.js';
import { codeFingerprint } from './fingerprint.js';

/** Asks under an empty search_path, in a read-only transaction. */
export type AskCatalog = (sql: string, timeoutMs: number) => Promise<Row[]>;

export interface FunctionCatalogOptions {
  readonly grammar: Grammar;
  /** Default 5 s. */
  readonly pollMs?: number;
}

const loadTimeoutMs = 10_000;
const fingerprintTimeoutMs = 2_000;
/** A statement waits this long for a catalog that is being read, then it is judged without. */
const patienceMs = 3_000;
/** With polls five seconds apart: five minutes between attempts. */
const mostFailures = 6;

export class FunctionCatalog {
  readonly #ask: AskCatalog;
  readonly #functions: LoadedFunctions;
  readonly #relations: LoadedRelations;
  readonly #analyser: Analyser;
  readonly #timer: NodeJS.Timeout;
  /** Changes that went through so far. */
  #changes = 0;
  /** Clients whose changes have not ended. */
  #unsettled = 0;
  /** Undefined: nothing is believed. */
  #fingerprint: string | undefined;
  #loading: Promise<void> | undefined;
  #clients = 0;
  /** Polls to leave out, so that a server that cannot answer is not asked every few seconds. */
  #pause = 0;
  #failures = 0;

  private constructor(
    ask: AskCatalog,
    functions: LoadedFunctions,
    relations: LoadedRelations,
    analyser: Analyser,
    pollMs: number,
  ) {
    this.#ask = ask;
    this.#functions = functions;
    this.#relations = relations;
    this.#analyser = analyser;
    this.#timer = setInterval(() => this.#tick(), pollMs).unref();
  }

  /** A catalog that cannot be read is not believed: then functions that are not PostgreSQL's own are asked about. */
  static async open(ask: AskCatalog, { grammar, pollMs = 5_000 }: FunctionCatalogOptions): Promise<FunctionCatalog> {
    const functions = new LoadedFunctions();
    const relations = new LoadedRelations();
    const analyser = await createAnalyser({ grammar, catalog: functions, relations });
    const catalog = new FunctionCatalog(ask, functions, relations, analyser, pollMs);
    await catalog.#reload();
    return catalog;
  }

  get analyser(): Analyser {
    return this.#analyser;
  }

  /** It could be read, and nothing has changed since. */
  get believed(): boolean {
    return this.#fingerprint !== undefined;
  }

  /** For one client connection. While there is none, nothing is polled; the first one looks for changes since. */
  async client(): Promise<ClientCatalog> {
    if (this.#clients === 0) await this.#poll();
    return this.#newClient();
  }

  #newClient(): ClientCatalog {
    let pending = false;
    let open = false;
    let own = 0;
    const others = (): number | undefined =>
      this.#unsettled - (pending ? 1 : 0) > 0 ? undefined : this.#changes - own;
    const isLoading = (): boolean => this.#loading !== undefined;
    return {
      analyser: this.#analyser,
      get loading() {
        return isLoading();
      },
      get changesOfOthers() {
        return others();
      },
      ready: () => this.#ready(),
      onlyTemporary: (name) => this.believed && !this.#relations.isPermanent(name),
      changing: (facts) => {
        if (!pending) this.#unsettled++;
        pending = true;
        own++;
        this.#doubt(facts);
      },
      settled: () => {
        if (!pending) return;
        pending = false;
        this.#unsettled--;
        // the next client reads what is doubtful; until then nobody has a reason to be connected
        if (this.#clients > 0) void this.#reload();
      },
      opened: () => {
        if (!open) this.#clients++;
        open = true;
      },
      closed: () => {
        if (open) this.#clients--;
        open = false;
      },
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #doubt(facts?: Facts): void {
    this.#changes++;
    this.#fingerprint = undefined;
    const { functions, views } = facts === undefined ? ({ functions: [], views: 'all' } as const) : doubtsAfter(facts);
    this.#relations.doubt(views);
    this.#functions.doubt(functions);
  }

  async #ready(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([this.#loading, patience]);
    clearTimeout(timer);
  }

  #reload(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Reads until nothing has changed meanwhile. */
  async #load(): Promise<void> {
    while (this.#unsettled === 0) {
      const asOf = this.#changes;
      try {
        // first, so that what changes while the rest is read is noticed by the next poll
        const fingerprint = await this.#askFingerprint(loadTimeoutMs);
        const [functions, callers, hidden, columns, permanent, keys, decisive] = [
          await this.#ask(functionsQuery, loadTimeoutMs),
          await this.#ask(callersQuery, loadTimeoutMs),
          await this.#ask(hiddenQuery, loadTimeoutMs),
          await this.#ask(columnsQuery, loadTimeoutMs),
          await this.#ask(permanentQuery, loadTimeoutMs),
          await this.#ask(keysQuery, loadTimeoutMs),
          await this.#ask(decisiveSettingsQuery, loadTimeoutMs),
        ];
        if (asOf !== this.#changes) continue;
        this.#relations.replace(hidden, columns, permanent, keys, decisive);
        this.#functions.replace(functions, callers);
        this.#fingerprint = fingerprint;
        this.#failures = 0;
      } catch {
        // not believed until a later poll can read it
        this.#failures = Math.min(this.#failures + 1, mostFailures);
        this.#pause = 2 ** this.#failures;
      }
      return;
    }
  }

  #tick(): void {
    if (this.#clients === 0) return;
    if (this.#pause > 0) this.#pause--;
    else void this.#poll();
  }

  async #poll(): Promise<void> {
    if (this.#loading !== undefined || this.#unsettled > 0) return;
    if (this.#fingerprint !== undefined) {
      const asOf = this.#changes;
      const now = await this.#askFingerprint(fingerprintTimeoutMs).catch(() => undefined);
      if (asOf !== this.#changes || now === this.#fingerprint) return;
      this.#doubt();
    }
    await this.#reload();
  }

  async #askFingerprint(timeoutMs: number): Promise<string> {
    const [row] = await this.#ask(codeFingerprint, timeoutMs);
    if (!row?.fingerprint) throw new Error('the catalog has no fingerprint');
    return row.fingerprint;
  }
}

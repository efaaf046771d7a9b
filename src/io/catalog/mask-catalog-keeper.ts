/**
 * The masks of one database: its catalog for all clients, kept in step with what they change.
 *
 * What lives here: when the catalog is read, and when it may not be believed. What it must not know: what it says.
 */

import type { Masker } from '../../masking/masker.js';
import type { ClientMasks } from '../../proxy/session-state/result-masks.js';
import type { SearchPath } from '../../sql/lineage/catalog.js';
import { pathSettings } from '../../sql/lineage/names.js';
import { columnsFingerprint } from './fingerprint.js';
import { MaskCatalog } from './mask-catalog.js';

/** Rows by column name; rejects when the server does not answer in time, milliseconds. */
export type AskDatabase = ConstructorParameters<typeof MaskCatalog>[0];

const fingerprintTimeoutMs = 2_000;
/** A statement waits this long for a catalog that is being read; then what it returns is hidden. */
const patienceMs = 3_000;

export interface MaskedDatabaseOptions {
  /** Some client is connected: without one nothing is read. */
  readonly inUse?: () => boolean;
  /** DDL that did not come through this proxy is noticed this late at most; default 5 s. */
  readonly pollMs?: number;
}

export class MaskedDatabase {
  readonly #catalog: MaskCatalog;
  readonly #masker: Masker;
  readonly #defaultPath: SearchPath;
  readonly #ask: AskDatabase;
  readonly #timer: NodeJS.Timeout;
  readonly #inUse: () => boolean;
  /** Clients with changes that are not committed: they see another catalog than the one that can be read. */
  readonly #changing = new Set<symbol>();
  #loading: Promise<void> | undefined;
  /** As of before the catalog was read last. */
  #fingerprint: string | undefined;

  private constructor(
    ask: AskDatabase,
    catalog: MaskCatalog,
    masker: Masker,
    defaultPath: SearchPath,
    { inUse = () => true, pollMs = 5_000 }: MaskedDatabaseOptions,
  ) {
    this.#ask = ask;
    this.#inUse = inUse;
    this.#catalog = catalog;
    this.#masker = masker;
    this.#defaultPath = defaultPath;
    this.#timer = setInterval(() => {
      if (inUse()) void this.#poll();
    }, pollMs).unref();
  }

  static async open(
    ask: AskDatabase,
    maskerOf: (catalog: MaskCatalog) => Masker,
    options: MaskedDatabaseOptions = {},
  ): Promise<MaskedDatabase> {
    const catalog = new MaskCatalog(ask);
    const [row] = await ask('SELECT current_schemas(true)::text[] AS path', [], 5_000).catch(() => []);
    const path = row?.path == null ? undefined : parseTextArray(row.path);
    const database = new MaskedDatabase(ask, catalog, maskerOf(catalog), path, options);
    await database.#reload();
    return database;
  }

  /** @param startup what the client asked for when it connected */
  client(startup: ReadonlyMap<string, string>): ClientMasks {
    const client = Symbol();
    const isLoading = (): boolean => this.#loading !== undefined;
    return {
      plans: this.#masker.session(),
      defaultPath: mayNamePath(startup) ? undefined : this.#defaultPath,
      changing: (code) => {
        this.#changing.add(client);
        this.#catalog.invalidate(code);
      },
      settled: () => {
        this.#changing.delete(client);
        if (!this.#catalog.current && this.#inUse()) void this.#reload();
      },
      get loading() {
        return isLoading();
      },
      ready: () => this.#ready(),
    };
  }

  /** Nobody was here for a while: the database may be another by the same name. */
  async revisit(): Promise<void> {
    this.#catalog.invalidate(true);
    await this.#reload();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #poll(): Promise<void> {
    if (this.#loading !== undefined || this.#changing.size > 0) return;
    const now = await this.#askFingerprint().catch(() => undefined);
    if (this.#catalog.current && now !== undefined && now === this.#fingerprint) return;
    this.#catalog.invalidate(true);
    await this.#reload();
  }

  async #askFingerprint(): Promise<string | undefined> {
    const [row] = await this.#ask(columnsFingerprint, [], fingerprintTimeoutMs);
    return row?.fingerprint ?? undefined;
  }

  #reload(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Reads until nothing has changed meanwhile. What cannot be read is not current: results are then hidden, not shown. */
  async #load(): Promise<void> {
    do {
      if (this.#changing.size > 0) return;
      try {
        // first, so that what changes while the rest is read is noticed by the next poll
        this.#fingerprint = await this.#askFingerprint();
        await this.#catalog.refresh();
      } catch {
        return;
      }
    } while (!this.#catalog.current);
  }

  async #ready(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([this.#loading, patience]);
    clearTimeout(timer);
  }
}

/** What stands in `options` is not taken apart. */
function mayNamePath(startup: ReadonlyMap<string, string>): boolean {
  return [...startup.keys()].some((name) => name === 'options' || pathSettings.has(name.toLowerCase()));
}

/** `{public,"my schema"}`; schema names hold no NULL. */
function parseTextArray(text: string): string[] {
  const items = text.slice(1, -1).match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
  return items.map((item) => (item.startsWith('"') ? item.slice(1, -1).replace(/\\(.)/g, '$1') : item));
}

/**
 * The catalog of one database, kept in step with the server for all clients and for whoever has a copy of a part of it.
 *
 * What lives here: when it is read, and when it may not be believed. What it must not know: what it says.
 *
 * Believed is only what was read after the last change that went through this proxy had ended, while no other is under
 * way, and meanwhile what a change says itself. It is read when somebody needs it, or when nothing has changed for a
 * moment. Changes that come by other ways are noticed by comparing fingerprints, `pollMs` late at most.
 */
import type { CatalogChange } from '../../proxy/session-state/catalog-change.js';
import type { CatalogDoubts, ClientCatalog } from '../../proxy/session-state/client-catalog.js';
import { finishedWithin, inTurns } from '../../proxy/statement/in-turns.js';
import type { Objects, Question } from '../../sql/catalog/questions.js';
import type { Steps } from '../../sql/steps.js';
import { type Cause, ChangedObjects, presentQuestion } from './changed-objects.js';
import type { Row } from './control-connection.js';
import { columnsFingerprint } from './fingerprint.js';

/** Asks all of it in one snapshot, under an empty search_path, in a read-only transaction; rows by column name. */
export type AskCatalog = (questions: readonly Question[], timeoutMs: number) => Promise<Row[][]>;

/** Who keeps a copy of a part of the catalog. */
export interface CatalogReader {
  /** What it has to know of these objects, or of all that there are. */
  questions(objects?: Objects): Question[];
  /** The answers, in that order. Until the end of the steps, all is as it was. */
  take(answers: readonly (readonly Row[])[], objects?: Objects): Steps<void> | void;
  /** What it took last is what the database has. */
  believe(): void;
  /** It may not be so any more. Undefined: who knows what has changed. */
  doubt(change: CatalogChange | undefined): void;
  /** A change that it doubts has gone well, and may itself say what it has made. False where it has run any code. */
  learn?(change: CatalogChange): boolean;
  /** Temporary tables of clients are nothing to it. */
  readonly ignoresTemporary: boolean;
}

export interface KeeperOptions {
  /** Default 5 s. */
  readonly pollMs?: number;
}

const loadTimeoutMs = 10_000;
const fingerprintTimeoutMs = 2_000;
/** A statement waits this long for a catalog that is being read, then it is judged without. */
const patienceMs = 3_000;
/** Of the event loop, so that no client waits while a large catalog is taken in. */
const turnMs = 5;
/** Nobody has needed it or changed it for so long: then it is read. */
const unaskedMs = 50;
/** With polls five seconds apart: five minutes between attempts. */
const mostFailures = 6;

/** What of the catalog a client follows: all but what belongs to one of the readers. */
export type KeptClient = Omit<ClientCatalog, 'analyser' | 'onlyTemporary' | keyof CatalogDoubts>;

export class CatalogKeeper {
  readonly #ask: AskCatalog;
  readonly #readers: CatalogReader[];
  readonly #objects = new ChangedObjects();
  readonly #pollMs: number;
  readonly #timer: NodeJS.Timeout;
  #unasked: NodeJS.Timeout | undefined;
  /** Changes that went through so far, but for those of temporary tables. */
  #changes = 0;
  /** The same with those. */
  #allChanges = 0;
  #cause = nothingYet();
  /** Clients with changes that have not ended; true: of more than temporary tables. */
  readonly #unsettled = new Map<symbol, boolean>();
  /** Those that do not believe what they have. */
  readonly #doubting: Set<CatalogReader>;
  #loading: Promise<void> | undefined;
  /** The first reading, once it has been asked for; `unread` until it is over. */
  #first: Promise<void> | undefined;
  #unread = true;
  readonly #clients = new Set<symbol>();
  /** When all that has changed was last looked for, by performance.now(). */
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Polls to leave out, so that a server that cannot answer is not asked every few seconds. */
  #pause = 0;
  #failures = 0;

  constructor(ask: AskCatalog, readers: readonly CatalogReader[], { pollMs = 5_000 }: KeeperOptions = {}) {
    this.#ask = ask;
    this.#readers = [...readers];
    this.#doubting = new Set(readers);
    this.#pollMs = pollMs;
    this.#timer = setInterval(() => this.#tick(), pollMs).unref();
  }

  /** One more that has a copy, which it gets when everything is read again. */
  add(reader: CatalogReader): void {
    this.#readers.push(reader);
    this.#doubting.add(reader);
    this.#objects.forget();
  }

  /** The first reading, and one for whoever was added since. What cannot be read is not believed. */
  open(): Promise<void> {
    this.#first ??= this.#reload().finally(() => {
      this.#unread = false;
    });
    return this.#unread ? this.#first : this.#reload();
  }

  believes(reader: CatalogReader): boolean {
    return !this.#doubting.has(reader);
  }

  /** For one client connection. While there is none, nothing is polled; the first one looks for changes since. */
  client(): KeptClient {
    // statements that need the catalog wait for it, as for a reading
    if (this.#clients.size === 0) void this.look();
    const id = Symbol();
    let own = 0;
    const others = (): number | undefined => {
      const underWay = [...this.#unsettled].some(([client, lasting]) => client !== id && lasting);
      return underWay ? undefined : this.#changes - own;
    };
    const isBehind = (): boolean => this.#isBehind();
    const isUnread = (): boolean => this.#unread;
    return {
      get unread() {
        return isUnread();
      },
      get behind() {
        return isBehind();
      },
      get changesOfOthers() {
        return others();
      },
      ready: () => this.#ready(),
      changing: (change) => {
        if (!change.temporary) own++;
        this.#unsettled.set(id, !change.temporary || this.#unsettled.get(id) === true);
        this.#doubt(change);
      },
      changed: (change) => {
        const concerned = this.#readers.filter((one) => !change.temporary || !one.ignoresTemporary);
        if (concerned.some((reader) => reader.learn?.(change) === false)) this.#doubt();
      },
      settled: () => {
        if (this.#unsettled.delete(id)) this.#readSoon();
      },
      opened: () => this.#clients.add(id),
      closed: () => this.#clients.delete(id),
    };
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#unasked);
  }

  /** Reading may tell more: somebody doubts, and nothing is under way. */
  #isBehind(): boolean {
    if (this.#doubting.size === 0) return false;
    if (this.#loading !== undefined) return true;
    return this.#pause === 0 && this.#readers.some((reader) => this.#doubting.has(reader) && this.#mayBelieve(reader));
  }

  #mayBelieve({ ignoresTemporary }: CatalogReader): boolean {
    for (const lasting of this.#unsettled.values()) if (lasting || !ignoresTemporary) return false;
    return true;
  }

  #doubt(change?: CatalogChange): void {
    this.#unasked?.refresh();
    this.#allChanges++;
    if (!change?.temporary) this.#changes++;
    const { names, calls } = this.#cause;
    this.#cause = {
      unseen: this.#cause.unseen || (change?.unseen ?? true),
      renamed: this.#cause.renamed || change?.renamed === true,
      exact: this.#cause.exact && change?.exact === true,
      names,
      calls,
    };
    for (const name of change?.names ?? []) names.add(name);
    for (const name of change?.calls ?? []) calls.add(name);
    for (const reader of this.#readers) {
      if (change?.temporary && reader.ignoresTemporary) continue;
      this.#doubting.add(reader);
      reader.doubt(change);
    }
  }

  async #ready(): Promise<void> {
    if (this.#unread) await this.open();
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        over = true;
        resolve();
      }, patienceMs);
    });
    // what is under way may have begun before the last change
    while (!over && this.#isBehind()) await Promise.race([this.#reload(), patience]);
    clearTimeout(timer);
  }

  /** Without a client nobody has a reason to be connected. */
  #readSoon(): void {
    if (this.#unasked !== undefined) {
      this.#unasked.refresh();
      return;
    }
    this.#unasked = setTimeout(() => {
      this.#unasked = undefined;
      if (this.#clients.size > 0 && this.#isBehind()) void this.#reload();
    }, unaskedMs).unref();
  }

  #reload(): Promise<void> {
    return this.#alone(() => this.#load());
  }

  #alone(read: () => Promise<void>): Promise<void> {
    this.#loading ??= read().finally(() => {
      this.#loading = undefined;
      if (this.#isBehind()) this.#readSoon();
    });
    return this.#loading;
  }

  /** Whoever needs it reads again where something has changed meanwhile. */
  async #load(): Promise<void> {
    const isDone = (reader: CatalogReader): boolean => !this.#doubting.has(reader) || !this.#mayBelieve(reader);
    if (this.#readers.every(isDone)) return;
    const asOf = this.#allChanges;
    const cause = { ...this.#cause, names: new Set(this.#cause.names), calls: new Set(this.#cause.calls) };
    // what is not committed yet is looked for once more
    if (this.#unsettled.size === 0) this.#cause = nothingYet();
    try {
      await this.#readOnce(cause);
      this.#failures = 0;
    } catch {
      // not believed until a later poll can read it
      this.#objects.forget();
      for (const reader of this.#doubting) reader.doubt(undefined);
      this.#failures = Math.min(this.#failures + 1, mostFailures);
      this.#pause = 2 ** this.#failures;
      return;
    }
    if (asOf !== this.#allChanges) return;
    for (const reader of this.#readers) {
      if (isDone(reader)) continue;
      this.#doubting.delete(reader);
      reader.believe();
    }
  }

  async #readOnce(cause: Cause): Promise<void> {
    // while definitions follow one another, what others change is not left for later
    const named = performance.now() - this.#lookedAt < this.#pollMs ? this.#objects.namedQuestion(cause) : undefined;
    if (named !== undefined) {
      const [rows = []] = await this.#ask([named], loadTimeoutMs);
      const objects = this.#objects.takeNamed(rows, cause.names);
      if (objects !== undefined) return this.#readSome(objects);
    }
    return this.#readChanged(cause);
  }

  async #readChanged(cause: Pick<Cause, 'unseen' | 'renamed' | 'names'>): Promise<void> {
    this.#lookedAt = performance.now();
    const questions = this.#objects.questions();
    if (questions === undefined) return this.#readAll();
    const present = async (): Promise<readonly Row[]> => (await this.#ask([presentQuestion], loadTimeoutMs))[0] ?? [];
    const objects = await this.#objects.take(await this.#ask(questions, loadTimeoutMs), cause, present);
    if (objects === 'all') return this.#readAll();
    await this.#readSome(objects);
  }

  async #readAll(): Promise<void> {
    const first = this.#objects.wholeQuestions();
    await this.#askReaders(undefined, first, (answers) => this.#objects.takeWhole(answers));
  }

  async #readSome(objects: Objects): Promise<void> {
    await this.#askReaders(objects, [], function* () {});
  }

  async #askReaders(
    objects: Objects | undefined,
    first: readonly Question[],
    takeFirst: (answers: Row[][]) => Steps<void>,
  ): Promise<void> {
    const asked = this.#readers.map((reader) => reader.questions(objects));
    const answers = await this.#ask([...first, ...asked.flat()], loadTimeoutMs);
    await takenIn(takeFirst(answers.splice(0, first.length)));
    for (const [at, reader] of this.#readers.entries()) {
      const steps = reader.take(answers.splice(0, asked[at]?.length ?? 0), objects);
      if (steps) await takenIn(steps);
    }
  }

  /** What was read by its name alone was not all that could have changed meanwhile. What it takes is true, or newer. */
  async #verify(): Promise<void> {
    try {
      await this.#readChanged({ unseen: false, renamed: false, names: new Set() });
    } catch {
      this.#objects.forget();
      this.#doubt();
      await this.#load();
    }
  }

  #tick(): void {
    if (this.#clients.size === 0) return;
    if (this.#pause > 0) this.#pause--;
    else if (this.#loading === undefined) void this.look();
  }

  /** Whether anything has changed by other ways than through this proxy; if so, it is read. */
  look(): Promise<void> {
    return this.#alone(() => this.#look());
  }

  async #look(): Promise<void> {
    const { fingerprint } = this.#objects;
    const asOf = this.#allChanges;
    if (!this.#readers.some((reader) => this.#mayBelieve(reader))) {
      // what is under way says nothing of what others do meanwhile
      if (fingerprint === undefined || (await this.#askFingerprint()) !== fingerprint) await this.#verify();
      return;
    }
    if (this.#doubting.size === 0) {
      if (fingerprint === undefined) return this.#verify();
      const now = await this.#askFingerprint();
      if (asOf !== this.#allChanges || now === fingerprint) return;
      this.#doubt();
    }
    await this.#load();
  }

  async #askFingerprint(): Promise<string | undefined> {
    const asked = this.#ask([{ sql: columnsFingerprint, values: [] }], fingerprintTimeoutMs);
    const [[row] = []] = await asked.catch(() => []);
    return row?.fingerprint ?? undefined;
  }
}

async function takenIn(steps: Steps<void>): Promise<void> {
  if (!finishedWithin(steps, turnMs)) await inTurns(steps, turnMs);
}

function nothingYet(): Cause & { readonly names: Set<string>; readonly calls: Set<string> } {
  return { unseen: false, renamed: false, exact: true, names: new Set(), calls: new Set() };
}

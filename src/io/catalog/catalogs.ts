/** Catalogs of a session: one keeper for each database that a client uses, with what the analyser and the masks read of it. */
import type { ClientCatalog } from '../../proxy/session-state/client-catalog.js';
import type { ClientMasks } from '../../proxy/session-state/result-masks.js';
import type { Analyser } from '../../sql/facts.js';
import type { Grammar } from '../../sql/grammar/grammar.js';
import type { ControlConnection, Row } from './control-connection.js';
import { FunctionCatalog } from './function-catalog.js';
import { CatalogKeeper, type KeeperOptions } from './keeper.js';
import { type MaskColumns, type MaskedDatabase, type Masking, maskColumns } from './masked-database.js';

export interface ClientOfDatabase {
  readonly catalog: ClientCatalog;
  /** Undefined where nothing is masked. */
  readonly masks: ClientMasks | undefined;
  /** Undefined where the server did not say. */
  readonly began: Beginning | undefined;
}

/** Who a session of this login in this database is when it begins: ALTER ROLE ... SET role gives it another role. */
export interface Beginning {
  readonly login: string;
  readonly role: string;
}

export interface CatalogsOptions extends KeeperOptions {
  readonly grammar: Grammar;
  readonly controlOf: (database: string) => Control;
  /** Undefined where nothing can be masked. */
  readonly masking: Masking | undefined;
}

type Control = Pick<ControlConnection, 'ask' | 'askAll'>;

/** A tag that somebody adds holds for connections that begin this much later, where nothing was masked before. */
const untaggedMs = 5_000;
const whoMs = 2_000;

export class Catalogs {
  readonly #options: CatalogsOptions;
  readonly #byDatabase = new Map<string, Promise<DatabaseCatalog>>();

  constructor(options: CatalogsOptions) {
    this.#options = options;
  }

  /**
   * @param startup what the client asked for when it connected
   * @param masking where sessions of several people share the catalogs: this one's
   */
  async client(
    database: string,
    startup: ReadonlyMap<string, string>,
    masking: Masking | undefined = this.#options.masking,
  ): Promise<ClientOfDatabase> {
    const known = await this.#of(database);
    const masks = await known.masks(masking);
    return { catalog: clientOf(known), masks: masks?.client(startup), began: known.began };
  }

  /** Before there is a client: its first statement then waits for what has changed since, and not for all of it. */
  async readAhead(database: string): Promise<void> {
    const { keeper } = await this.#of(database);
    await keeper.open();
  }

  #of(database: string): Promise<DatabaseCatalog> {
    let catalog = this.#byDatabase.get(database);
    if (!catalog) {
      catalog = openDatabase(this.#options.controlOf(database), this.#options);
      this.#byDatabase.set(database, catalog);
    }
    return catalog;
  }

  /** Waits for none that is still being read. */
  stop(): void {
    for (const catalog of this.#byDatabase.values()) void catalog.then(({ keeper }) => keeper.stop());
  }
}

interface DatabaseCatalog {
  readonly keeper: CatalogKeeper;
  readonly functions: FunctionCatalog;
  readonly began: Beginning | undefined;
  /** Once something is to be masked, it is until the end. */
  masks(masking: Masking | undefined): Promise<MaskedDatabase | undefined>;
}

async function openDatabase(
  control: Control,
  { grammar, masking, pollMs }: Omit<CatalogsOptions, 'controlOf'>,
): Promise<DatabaseCatalog> {
  const functions = await FunctionCatalog.create(grammar);
  const keeper = new CatalogKeeper(
    (questions, timeoutMs) => control.askAll(questions, timeoutMs),
    [functions],
    pollMs === undefined ? {} : { pollMs },
  );
  const ask = (sql: string, timeoutMs: number): Promise<Row[]> => control.ask(sql, [], timeoutMs);
  let columns: Promise<MaskColumns> | undefined;
  const readColumns = async (): Promise<MaskColumns> => {
    const read = await maskColumns(ask);
    keeper.add(read.catalog);
    return read;
  };
  const openMasks = async (of: Masking | undefined): Promise<MaskedDatabase | undefined> => {
    if (of === undefined || !(await of.isNeeded(ask))) return undefined;
    columns ??= readColumns();
    return of.open(await columns);
  };
  const opened = new WeakMap<Masking, { asked: number; masks: Promise<MaskedDatabase | undefined> }>();
  /** Whether that brought a reader for which nothing was read yet. */
  const masksOf = async (of: Masking): Promise<{ masks: MaskedDatabase | undefined; fresh: boolean }> => {
    const before = columns;
    const now = performance.now();
    let known = opened.get(of);
    if (known === undefined || ((await known.masks) === undefined && now - known.asked > untaggedMs)) {
      known = { asked: now, masks: openMasks(of) };
      opened.set(of, known);
    }
    return { masks: await known.masks, fresh: before !== columns };
  };
  if (masking) await masksOf(masking);
  const [who] = await ask('SELECT session_user AS login, current_user AS role', whoMs).catch(() => []);
  // whoever connects meanwhile waits with his first statement, not with his connection
  void keeper.open();
  return {
    keeper,
    functions,
    began: who?.login && who.role ? { login: who.login, role: who.role } : undefined,
    async masks(of) {
      if (of === undefined) return undefined;
      const { masks, fresh } = await masksOf(of);
      if (fresh) await keeper.open();
      return masks;
    },
  };
}

function clientOf({ keeper, functions }: DatabaseCatalog): ClientCatalog {
  const client = keeper.client();
  return {
    analyser: functions.analyser,
    get unread() {
      return client.unread;
    },
    get behind() {
      return client.behind;
    },
    get changesOfOthers() {
      return client.changesOfOthers;
    },
    doubts: (name) => functions.relations.doubts(name),
    get doubtsKeys() {
      return functions.relations.doubtsKeys;
    },
    get doubtsSettings() {
      return functions.relations.doubtsSettings;
    },
    ready: client.ready,
    onlyTemporary: (name) => keeper.believes(functions) && !functions.relations.isPermanent(name),
    changing: client.changing,
    changed: client.changed,
    settled: client.settled,
    opened: client.opened,
    closed: client.closed,
  };
}

/** Read once. Undefined where it could not be read. */
export async function readAnalyser(control: ControlConnection, grammar: Grammar): Promise<Analyser | undefined> {
  const { keeper, functions } = await openDatabase(control, { grammar, masking: undefined });
  await keeper.open();
  keeper.stop();
  return keeper.believes(functions) ? functions.analyser : undefined;
}

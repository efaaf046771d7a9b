/** Masks of a session: one catalog for each database that a client uses, kept in step with it. */
import { randomBytes } from 'node:crypto';
import type { ControlConnection } from '../io/control-connection.js';
import { MaskCatalog } from '../io/mask-catalog.js';
import type { MaskDeclaration } from '../policy/read-mask.js';
import type { ClientMasks } from '../proxy/result-masks.js';

export interface Masking {
  /** Undefined where nothing is declared masked. */
  session(database: string): Promise<ClientMasks | undefined>;
  stop(): void;
}

/** DDL that did not come through this proxy is noticed this late, milliseconds. */
const refreshMs = 60_000;

export async function startMasking(
  declarations: readonly MaskDeclaration[],
  controlOf: (database: string) => ControlConnection,
): Promise<Masking> {
  if (declarations.length === 0) return { session: async () => undefined, stop: () => {} };
  const [{ Masker }, { loadGrammar }] = await Promise.all([
    import('../masking/masker.js'),
    import('../sql/grammar.js'),
  ]);
  const grammar = await loadGrammar();
  const key = randomBytes(32);
  const databases = new Map<string, ReturnType<typeof openDatabase>>();
  const timers: NodeJS.Timeout[] = [];

  const openDatabase = async (database: string) => {
    const control = controlOf(database);
    const catalog = new MaskCatalog((sql, values, timeoutMs) => control.ask(sql, values, timeoutMs));
    /** Clients with changes that are not committed: they see another catalog than the one that can be read. */
    const changing = new Set<symbol>();
    const refresh = async (): Promise<void> => {
      if (changing.size > 0) return;
      // a catalog that could not be read is not current: results are then hidden, not shown
      await catalog.refresh().catch(() => {});
    };
    await refresh();
    timers.push(setInterval(refresh, refreshMs).unref());
    const [row] = await control.ask('SELECT current_schemas(true)::text[] AS path', [], 5000).catch(() => []);
    return {
      catalog,
      changing,
      refresh,
      defaultPath: parseTextArray(row?.path),
      masker: new Masker(declarations, grammar, catalog, key),
    };
  };

  return {
    async session(database) {
      let known = databases.get(database);
      if (!known) {
        known = openDatabase(database);
        databases.set(database, known);
      }
      const { catalog, changing, refresh, defaultPath, masker } = await known;
      const client = Symbol();
      return {
        plans: masker.session(),
        defaultPath,
        changing: () => {
          changing.add(client);
          catalog.invalidate();
        },
        settled: () => {
          changing.delete(client);
          if (!catalog.current) void refresh();
        },
      };
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** `{public,"my schema"}`; schema names hold no NULL. */
function parseTextArray(text: string | null | undefined): string[] {
  const items = (text ?? '{}').slice(1, -1).match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
  return items.map((item) => (item.startsWith('"') ? item.slice(1, -1).replace(/\\(.)/g, '$1') : item));
}

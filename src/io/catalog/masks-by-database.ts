/** Masks of a session: one catalog for each database that a client uses. */
import { randomBytes } from 'node:crypto';
import type { MaskDeclaration } from '../../policy/read-mask.js';
import type { ClientMasks } from '../../proxy/session-state/result-masks.js';
import type { ControlConnection } from './control-connection.js';
import type { MaskedDatabase } from './mask-catalog-keeper.js';

export interface Masking {
  /** Undefined where nothing is declared masked. */
  session(database: string, startup: ReadonlyMap<string, string>): Promise<ClientMasks | undefined>;
  stop(): Promise<void>;
}

export async function startMasking(
  declarations: readonly MaskDeclaration[],
  controlOf: (database: string) => ControlConnection,
): Promise<Masking> {
  if (declarations.length === 0) return { session: async () => undefined, stop: async () => {} };
  const [{ Masker }, { loadGrammar }, { MaskedDatabase }] = await Promise.all([
    import('../../masking/masker.js'),
    import('../../sql/grammar/grammar.js'),
    import('./mask-catalog-keeper.js'),
  ]);
  const grammar = await loadGrammar();
  const key = randomBytes(32);
  const databases = new Map<string, Promise<MaskedDatabase>>();
  const open = (name: string): Promise<MaskedDatabase> => {
    const control = controlOf(name);
    return MaskedDatabase.open(
      (sql, values, timeoutMs) => control.ask(sql, values, timeoutMs),
      (catalog) => new Masker(declarations, grammar, catalog, key),
    );
  };
  return {
    async session(name, startup) {
      const database = databases.get(name) ?? open(name);
      databases.set(name, database);
      return (await database).client(startup);
    },
    async stop() {
      for (const database of databases.values()) (await database).stop();
    },
  };
}

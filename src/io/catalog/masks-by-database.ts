/** Masks of a session: one catalog for each database that a client uses. */
import { randomBytes } from 'node:crypto';
import type { MaskDeclaration } from '../../policy/read-mask.js';
import type { ClientMasks } from '../../proxy/session-state/result-masks.js';
import type { Controls } from './control-connections.js';
import type { MaskedDatabase } from './mask-catalog-keeper.js';

export interface Masking {
  /** Undefined where nothing is declared masked. */
  session(database: string, startup: ReadonlyMap<string, string>): Promise<ClientMasks | undefined>;
  stop(): Promise<void>;
}

export async function startMasking(
  declarations: readonly MaskDeclaration[],
  controls: Pick<Controls, 'of' | 'clients'>,
  organisationKey?: Buffer,
): Promise<Masking> {
  if (declarations.length === 0) return { session: async () => undefined, stop: async () => {} };
  const [{ Masker }, { loadGrammar }, { MaskedDatabase }] = await Promise.all([
    import('../../masking/masker.js'),
    import('../../sql/grammar/grammar.js'),
    import('./mask-catalog-keeper.js'),
  ]);
  const grammar = await loadGrammar();
  const keys = { session: randomBytes(32), organisation: organisationKey };
  const databases = new Map<string, Promise<MaskedDatabase>>();
  const open = (name: string): Promise<MaskedDatabase> => {
    const control = controls.of(name);
    return MaskedDatabase.open(
      (sql, values, timeoutMs) => control.ask(sql, values, timeoutMs),
      (catalog) => new Masker(declarations, grammar, catalog, keys),
      { inUse: () => controls.clients(name) > 0 },
    );
  };
  return {
    async session(name, startup) {
      const known = databases.get(name);
      const opening = known ?? open(name);
      databases.set(name, opening);
      const database = await opening;
      if (known && controls.clients(name) === 1) await database.revisit();
      return database.client(startup);
    },
    async stop() {
      for (const database of databases.values()) (await database).stop();
    },
  };
}

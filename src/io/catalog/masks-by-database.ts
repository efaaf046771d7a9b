/** Masks of a session: one catalog for each database that a client uses. */
import { randomBytes } from 'node:crypto';
import type { CombinedConfig } from '../../policy/combine.js';
import { type Audience, holdsFor } from '../../policy/mask-audience.js';
import type { ClientMasks } from '../../proxy/session-state/result-masks.js';
import type { Controls } from './control-connections.js';
import type { MaskedDatabase } from './mask-catalog-keeper.js';

export interface Masking {
  /** Undefined where nothing is declared masked. */
  session(database: string, startup: ReadonlyMap<string, string>): Promise<ClientMasks | undefined>;
  stop(): Promise<void>;
}

export interface MaskingOptions {
  readonly config: Pick<CombinedConfig, 'mask' | 'maskKey' | 'unmask'>;
  readonly audience: Audience;
  readonly controls: Pick<Controls, 'of' | 'clients'>;
  /** Milliseconds that never go back. */
  readonly now?: () => number;
}

export async function startMasking({
  config,
  audience,
  controls,
  now = () => performance.now(),
}: MaskingOptions): Promise<Masking> {
  const declarations = config.mask.filter((one) => holdsFor(one, audience));
  if (declarations.length === 0) return { session: async () => undefined, stop: async () => {} };
  const [{ Exemptions }, { Masker }, { loadGrammar }, { MaskedDatabase }] = await Promise.all([
    import('../../masking/exemptions.js'),
    import('../../masking/masker.js'),
    import('../../sql/grammar/grammar.js'),
    import('./mask-catalog-keeper.js'),
  ]);
  const grammar = await loadGrammar();
  const keys = { session: randomBytes(32), organisation: config.maskKey };
  const databases = new Map<string, Promise<MaskedDatabase>>();
  const open = (name: string): Promise<MaskedDatabase> => {
    const control = controls.of(name);
    const exemptions = new Exemptions({
      rules: config.unmask,
      declarations,
      audience,
      now,
    });
    return MaskedDatabase.open(
      (sql, values, timeoutMs) => control.ask(sql, values, timeoutMs),
      (catalog) => new Masker(declarations, grammar, catalog, keys, exemptions),
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

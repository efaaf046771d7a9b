/** Masks of a session: one catalog for each database that a client uses. */
import { randomBytes } from 'node:crypto';
import type { CombinedConfig } from '../../policy/combine.js';
import { type Audience, holdsFor } from '../../policy/mask-audience.js';
import type { ClientMasks } from '../../proxy/session-state/result-masks.js';
import type { Controls } from './control-connections.js';
import { anyTag } from './mask-catalog.js';
import type { MaskedDatabase } from './mask-catalog-keeper.js';

/** A tag that somebody adds holds for connections that begin this much later, where nothing was masked before. */
const untaggedMs = 5_000;
const patienceMs = 5_000;

export interface Masking {
  /** Undefined where nothing is masked. */
  session(database: string, startup: ReadonlyMap<string, string>): Promise<ClientMasks | undefined>;
  stop(): Promise<void>;
}

export interface MaskingOptions {
  readonly config: Pick<CombinedConfig, 'mask' | 'maskKey' | 'unmask' | 'detectors'>;
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
  const keys = { session: randomBytes(32), organisation: config.maskKey };
  const databases = new Map<string, Promise<MaskedDatabase>>();
  const untagged = new Map<string, number>();
  /** Nothing is declared, and nothing in the database says that anything is to be masked. What cannot be asked may be. */
  const masksNothing = async (name: string): Promise<boolean> => {
    if (declarations.length > 0 || config.detectors !== undefined || databases.has(name)) return false;
    if ((untagged.get(name) ?? Number.NEGATIVE_INFINITY) > now() - untaggedMs) return true;
    const rows = await controls
      .of(name)
      .ask(anyTag, [], patienceMs)
      .catch(() => []);
    if (rows[0]?.tagged !== 'f') return false;
    untagged.set(name, now());
    return true;
  };
  const open = async (name: string): Promise<MaskedDatabase> => {
    const [{ Exemptions }, { Masker }, { loadGrammar }, { MaskedDatabase }] = await Promise.all([
      import('../../masking/exemptions.js'),
      import('../../masking/masker.js'),
      import('../../sql/grammar/grammar.js'),
      import('./mask-catalog-keeper.js'),
    ]);
    const grammar = await loadGrammar();
    const control = controls.of(name);
    const exemptions = new Exemptions({
      rules: config.unmask,
      declarations,
      audience,
      now,
    });
    return MaskedDatabase.open(
      (sql, values, timeoutMs) => control.ask(sql, values, timeoutMs),
      (catalog) => new Masker(declarations, grammar, catalog, keys, exemptions, config.detectors),
      { inUse: () => controls.clients(name) > 0 },
    );
  };
  return {
    async session(name, startup) {
      if (await masksNothing(name)) return undefined;
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

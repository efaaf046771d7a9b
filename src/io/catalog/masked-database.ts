/**
 * The masks of one database: its catalog as lineage reads it, and who applies what is declared to it.
 *
 * What lives here: one masker for all clients of a session in a database. What it must not know: when the catalog is read.
 */
import { randomBytes } from 'node:crypto';
import type { SessionMasks } from '../../masking/session-masks.js';
import type { CombinedConfig } from '../../policy/combine.js';
import { type Audience, holdsFor } from '../../policy/mask-audience.js';
import type { ClientMasks } from '../../proxy/session-state/result-masks.js';
import type { SearchPath } from '../../sql/lineage/catalog.js';
import { pathSettings } from '../../sql/lineage/names.js';
import type { Row } from './control-connection.js';
import type { MaskCatalog } from './mask-catalog.js';
import { anyTag } from './mask-questions.js';

export interface MaskingOptions {
  readonly config: Pick<CombinedConfig, 'mask' | 'maskKey' | 'unmask' | 'detectors'>;
  readonly audience: Audience;
  /** Milliseconds that never go back. */
  readonly now?: () => number;
}

/** Asks under the search_path of the login. */
export type AskDatabase = (sql: string, timeoutMs: number) => Promise<Row[]>;

/** What is masked in a session, whatever the database. */
export interface Masking {
  /** False where nothing is declared, and nothing in the database says that anything is to be masked. */
  isNeeded(ask: AskDatabase): Promise<boolean>;
  open(columns: MaskColumns): Promise<MaskedDatabase>;
}

/** A database as masks see it; the same whoever's masks they are. */
export interface MaskColumns {
  readonly catalog: MaskCatalog;
  readonly defaultPath: SearchPath;
}

export interface MaskedDatabase {
  /** @param startup what the client asked for when it connected */
  client(startup: ReadonlyMap<string, string>): ClientMasks;
}

const patienceMs = 5_000;

export function masking({ config, audience, now = () => performance.now() }: MaskingOptions): Masking {
  const declarations = config.mask.filter((one) => holdsFor(one, audience));
  const keys = { session: randomBytes(32), organisation: config.maskKey };
  return {
    async isNeeded(ask) {
      if (declarations.length > 0 || config.detectors !== undefined) return true;
      // what cannot be asked may be tagged
      const [row] = await ask(anyTag, patienceMs).catch(() => []);
      return row?.tagged !== 'f';
    },
    async open({ catalog, defaultPath }) {
      const [{ Exemptions }, { Masker }, { SessionMasks }, { loadGrammar }] = await Promise.all([
        import('../../masking/exemptions.js'),
        import('../../masking/masker.js'),
        import('../../masking/session-masks.js'),
        import('../../sql/grammar/grammar.js'),
      ]);
      const grammar = await loadGrammar();
      const exemptions = new Exemptions({ rules: config.unmask, declarations, audience, now });
      const masker = new Masker(declarations, grammar, catalog, keys, exemptions, config.detectors);
      return maskedDatabase(() => new SessionMasks(masker), defaultPath);
    },
  };
}

export async function maskColumns(ask: AskDatabase): Promise<MaskColumns> {
  const { MaskCatalog } = await import('./mask-catalog.js');
  const [row] = await ask(pathQuestion, patienceMs).catch(() => []);
  return { catalog: new MaskCatalog(), defaultPath: row && searchedSchemas(row) };
}

function maskedDatabase(session: () => SessionMasks, defaultPath: SearchPath): MaskedDatabase {
  return {
    client: (startup) => ({
      plans: session(),
      defaultPath: mayNamePath(startup) ? undefined : defaultPath,
    }),
  };
}

/** What stands in `options` is not taken apart. */
function mayNamePath(startup: ReadonlyMap<string, string>): boolean {
  return [...startup.keys()].some((name) => name === 'options' || pathSettings.has(name.toLowerCase()));
}

const pathQuestion = `SELECT current_schemas(true)::text[] AS path, current_user AS login, current_setting('search_path') AS setting,
  (SELECT array_agg(nspname)::text[] FROM pg_namespace) AS schemas`;

/** In the order in which they are searched; also those that nobody has made yet, for they come first once somebody has. */
function searchedSchemas({ path, login, setting, schemas }: Row): SearchPath {
  if (path == null || login == null || setting == null || schemas == null) return undefined;
  const searched = parseTextArray(path);
  const there = new Set(parseTextArray(schemas));
  const named = (setting.match(/"(?:[^"]|"")*"|[^\s,]+/g) ?? []).map((name) => {
    const plain = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
    return plain === '$user' ? login : plain;
  });
  const implied = searched.filter((schema) => !named.includes(schema));
  return [...implied, ...named.filter((schema) => searched.includes(schema) || !there.has(schema))];
}

/** `{public,"my schema"}`; schema names hold no NULL. */
function parseTextArray(text: string): string[] {
  const items = text.slice(1, -1).match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
  return items.map((item) => (item.startsWith('"') ? item.slice(1, -1).replace(/\\(.)/g, '$1') : item));
}

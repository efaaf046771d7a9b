/** What is known of the databases: functions, relations and masks, read over dbguard's own connections. */
import { Catalogs, type ClientOfDatabase } from '../../io/catalog/catalogs.js';
import { Controls } from '../../io/catalog/control-connections.js';
import { type Masking, masking } from '../../io/catalog/masked-database.js';
import { sessionsBeside, sessionsCounted } from '../../io/catalog/other-sessions.js';
import { createAnalyser } from '../../sql/analyser.js';
import type { Analyser } from '../../sql/facts.js';
import { loadGrammar } from '../../sql/grammar/grammar.js';
import type { Closers } from './closers.js';
import type { CloseOptions } from './contract.js';
import type { OpenEvidence } from './open-evidence.js';
import type { OpenIdentity } from './open-identity.js';
import type { Setup } from './setup.js';

export interface OpenCatalogs {
  readonly controls: Controls;
  /** See Catalogs. */
  client(database: string, startup: ReadonlyMap<string, string>, masks?: Masking): Promise<ClientOfDatabase>;
  /** For startup parameters, before it is known which database they are for. */
  readonly startupAnalyser: Analyser;
  /** How often somebody was connected to the database beside dbguard; see other-sessions.ts. */
  beside(ours: { readonly opened: number; readonly open: number }): Promise<number>;
  /** Bytes of the largest message that is read. */
  readonly maxMessage: number;
}

const defaultMaxMessage = 64 << 20;

export async function openCatalogs(
  setup: Setup,
  identity: Pick<OpenIdentity, 'upstream' | 'credential' | 'subject' | 'groups'>,
  { own }: Pick<OpenEvidence, 'own'>,
  closers: Closers<CloseOptions>,
): Promise<OpenCatalogs> {
  const { files } = setup;
  const { upstream, credential } = identity;
  const maxMessage = files.limits.statementBytes ?? defaultMaxMessage;
  const controls = new Controls(upstream, credential.sid, own);
  closers.defer(() => controls.close());
  const grammar = await loadGrammar({ maxBytes: maxMessage });
  const startupAnalyser = await createAnalyser({ grammar });
  const masked = masksFor(setup, identity);
  const catalogs = new Catalogs({ grammar, controlOf: (database) => controls.of(database), masking: masked });
  closers.defer(() => catalogs.stop());
  // while the child starts: a large catalog takes a second
  const { database } = upstream;
  let before: number | undefined;
  const beginning = async (): Promise<void> => {
    before = await sessionsCounted(controls.of(database));
    await catalogs.readAhead(database);
  };
  controls.during(database, beginning).catch(() => {});
  const beside: OpenCatalogs['beside'] = async (ours) => {
    let seen = 0;
    await controls.during(database, async () => {
      seen = await sessionsBeside(controls.of(database), before, ours);
    });
    return seen;
  };
  const client: OpenCatalogs['client'] = (of, startup, masks) => catalogs.client(of, startup, masks);
  return { beside, controls, client, startupAnalyser, maxMessage };
}

export function masksFor(
  { files, name, options }: Pick<Setup, 'files' | 'name' | 'options'>,
  { subject, groups }: Pick<OpenIdentity, 'subject' | 'groups'>,
): Masking {
  const environments = files.environmentsOf(name);
  const audience = { subject, groups, environments, connection: name, agent: options.agent };
  return masking({ config: files.config, audience });
}

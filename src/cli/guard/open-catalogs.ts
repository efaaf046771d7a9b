/** What is known of the databases: functions, relations and masks, read over dbguard's own connections. */

import { groupsOf } from '../../identity/subject.js';
import { isLocal } from '../../identity/subject-name.js';
import { Catalogs } from '../../io/catalog/catalogs.js';
import { Controls } from '../../io/catalog/control-connections.js';
import { masking } from '../../io/catalog/masked-database.js';
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
  readonly catalogs: Catalogs;
  /** For startup parameters, before it is known which database they are for. */
  readonly startupAnalyser: Analyser;
  /** How often somebody was connected to the database beside dbguard; see other-sessions.ts. */
  beside(ours: { readonly opened: number; readonly open: number }): Promise<number>;
  /** Bytes of the largest message that is read. */
  readonly maxMessage: number;
}

const defaultMaxMessage = 64 << 20;

export async function openCatalogs(
  { files, name, options }: Setup,
  { upstream, credential, login, subject }: OpenIdentity,
  { own }: OpenEvidence,
  closers: Closers<CloseOptions>,
): Promise<OpenCatalogs> {
  const maxMessage = files.limits.statementBytes ?? defaultMaxMessage;
  const controls = new Controls(upstream, credential.sid, own);
  closers.defer(() => controls.close());
  const grammar = await loadGrammar({ maxBytes: maxMessage });
  const startupAnalyser = await createAnalyser({ grammar });
  const masked = masking({
    config: files.config,
    audience: {
      subject,
      groups: isLocal(login.subject) ? undefined : groupsOf(login.idToken),
      environments: files.environmentsOf(name),
      connection: name,
      agent: options.agent,
    },
  });
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
  return { beside, controls, catalogs, startupAnalyser, maxMessage };
}

/** A run whose policy names approvers: what needs a second person goes to them through the bucket. */
import type { ApprovalsClock } from '../../approval/approvals.js';
import { SecondPersonAsker } from '../../approval/second-person/asker.js';
import { thumbprint } from '../../identity/binding.js';
import { evidenceOf, sessionId, sessionSigner } from '../../identity/session.js';
import type { Asker } from '../../proxy/statement/asker.js';
import { evidenceJudge } from '../../review/approval-checks.js';
import { readersDemands } from '../settings/identity-settings.js';
import { liveKeys } from '../transcripts/source.js';
import type { Closers } from './closers.js';
import type { CloseOptions } from './contract.js';
import type { OpenEvidence } from './open-evidence.js';
import type { OpenIdentity } from './open-identity.js';
import type { Setup } from './setup.js';
import { openWebhooks } from './webhooks.js';

export function withSecondPerson(
  { context, options, policy, identity, files, upstream }: Setup,
  { credential }: OpenIdentity,
  { bucket, recorder }: OpenEvidence,
  closers: Closers<CloseOptions>,
): Asker {
  const config = policy.secondPerson;
  if (config === undefined) return options.asker;
  if (identity === undefined) return localAsker(options.asker);
  const webhooks = openWebhooks(config.webhooks, context.env, options.onTrouble);
  closers.defer(() => webhooks.close());
  const demands = readersDemands(files.config, context.env, {});
  return new SecondPersonAsker({
    local: options.asker,
    ...{ bucket, recorder, config },
    evidence: evidenceOf(credential),
    sid: credential.sid,
    target: upstream.hosts.map(({ host, hostaddr = '', port }) => `${host} ${hostaddr} ${port}`).join(),
    signer: { keyid: thumbprint(credential.sessionJwk), ...sessionSigner(credential) },
    judge: evidenceJudge({ keys: liveKeys(identity), demands }),
    clock: systemClock,
    newId: () => sessionId(Date.now()),
    onEvent: (event) => webhooks.tell(event),
    surplusRows: (connection) => policy.surplusRows(connection),
  });
}

/** Nobody is asked in the name of a key that nobody vouches for: whoever approves could not know whom they help. */
function localAsker(own: Asker): Asker {
  return {
    ...(own.recall === undefined ? {} : { recall: (request) => own.recall?.(request) }),
    ask: async (request, signal) =>
      request.ruling.decision === 'second-person'
        ? { decision: 'deny', by: { kind: 'nobody' }, reason: LOCAL_REASON }
        : own.ask(request, signal),
  };
}

const LOCAL_REASON =
  'A second person decides over people whom an identity provider vouches for, and this session is signed by a key of this machine. Log in first (identity in dbguard.yaml, then dbguard login).';

const systemClock: ApprovalsClock = {
  now: () => Date.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** A run whose policy names approvers: what needs a second person goes to them through the bucket. */
import type { ApprovalsClock } from '../../approval/approvals.js';
import { SecondPersonAsker } from '../../approval/second-person/asker.js';
import { thumbprint } from '../../identity/binding.js';
import { evidenceOf, sessionId, sessionSigner } from '../../identity/session.js';
import type { Asker } from '../../proxy/statement/asker.js';
import { evidenceJudge } from '../../review/approval-checks.js';
import { readersDemands } from '../settings/identity-settings.js';
import { liveKeys } from '../transcripts/source.js';
import type { OpenEvidence } from './open-evidence.js';
import type { OpenIdentity } from './open-identity.js';
import type { Setup } from './setup.js';

export function withSecondPerson(
  { context, options, policy, identity, files }: Setup,
  { credential }: OpenIdentity,
  { bucket, recorder }: OpenEvidence,
): Asker {
  const config = policy.secondPerson;
  if (config === undefined) return options.asker;
  const demands = readersDemands(files.config, context.env, {});
  return new SecondPersonAsker({
    local: options.asker,
    ...{ bucket, recorder, config },
    evidence: evidenceOf(credential),
    sid: credential.sid,
    signer: { keyid: thumbprint(credential.sessionJwk), ...sessionSigner(credential) },
    judge: evidenceJudge({ keys: liveKeys(identity), demands }),
    clock: systemClock,
    newId: () => sessionId(Date.now()),
    surplusRows: (connection) => policy.surplusRows(connection),
  });
}

const systemClock: ApprovalsClock = {
  now: () => Date.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

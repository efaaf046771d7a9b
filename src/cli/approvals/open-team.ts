/** The team's requests, as the person at this terminal may see and answer them: their login, their bucket, no run around them. */
import { Team, type TeamRequest } from '../../approval/second-person/team.js';
import { DbguardError } from '../../errors.js';
import { thumbprint } from '../../identity/binding.js';
import { loadLogin } from '../../identity/login-source.js';
import { createSession, evidenceOf, sessionSigner } from '../../identity/session.js';
import { enclosingRun } from '../../io/approvals/process-tree.js';
import { loadConfigs } from '../../io/files/config-files.js';
import { openLoginSource } from '../../io/login/oidc-login-source.js';
import { durationWords } from '../../policy/units.js';
import { evidenceJudge } from '../../review/approval-checks.js';
import { createAnalyser } from '../../sql/analyser.js';
import type { CommandContext } from '../command.js';
import { identitySettings, readersDemands } from '../settings/identity-settings.js';
import { liveKeys, openTranscripts } from '../transcripts/source.js';
import { ownView } from './own-view.js';

/** A key for one sitting. */
const SITTING_MS = 24 * 3_600_000;

/** Throws `denied` inside of a run, `login-required`, `config-missing`. */
export async function openTeam(context: CommandContext): Promise<Team> {
  const { env } = context;
  const run = enclosingRun(env);
  if (run !== undefined) {
    throw new DbguardError('denied', `an approval is for a person: this is inside of a dbguard run (${run})`, {
      hint: 'Run this in a terminal of your own, outside the agent.',
    });
  }
  const settings = await identitySettings(context, {});
  const { bucket, config } = await openTranscripts(context, {}, 'write');
  const login = await loadLogin(openLoginSource(env, settings), settings);
  const credential = createSession(login, { now: Date.now(), lifetimeMs: SITTING_MS });
  const analyser = await createAnalyser();
  return new Team({
    bucket,
    judge: evidenceJudge({ keys: liveKeys(settings), demands: readersDemands(config, env, {}) }),
    evidence: evidenceOf(credential),
    sid: credential.sid,
    signer: { keyid: thumbprint(credential.sessionJwk), ...sessionSigner(credential) },
    factsOf: (sql) => analyser.analyse(sql),
    ownView: ownView(context, loadConfigs({ cwd: context.cwd, env, named: undefined })),
    now: () => Date.now(),
  });
}

/** As `dbguard approvals` prints what waits, each line of it. */
export function requestLines(
  { id, preview, request, approvals, obstacle, answered }: TeamRequest,
  now: number,
): string[] {
  const { expiresAt, demands } = request.claims;
  const so = approvals === 0 ? '' : `, approved by ${approvals} of ${demands.min}`;
  const own = answered
    ? 'you have answered'
    : obstacle === undefined
      ? undefined
      : `you cannot approve it: ${obstacle}`;
  return [
    `${id.slice(-8)}  ${preview.production ? 'PRODUCTION ' : ''}${preview.headline}  (open for ${durationWords(expiresAt - now)}${so})`,
    ...(own === undefined ? [] : [`! ${own}`]),
    ...preview.facts.map(({ label, text }) => `${label}: ${text}`),
    ...preview.warnings.map((warning) => `! ${warning}`),
    ...preview.statement.split('\n').map((line) => `| ${line}`),
    ...preview.values,
    `why: ${preview.why}`,
    ...preview.impact.map(({ label, text }) => (label === '' ? text : `${label}: ${text}`)),
  ];
}

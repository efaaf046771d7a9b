/** One question as an agent would cause it, judged by the policy that is about to be written. Nothing runs. */

import type { Verdict } from '../../approval/approvals.js';
import type { Preview } from '../../approval/preview.js';
import { previewOf } from '../../approval/preview.js';
import { sessionScopeObstacle } from '../../approval/statement-key.js';
import type { PolicySource } from '../../policy/combine.js';
import { compilePolicy } from '../../policy/engine.js';
import type { ApprovalRequest } from '../../proxy/statement/asker.js';
import { createAnalyser } from '../../sql/analyser.js';
import { loadGrammar } from '../../sql/grammar/grammar.js';
import { type Line, ok, warning } from '../doctor/check.js';
import { Judge } from '../judge/judging.js';
import type { InitAnswers } from './template.js';

/** Puts the question to the person. Undefined where nobody answered in time. */
export type PracticeSurface = (question: {
  readonly preview: Preview;
  readonly sessionObstacle: string | undefined;
  readonly timeoutMs: number;
}) => Promise<Verdict | undefined>;

const sql = 'DELETE FROM orders';

export async function practise(
  sources: readonly PolicySource[],
  { name, environment }: InitAnswers,
  surface: PracticeSurface,
): Promise<Line[]> {
  const policy = compilePolicy(sources);
  const judge = new Judge(await createAnalyser({ grammar: await loadGrammar() }), policy, { connection: name });
  const { facts, ruling } = judge.judge(sql);
  if (ruling.decision !== 'ask')
    return [warning(`your policy answers ${sql} by itself: ${ruling.decision}`, `dbguard explain "${sql}"`)];
  const now = Date.now();
  const timeoutMs = policy.approvalTimeoutMs;
  const request: ApprovalRequest = {
    ...{ id: 'practice', sid: '', entry: 0, connectionNumber: 1 },
    ...{ agent: 'practice (nothing runs)', subject: 'you', connection: name, database: name, environment },
    ...{ sql, bindValues: [], facts, ruling, transactionStatus: 'I', impact: { lines: [] } },
    ...{ askedAt: now, expiresAt: now + timeoutMs },
  };
  const verdict = await surface({
    preview: previewOf(request),
    sessionObstacle: sessionScopeObstacle(request),
    timeoutMs,
  });
  return [lineFor(verdict), ok('one like it, of a statement of your own: dbguard explain SQL')];
}

function lineFor(verdict: Verdict | undefined): Line {
  switch (verdict?.decision) {
    case undefined:
      return warning('nobody answered in time: that denies, and the agent is told so');
    case 'allow':
      return ok(
        verdict.scope === 'once'
          ? 'approved: it would run now, and the transcript would say that you approved it'
          : 'approved: it would run now, and again in this session without a question',
      );
    case 'deny':
      return ok(
        verdict.reason === undefined
          ? 'denied: nothing would run, and the agent would be told so'
          : `denied: nothing would run, and the agent would read “${verdict.reason}”`,
      );
    case 'abort':
      return ok('ended: the agent would be stopped, and its session sealed');
  }
}

/** Answers one waiting statement by its id. */

import type { Verdict } from '../../approval/approvals.js';
import { DbguardError } from '../../errors.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import type { CommandContext } from '../command.js';
import { ApprovalLinks } from './links.js';

export async function settleById(context: CommandContext, id: string, verdict: Verdict): Promise<number> {
  const links = new ApprovalLinks(stateDirs(context.env).runtime);
  try {
    await links.refresh(false);
    const statement = links.find(id);
    const result = await links.settle(statement, verdict);
    if (result === 'not-for-session') {
      throw new DbguardError('usage', `this cannot be approved for the session: ${statement.asked.sessionObstacle}`, {
        hint: `Approve it once: dbguard approve ${id}`,
      });
    }
    if (result === 'changed') {
      throw new DbguardError('approval-unknown', `a dry run has just changed what is known about ${id}`, {
        hint: 'Look at it again: dbguard approvals',
      });
    }
    if (result === 'unknown') {
      throw new DbguardError('approval-unknown', `${id} was answered elsewhere a moment ago`, {
        hint: '"dbguard approvals" lists what waits.',
      });
    }
    const { preview } = statement.asked;
    context.stdout.write(`${verdict.decision === 'allow' ? 'approved' : 'denied'}: ${preview.headline}\n`);
    return 0;
  } finally {
    links.close();
  }
}

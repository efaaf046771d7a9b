/** `dbguard deny ID --reason TEXT`: stops one waiting statement; the agent reads the reason. */

import { isTeamId } from '../approvals/ids.js';
import { settleById } from '../approvals/settle.js';
import type { CommandContext } from '../command.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'deny'>,
): Promise<number> {
  const [id = ''] = args;
  const reason = typeof options.reason === 'string' ? options.reason.trim().slice(0, 300) : '';
  if (isTeamId(id)) {
    const { answerTeam } = await import('../approvals/team-list.js');
    return answerTeam(context, id, 'deny', reason === '' ? undefined : reason);
  }
  return settleById(context, id, { decision: 'deny', ...(reason === '' ? {} : { reason }) });
}

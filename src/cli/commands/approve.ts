/** `dbguard approve ID`: lets one waiting statement run. */

import { DbguardError } from '../../errors.js';
import { isTeamId } from '../approvals/ids.js';
import { settleById } from '../approvals/settle.js';
import type { CommandContext } from '../command.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'approve'>,
): Promise<number> {
  const [id = ''] = args;
  if (isTeamId(id)) {
    if (options.session)
      throw new DbguardError('usage', 'a second person approves each statement by itself', {
        hint: `dbguard approve ${id}`,
      });
    const { answerTeam } = await import('../approvals/team-list.js');
    return answerTeam(context, id, 'allow');
  }
  return settleById(context, id, { decision: 'allow', scope: options.session ? 'session' : 'once' });
}

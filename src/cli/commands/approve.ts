/** `dbguard approve ID`: lets one waiting statement run. */

import { settleById } from '../approvals/settle.js';
import type { CommandContext } from '../command.js';
import type { OptionsOf } from '../table.js';

export function run(context: CommandContext, args: readonly string[], options: OptionsOf<'approve'>): Promise<number> {
  return settleById(context, args[0] ?? '', { decision: 'allow', scope: options.session ? 'session' : 'once' });
}

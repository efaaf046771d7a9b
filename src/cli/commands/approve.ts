/** `dbguard approve ID`: lets one waiting statement run. */

import { settleById } from '../approvals/settle.js';
import type { CommandContext, OptionValues } from '../command.js';

export function run(context: CommandContext, args: readonly string[], options: OptionValues): Promise<number> {
  return settleById(context, args[0] ?? '', { decision: 'allow', scope: options.session ? 'session' : 'once' });
}

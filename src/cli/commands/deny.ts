/** `dbguard deny ID --reason TEXT`: stops one waiting statement; the agent reads the reason. */

import { settleById } from '../approvals/settle.js';
import type { CommandContext } from '../command.js';
import type { OptionsOf } from '../table.js';

export function run(context: CommandContext, args: readonly string[], options: OptionsOf<'deny'>): Promise<number> {
  const reason = typeof options.reason === 'string' ? options.reason.trim().slice(0, 300) : '';
  return settleById(context, args[0] ?? '', { decision: 'deny', ...(reason === '' ? {} : { reason }) });
}

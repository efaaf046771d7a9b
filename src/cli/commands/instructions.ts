/** `dbguard instructions`: text for an agent's instruction file. */
import { agentInstructions } from '../../run/instructions.js';
import type { CommandContext } from '../command.js';

export async function run(context: CommandContext): Promise<number> {
  context.stdout.write(agentInstructions);
  return 0;
}

/** `dbguard policy schema`: the JSON schema of dbguard.yaml, for editors that complete it. */
import { configSchema } from '../../policy/schema.js';
import type { CommandContext } from '../command.js';

export async function run(context: CommandContext): Promise<number> {
  context.stdout.write(`${JSON.stringify(configSchema(), undefined, 1)}\n`);
  return 0;
}

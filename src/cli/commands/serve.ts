/** `dbguard serve`: a gateway for many people, in the foreground, until SIGTERM. */
import { onEnding } from '../../io/terminal/signals.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { openGateway } from '../serve/gateway.js';
import type { OptionsOf } from '../table.js';

/** Statements under way when SIGTERM comes, and then the upload; milliseconds. */
const graceMs = 20_000;
const uploadMs = 30_000;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'serve'>,
): Promise<number> {
  const gateway = await openGateway(context, textOption(options, 'config'));
  if (options.json === true) context.stdout.write(`${JSON.stringify({ ...gateway.ports, as: gateway.subject })}\n`);
  await new Promise<void>((resolve) => onEnding(resolve, resolve));
  const left = await gateway.close({ graceMs, signal: AbortSignal.timeout(graceMs + uploadMs) });
  return left === 0 ? 0 : 1;
}

/** `dbguard doctor`: what of this machine and these settings works, each with what mends it. Exit code 1 when something fails. */
import type { CommandContext } from '../command.js';
import { allChecks } from '../doctor/checks/all.js';
import { type Examined, examine, lineOf } from '../doctor/examine.js';
import { asText } from '../doctor/print.js';
import { textOption } from '../options.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'doctor'>,
): Promise<number> {
  const named = textOption(options, 'config');
  let examined = await examine(context, allChecks, named);
  if (options.fix === true && (await mended(context, examined))) examined = await examine(context, allChecks, named);
  const failed = examined.some(({ lines }) => lines.some(({ state }) => state === 'failure'));
  context.stdout.write(options.json === true ? asJson(examined, failed) : asText(context, examined));
  return failed ? 1 : 0;
}

async function mended(context: CommandContext, examined: readonly Examined[]): Promise<boolean> {
  let any = false;
  for (const { mend } of examined.flatMap(({ lines }) => lines)) {
    if (mend === undefined) continue;
    const done = await mend().catch((error: unknown) => lineOf(error).text);
    context.stderr.write(`dbguard: ${done}\n`);
    any = true;
  }
  return any;
}

function asJson(examined: readonly Examined[], failed: boolean): string {
  const checks = examined.flatMap(({ name, lines }) =>
    lines.map(({ state, text, fix }) => ({ check: name, state, text, fix })),
  );
  return `${JSON.stringify({ ok: !failed, checks }, undefined, 2)}\n`;
}

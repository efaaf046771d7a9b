/** One command line, from its words to its exit code: on the streams that it is given. */
import type { CommandContext } from './command.js';
import { helpText } from './help-text.js';
import { modules } from './modules.js';
import { paged } from './print/paged.js';
import { buildProgram, unknownCommand } from './program.js';
import { failureOf } from './report.js';
import type { CommandPath } from './table.js';

/** @param given the words after `dbguard`. Resolves to the exit code; whatever went wrong has been said on stderr. */
export async function runCli(given: readonly string[], context: CommandContext): Promise<number> {
  const { stderr, env } = context;
  let command = '';
  try {
    const args = given.length === 0 ? ['status'] : given;
    const help = args[0] === 'help' ? helpText(args.slice(1), context) : undefined;
    if (help !== undefined) return await printHelp(help, context);
    let code = 0;
    const program = buildProgram(async (path, operands, options) => {
      command = path;
      const { run } = await modules[path as CommandPath]();
      // commander has made the options of this very row
      code = await run(context, operands, options);
    }, context);
    await program.parseAsync(unknownCommand(args) ?? args, { from: 'user' });
    return code;
  } catch (error) {
    const { exitCode, text } = failureOf(error, command, stderr, env);
    if (text !== '') stderr.write(text);
    return exitCode;
  }
}

async function printHelp(help: string, context: CommandContext): Promise<number> {
  await paged(context, async (out) => {
    await out.write(help.trimEnd());
    await out.flush();
    return 0;
  });
  return 0;
}

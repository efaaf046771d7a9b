/** `dbguard status`, and `dbguard` alone: how things stand, and the three commands that matter now. */
import { findProgram } from '../../io/terminal/child-program.js';
import { knownAgents } from '../../run/agents/agents.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { lookAround, type Status } from '../status/look.js';
import { nextSteps } from '../status/next.js';
import { statusText } from '../status/print.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'status'>,
): Promise<number> {
  const status = await lookAround(context, textOption(options, 'config'));
  const steps = nextSteps(status, agentHere(context));
  const text = options.json
    ? `${JSON.stringify({ ...plain(status), next: steps }, undefined, 2)}\n`
    : statusText(context, status, steps);
  context.stdout.write(text);
  return 0;
}

/** Each part as it is, or as its `problem` and `fix`. */
function plain({ inside, ...parts }: Status): Readonly<Record<string, unknown>> {
  const told = Object.entries(parts).map(([name, part]) => [name, 'is' in part ? (part.is ?? null) : part]);
  return { inside: inside ?? null, ...Object.fromEntries(told) };
}

function agentHere({ env, cwd }: CommandContext): string | undefined {
  return knownAgents
    .flatMap(({ programs }) => programs)
    .find((name) => {
      try {
        return env.PATH !== undefined && findProgram(name, env, cwd) !== '';
      } catch {
        return false;
      }
    });
}

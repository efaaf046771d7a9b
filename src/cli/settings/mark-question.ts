/**
 * Asks the person for the words of their prompts. What is typed leaves the screen again: whoever reads the terminal's
 * history later does not find it.
 */
import { markProblem } from '../../approval/prompt-mark.js';
import type { CommandContext } from '../command.js';
import { Questions } from '../print/questions.js';
import { folded } from '../print/text.js';

const why = [
  'An agent can draw something that looks like a prompt of dbguard, but not words that it does not know.',
  'Every prompt will carry yours: one without them is not to be answered. Choose some that are nowhere else.',
];

/** Undefined where the person leaves it empty. */
export async function askForMark({ stdin, stderr, env }: CommandContext): Promise<string | undefined> {
  for (const line of why) stderr.write(`${folded(line, stderr)}\n`);
  const questions = new Questions(stdin, stderr, env);
  try {
    for (;;) {
      const answer = (await questions.ask('Your words: ')) ?? '';
      if (stdin.isTTY && env.TERM !== 'dumb') stderr.write(lineGone);
      if (answer === '') return undefined;
      const problem = markProblem(answer);
      if (problem === undefined) return answer;
      stderr.write(`Not these: ${problem}. Empty leaves it as it is.\n`);
    }
  } finally {
    questions.close();
  }
}

/** Bytes: they are to be obeyed. Up to the line that was typed, and away with it. */
const lineGone = Buffer.from('\u001b[1A\u001b[2K\r');

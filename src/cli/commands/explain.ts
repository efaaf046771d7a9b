/** `dbguard explain`: what a statement does, what the policy decides, and why. With a connection by its live catalog. */
import { createInterface } from 'node:readline';
import { text as readAll } from 'node:stream/consumers';
import { DbguardError, messageOf } from '../../errors.js';
import type { CommandContext } from '../command.js';
import { explanationJson, explanationText } from '../judge/explanation.js';
import { type Judge, withJudge } from '../judge/judging.js';
import { LineWriter } from '../print/line-writer.js';
import { outputStyleFor } from '../print/text.js';
import type { OptionsOf } from '../table.js';

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'explain'>,
): Promise<number> {
  const fromStdin = options.stdin === true;
  if (fromStdin === args.length > 0) {
    throw new DbguardError('usage', 'give the SQL as an argument, or --stdin', {
      hint: 'dbguard explain "DELETE FROM orders"',
    });
  }
  return withJudge(context, options, async (judge) => {
    if (fromStdin && options.json === true) return explainLines(context, judge);
    const sql = fromStdin ? await readAll(context.stdin) : args.join(' ');
    const judged = judge.judge(sql);
    const explained =
      options.json === true
        ? JSON.stringify({ ...explanationJson(judged), policy: judge.policy.name }, undefined, 2)
        : explanationText(sql, judged, judge.policy.name, outputStyleFor(context));
    context.stdout.write(`${explained}\n`);
    return 0;
  });
}

/** `{"id","sql"}` in, one answer out for each line, in order. A line that is not one gets an `error` and exit code 64. */
async function explainLines(context: CommandContext, judge: Judge): Promise<number> {
  const out = new LineWriter(context.stdout);
  let broken = false;
  let number = 0;
  for await (const line of createInterface({ input: context.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (line.trim() === '') continue;
    const answer = explainLine(line, number, judge);
    broken ||= 'error' in answer;
    if (!(await out.write(JSON.stringify(answer)))) return 0;
  }
  await out.flush();
  return broken ? 64 : 0;
}

function explainLine(line: string, number: number, judge: Judge): object {
  let asked: { id?: unknown; sql?: unknown } | null;
  try {
    asked = JSON.parse(line) as typeof asked;
  } catch (error) {
    return { line: number, error: `not JSON: ${messageOf(error)}` };
  }
  if (typeof asked !== 'object' || asked === null || typeof asked.sql !== 'string') {
    return { line: number, error: 'expected {"id": ..., "sql": "..."}' };
  }
  return { id: asked.id ?? number, ...explanationJson(judge.judge(asked.sql)) };
}

/** The lines of `dbguard doctor`, for people. */
import { singleLine } from '../../untrusted-text.js';
import { counted } from '../../words.js';
import type { CommandContext } from '../command.js';
import { drawsSigns } from '../print/printable-output.js';
import { outputStyleFor } from '../print/text.js';
import type { State } from './check.js';
import type { Examined } from './examine.js';

const marks: Readonly<Record<State, readonly ['green' | 'magenta' | 'red', drawn: string, plain: string]>> = {
  ok: ['green', '✓', 'ok'],
  warning: ['magenta', '!', '! '],
  failure: ['red', '✗', 'x '],
};
const LONGEST = 700;
const NAME = 12;

export function asText(context: CommandContext, examined: readonly Examined[]): string {
  const output = outputStyleFor(context);
  const draws = drawsSigns(context.env);
  const lines: string[] = [];
  const counts: Record<State, number> = { ok: 0, warning: 0, failure: 0 };
  for (const { name, lines: found } of examined) {
    for (const [at, { state, text, fix }] of found.entries()) {
      counts[state]++;
      const [style, drawn, plain] = marks[state];
      const mark = output.style(style, draws ? drawn : plain);
      const indent = NAME + (draws ? 5 : 6);
      lines.push(output.fold(`  ${mark} ${(at === 0 ? name : '').padEnd(NAME)} ${singleLine(text, LONGEST)}`, indent));
      if (fix !== undefined && state !== 'ok')
        lines.push(output.fold(`${' '.repeat(indent)}${draws ? '→' : '->'} ${singleLine(fix, LONGEST)}`, indent + 3));
    }
  }
  const said = [
    ...(counts.failure > 0 ? [output.style('red', counted(counts.failure, 'failure'))] : []),
    ...(counts.warning > 0 ? [output.style('magenta', counted(counts.warning, 'warning'))] : []),
  ];
  lines.push(said.length > 0 ? `${said.join(', ')}, ${counts.ok} in order` : `All ${counts.ok} in order`);
  return `${lines.join('\n')}\n`;
}

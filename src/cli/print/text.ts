/** How commands write for people: colours only on a terminal that wants them, lines no longer than it is wide. */
import { stripVTControlCharacters } from 'node:util';
import type { Decision } from '../../policy/decision.js';
import { textWidth } from '../../ui/character-width.js';
import type { CommandContext } from '../command.js';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'magenta';

const codes: Readonly<Record<Style, string>> = {
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  // yellow cannot be read on white
  magenta: '35',
};

export interface OutputStyle {
  readonly width: number;
  style(style: Style, text: string): string;
  decision(decision: Decision): string;
  /** `folded` for this output. */
  fold(text: string, indent: number): string;
}

const decisionStyles: Readonly<Record<Decision, Style>> = {
  allow: 'green',
  ask: 'magenta',
  'second-person': 'magenta',
  deny: 'red',
};

const plainWidth = 100;

/** NO_COLOR (no-color.org) and TERM=dumb are honoured. */
export function wantsColours(env: NodeJS.ProcessEnv): boolean {
  return !env.NO_COLOR && env.TERM !== 'dumb';
}

export function outputStyleFor({ stdout, env }: Pick<CommandContext, 'stdout' | 'env'>): OutputStyle {
  const coloured = stdout.isTTY === true && wantsColours(env);
  const style = (name: Style, text: string): string =>
    coloured && text !== '' ? `\u001b[${codes[name]}m${text}\u001b[0m` : text;
  return {
    width: Math.max(40, stdout.isTTY === true ? (stdout.columns ?? plainWidth) : plainWidth),
    style,
    decision: (decision) => style(decisionStyles[decision], decision),
    fold: (text, indent) => folded(text, stdout, indent),
  };
}

/** Breaks at blanks; each line begins with `indent` blanks. A longer word stands alone. */
export function wrap(text: string, width: number, indent: number): string {
  const room = Math.max(20, width - indent);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((one) => ' '.repeat(indent) + one).join('\n');
}

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** On a terminal no word is cut at its edge; rows after the first are indented. Elsewhere a line stays a line. */
export function folded(text: string, { isTTY, columns }: Output, indent = 2): string {
  if (isTTY !== true || columns === undefined || columns < 30) return text;
  return text
    .split('\n')
    .map((line) => foldedLine(line, columns, indent))
    .join('\n');
}

function foldedLine(line: string, columns: number, indent: number): string {
  if (widthOf(line) <= columns) return line;
  const rows: string[] = [];
  let row = '';
  for (const word of line.split(/(?<=\S) /)) {
    const longer = row === '' ? word : `${row} ${word}`;
    if (row !== '' && widthOf(longer) > columns) {
      rows.push(row);
      row = `${' '.repeat(indent)}${word}`;
    } else row = longer;
  }
  return [...rows, row].join('\n');
}

/** Without the sequences that style it. */
function widthOf(text: string): number {
  return textWidth(stripVTControlCharacters(text));
}

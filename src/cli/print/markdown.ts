/** Markdown of our own chapters, for a terminal: no line wider than it is, tables as lists. Elsewhere it stays as it was written. */
import { textWidth } from '../../ui/character-width.js';
import type { OutputStyle } from './text.js';

const WIDEST = 100;

export function renderMarkdown(markdown: string, { width, style }: Pick<OutputStyle, 'width' | 'style'>): string {
  const room = Math.min(width, WIDEST);
  const lines: string[] = [];
  let paragraph = '';
  let header: readonly string[] | undefined;
  let code = false;
  const flush = (): void => {
    if (paragraph !== '') lines.push(...filledLines(paragraph, room, hanging(paragraph)));
    paragraph = '';
  };
  for (const line of markdown.split('\n')) {
    if (/^\s*```/.test(line)) {
      flush();
      code = !code;
    } else if (code) lines.push(...cutLines(`    ${line}`, room));
    else if (/^\|[\s:|-]+\|$/.test(line)) continue;
    else if (line.startsWith('|')) {
      flush();
      const cells = cellsOf(line);
      if (header === undefined) header = cells;
      else lines.push(...rowLines(header, cells, room, style));
    } else {
      header = undefined;
      if (/^#+ /.test(line)) {
        flush();
        lines.push(...filledLines(line.replace(/^#+ /, ''), room, '').map((one) => style('bold', one)));
      } else if (line.trim() === '') {
        flush();
        lines.push('');
      } else if (/^\s*(?:[-*]|\d+\.) /.test(line)) {
        flush();
        paragraph = plain(line);
      } else paragraph = paragraph === '' ? plain(line) : `${paragraph} ${plain(line).trim()}`;
    }
  }
  flush();
  return `${lines.join('\n').trimEnd()}\n`;
}

/** The first cell, and below it the others, each with the name of its column where it has one. */
function rowLines(
  header: readonly string[],
  cells: readonly string[],
  room: number,
  style: OutputStyle['style'],
): string[] {
  const [name = '', ...others] = cells;
  const told = others.flatMap((cell, at) => {
    if (cell === '') return [];
    const column = header[at + 1] ?? '';
    return filledLines(`    ${others.length > 1 && column !== '' ? `${column}: ` : ''}${cell}`, room, '      ');
  });
  return [...filledLines(`  ${name}`, room, '    ').map((one) => style('bold', one)), ...told];
}

function cellsOf(line: string): string[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => plain(cell.replaceAll('\\|', '|')).trim());
}

function plain(text: string): string {
  return text.replace(/\*\*([^*]+)\*\*/g, '$1').replaceAll('`', '');
}

function hanging(text: string): string {
  return ' '.repeat(/^\s*(?:(?:[-*]|\d+\.) )?/.exec(text)?.[0].length ?? 0);
}

/** Filled anew; a word that is longer than the line is cut. */
function filledLines(text: string, room: number, indent: string): string[] {
  const lines: string[] = [];
  let row = /^\s*/.exec(text)?.[0] ?? '';
  let empty = true;
  for (const word of text.trim().split(/\s+/)) {
    if (!empty && textWidth(row) + 1 + textWidth(word) > room) {
      lines.push(row);
      row = indent;
      empty = true;
    }
    row = empty ? row + word : `${row} ${word}`;
    empty = false;
  }
  return [...lines, row].flatMap((line) => cutLines(line, room));
}

function cutLines(line: string, room: number): string[] {
  const rows: string[] = [];
  let row = '';
  for (const character of line) {
    if (textWidth(row + character) > room) {
      rows.push(row);
      row = '';
    }
    row += character;
  }
  return [...rows, row];
}

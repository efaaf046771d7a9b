/** Draws an emulator's visible screen on a real terminal, row by row at absolute positions. */
import type { IBufferCell, Terminal } from '@xterm/headless';

/** Expects margins, origin mode and insert mode off. */
export function paintRows(terminal: Terminal): string {
  const buffer = terminal.buffer.active;
  const cell = buffer.getNullCell();
  let out = '\x1b[0m\x1b[2J';
  for (let row = 0; row < terminal.rows; row++) {
    const line = buffer.getLine(buffer.viewportY + row);
    if (!line) continue;
    let text = '';
    let column = 0;
    let drawnTo = 0;
    let style = '';
    for (; column < terminal.cols; column++) {
      if (!line.getCell(column, cell) || cell.getWidth() === 0) continue;
      const chars = cell.getChars();
      const next = styleOf(cell);
      if (chars === '' && next === '') continue;
      if (column > drawnTo) text += `\x1b[${row + 1};${column + 1}H`;
      if (next !== style) text += `\x1b[0m${next}`;
      style = next;
      text += chars === '' ? ' ' : chars;
      drawnTo = column + cell.getWidth();
    }
    if (text !== '') out += `\x1b[${row + 1};1H${text}\x1b[0m`;
  }
  return out;
}

/** Draws the last cell of the cursor's row, with the cursor on it: leaves the cursor waiting to wrap. */
export function paintLastCell(terminal: Terminal): string {
  const buffer = terminal.buffer.active;
  const line = buffer.getLine(buffer.viewportY + buffer.cursorY);
  const cell = line?.getCell(terminal.cols - 1);
  if (!cell) return '';
  if (cell.getWidth() > 0) return `\x1b[0m${styleOf(cell)}${cell.getChars() || ' '}`;
  const wide = line?.getCell(terminal.cols - 2);
  return wide ? `\x1b[D\x1b[0m${styleOf(wide)}${wide.getChars()}` : '';
}

/** Empty where it is plain. */
export function styleOf(cell: IBufferCell): string {
  if (cell.isAttributeDefault()) return '';
  const params: (string | number)[] = [];
  if (cell.isBold()) params.push(1);
  if (cell.isDim()) params.push(2);
  if (cell.isItalic()) params.push(3);
  if (cell.isUnderline()) params.push(4);
  if (cell.isBlink()) params.push(5);
  if (cell.isInverse()) params.push(7);
  if (cell.isInvisible()) params.push(8);
  if (cell.isStrikethrough()) params.push(9);
  if (cell.isOverline()) params.push(53);
  if (cell.isFgPalette()) params.push(palette(cell.getFgColor(), 30, 90, 38));
  else if (cell.isFgRGB()) params.push(rgb(cell.getFgColor(), 38));
  if (cell.isBgPalette()) params.push(palette(cell.getBgColor(), 40, 100, 48));
  else if (cell.isBgRGB()) params.push(rgb(cell.getBgColor(), 48));
  return params.length === 0 ? '' : `\x1b[${params.join(';')}m`;
}

function palette(color: number, basic: number, bright: number, extended: number): string {
  if (color < 8) return String(basic + color);
  if (color < 16) return String(bright + color - 8);
  return `${extended};5;${color}`;
}

function rgb(color: number, extended: number): string {
  return `${extended};2;${(color >> 16) & 255};${(color >> 8) & 255};${color & 255}`;
}

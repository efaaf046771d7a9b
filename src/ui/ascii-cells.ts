/** Signs that frames are drawn with, for a terminal whose locale is C: each by one that is as wide, the frame is laid out. */
const cells: Readonly<Record<string, string>> = {
  ...{ '─': '-', '│': '|', '…': '.', '→': '>', '✓': '+', '✗': 'x', '·': '-', '–': '-', '—': '-' },
  ...{ '‘': "'", '’': "'", '“': '"', '”': '"', '×': 'x' },
};
const signs = new RegExp(`[${Object.keys(cells).join('')}]`, 'g');

export function asciiCells(line: string): string {
  return line.replace(signs, (sign) => cells[sign] ?? sign);
}

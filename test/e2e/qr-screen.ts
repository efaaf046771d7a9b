/** QR codes as a terminal shows them. */
import { encode } from 'uqr';

/** Do these lines of half blocks show the code of `text`? Without colours, what is drawn is light. */
export function showsQrCode(lines: readonly string[], text: string): boolean {
  const { data } = encode(text, { border: 2 });
  const wanted = Array.from({ length: Math.ceil(data.length / 2) }, (_, row) =>
    (data[2 * row] ?? [])
      .map((dark, column) => block(!dark, !(data[2 * row + 1]?.[column] ?? true)))
      .join('')
      .trimEnd(),
  );
  const from = lines.indexOf(wanted[0] ?? '');
  return from >= 0 && wanted.every((row, at) => lines[from + at] === row);
}

function block(upper: boolean, lower: boolean): string {
  if (upper) return lower ? '█' : '▀';
  return lower ? '▄' : ' ';
}

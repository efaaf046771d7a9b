/** When things happened: the time from first to last in slices, each as high as it is busy; a slice with a denial is marked. */
import type { Row } from '../../statement-rows.js';
import { time } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const SLICES = 120;
const TALL = 40;

/** @param onPick gets the place of the first row of a slice */
export function stripOf(rows: readonly Row[], onPick: (place: number) => void): SVGElement | undefined {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined || rows.length < 2) return undefined;
  const [from, to] = rows.reduce(([a, b], { at }) => [Math.min(a, at), Math.max(b, at)], [first.at, first.at]);
  const span = Math.max(1, to - from);
  const slices = Array.from({ length: SLICES }, () => ({ count: 0, denied: 0, place: -1 }));
  for (const [place, row] of rows.entries()) {
    const slice = slices[Math.min(SLICES - 1, Math.floor(((row.at - from) / span) * SLICES))];
    if (slice === undefined) continue;
    if (slice.place < 0) slice.place = place;
    slice.count++;
    if (row.standing === 'denied') slice.denied++;
  }
  const most = slices.reduce((highest, { count }) => Math.max(highest, count), 1);
  const denied = slices.reduce((sum, slice) => sum + slice.denied, 0);
  const svg = shape('svg', {
    viewBox: `0 0 ${SLICES * 10} ${TALL}`,
    preserveAspectRatio: 'none',
    class: 'strip',
    role: 'img',
  });
  svg.setAttribute('aria-label', `${rows.length} rows from ${time(from)} to ${time(to)} UTC, ${denied} denied`);
  for (const [place, slice] of slices.entries()) {
    if (slice.count === 0) continue;
    const height = Math.max(3, (slice.count / most) * TALL);
    const bar = shape('rect', {
      x: place * 10 + 1,
      y: TALL - height,
      width: 8,
      height,
      class: slice.denied > 0 ? 'bad' : 'bar',
    });
    bar.addEventListener('click', () => onPick(slice.place));
    svg.append(bar);
  }
  return svg;
}

function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(SVG, name) as SVGElement;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** One row in full: its text, what the parser read in it, who decided what after being shown what, and what came of it. */
import type { ReadItem } from '../../read-item.js';
import type { Row } from '../../statement-rows.js';
import { type Child, el, foreign, isChild, time, tricksIn } from './dom.js';

/** @param recorded what was recorded of it, where this reader can see it */
export function detailOf(row: Row | undefined, recorded?: HTMLElement): HTMLElement {
  const heading = el(
    'h2',
    { id: 'detail-heading', tabindex: -1 },
    row === undefined ? 'Nothing is selected' : title(row),
  );
  const section = el('section', { class: 'detail', 'aria-labelledby': 'detail-heading' }, heading);
  if (row === undefined) {
    section.append(el('p', { class: 'dim' }, 'Choose a row of the timeline.'));
    return section;
  }
  section.append(...itemParts(row.main, true));
  for (const part of row.parts) {
    section.append(el('article', { class: part.item.mood }, ...itemParts(part, false)));
  }
  if (recorded !== undefined) section.append(recorded);
  return section;
}

function title(row: Row): string {
  const connection = row.connection === undefined ? '' : `, connection ${row.connection}`;
  return `${row.kind} #${row.n}${connection}`;
}

function itemParts({ item, fields, disclosed, facts }: ReadItem, main: boolean): (Node | string)[] {
  const tricks = item.text === undefined ? [] : tricksIn(item.text);
  const parts: Child[] = [
    el('p', { class: 'when' }, `${time(item.at)} UTC`, main ? '' : ` · ${item.kind} #${item.n}`),
    el('p', { class: `said ${item.mood}` }, el('bdi', {}, foreign(item.title))),
    ...tricks.map((trick) => el('p', { class: 'trick', role: 'note' }, trick)),
    item.text !== undefined && el('pre', { tabindex: 0, 'aria-label': 'SQL' }, foreign(item.text)),
    item.bind !== undefined && el('pre', { 'aria-label': 'Values' }, foreign(item.bind)),
    main && facts !== undefined && folded('What the parser read in it', facts, true),
    typeof disclosed.shown === 'string' && shownPreview(disclosed.shown),
    typeof fields.shown === 'string' &&
      el('p', { class: 'dim' }, 'SHA-256 of what was on the screen: ', el('code', {}, foreign(fields.shown))),
    typeof fields.estimatedRows === 'number' && el('p', {}, `The preview said: about ${fields.estimatedRows} rows`),
    folded('The entry', fields, false),
  ];
  return parts.filter(isChild);
}

/** What a second person was shown (FORMAT.md, *shown*); its digest is in the request that was signed. */
function shownPreview(shown: string): HTMLElement {
  let value: unknown;
  try {
    value = JSON.parse(shown);
  } catch {
    value = shown;
  }
  return folded('What the second person was shown', value, true);
}

function folded(summary: string, value: unknown, open: boolean): HTMLElement {
  return el('details', { open }, el('summary', {}, summary), described(value, 0));
}

const DEEPEST = 6;

/** Any JSON, as lists of names and values. */
function described(value: unknown, depth: number): HTMLElement {
  if (typeof value !== 'object' || value === null) return el('bdi', {}, foreign(String(value)));
  if (depth >= DEEPEST) return el('code', {}, foreign(JSON.stringify(value)));
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one !== 'object')) return el('bdi', {}, foreign(value.join(', ')));
    return el('ol', {}, ...value.map((one) => el('li', {}, described(one, depth + 1))));
  }
  const pairs = Object.entries(value).flatMap(([name, one]) =>
    one === undefined ? [] : [el('dt', {}, foreign(name)), el('dd', {}, described(one, depth + 1))],
  );
  return el('dl', {}, ...pairs);
}

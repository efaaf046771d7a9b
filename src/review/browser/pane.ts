/** A list with one chosen row, of which a window is in sight: what the keys that move do to it. Pure. */

/** Both are places in the list; 0 where it is empty. */
export interface Pane {
  readonly selected: number;
  /** The first row in sight. */
  readonly top: number;
}

export const topPane: Pane = { selected: 0, top: 0 };

/** The same, in a list of so many rows: the chosen one is in it, and in sight. */
export function fitted({ selected, top }: Pane, count: number, height: number): Pane {
  const chosen = Math.max(0, Math.min(count - 1, selected));
  const highest = Math.max(0, count - height);
  const lowest = Math.max(0, chosen - height + 1);
  return { selected: chosen, top: Math.max(lowest, Math.min(highest, top, chosen)) };
}

/** Undefined for a key that does not move. @param key as KeyDecoder names it */
export function moved(pane: Pane, key: string, count: number, height: number): Pane | undefined {
  const selected = placeAfter(pane.selected, key, count, Math.max(1, height - 1));
  return selected === undefined ? undefined : fitted({ ...pane, selected }, count, height);
}

function placeAfter(at: number, key: string, count: number, page: number): number | undefined {
  switch (key) {
    case 'up':
    case 'k':
      return at - 1;
    case 'down':
    case 'j':
      return at + 1;
    case 'pageup':
      return at - page;
    case 'pagedown':
    case ' ':
      return at + page;
    case 'home':
    case 'g':
      return 0;
    case 'end':
    case 'G':
      return count - 1;
    default:
      return undefined;
  }
}

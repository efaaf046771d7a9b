/**
 * What a program has switched on in its terminal, so that it can be switched off for a prompt and on again.
 *
 * What lives here: modes, attributes, margins, saved cursors, keyboard protocols, as the stream set them last. What
 * it must not know: cells, prompts. Sources: ECMA-48; "XTerm Control Sequences"; kitty's keyboard protocol.
 */
import { TerminalColours } from './terminal-colours.js';

export interface Cursor {
  readonly x: number;
  readonly y: number;
}

interface SavedCursor extends Cursor {
  readonly sgr: ReadonlyMap<string, string>;
}

type Params = readonly (number | readonly number[])[];
export type ScreenName = 'normal' | 'alternate';

/** Modes that are on in a terminal that nobody has touched. */
const onByDefault: ReadonlySet<number> = new Set([7, 25]);
/**
 * The backspace key, mouse reporting and its encodings, focus reports, paste marks, reports of colours and sizes, keys as
 * Windows has them: all change what the keyboard side sends.
 */
export const inputModes = [
  67, 9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2031, 2048, 9001,
] as const;
/** Cursor keys, reverse screen, origin, wrap, cursor visibility, wrap backwards, left and right margins, synchronized output. */
export const screenModes = [1, 5, 6, 7, 25, 45, 69, 2026] as const;
const alternateScreens: ReadonlySet<number> = new Set([47, 1047, 1049]);

export class TerminalModes {
  readonly colours = new TerminalColours();
  /** What the program writes now is a link: parameters and address. */
  hyperlink = '';
  readonly #private = new Map<number, boolean>();
  #insert = false;
  #keypad = false;
  #margins: readonly [number, number] | undefined;
  #sgr = new Map<string, string>();
  #g0 = 'B';
  /** DECSCUSR; 0 is the terminal's own. */
  #cursorStyle = 0;
  #modifyOtherKeys = 0;
  #kitty = false;
  readonly #saved: Partial<Record<ScreenName, SavedCursor>> = {};

  isOn(mode: number): boolean {
    return this.#private.get(mode) ?? onByDefault.has(mode);
  }

  /** Top and bottom, 1-based; undefined where the whole screen scrolls. */
  get margins(): readonly [number, number] | undefined {
    return this.#margins;
  }

  get insert(): boolean {
    return this.#insert;
  }

  get keypad(): boolean {
    return this.#keypad;
  }

  get modifyOtherKeys(): number {
    return this.#modifyOtherKeys;
  }

  /** The program speaks kitty's keyboard protocol. */
  get kitty(): boolean {
    return this.#kitty;
  }

  /** The cursor has a shape of the program's. */
  get cursorShaped(): boolean {
    return this.#cursorStyle !== 0;
  }

  /** Final byte of the G0 designation: `B` for ASCII, `0` for line drawing. */
  get g0(): string {
    return this.#g0;
  }

  /** Nothing of the program's is left in the terminal. */
  get untouched(): boolean {
    const modes = [...this.#private].every(([mode, on]) => on === onByDefault.has(mode));
    const keys = !this.#insert && !this.#keypad && this.#modifyOtherKeys === 0 && !this.#kitty;
    const drawing = this.#g0 === 'B' && this.#sgr.size === 0 && !this.#margins && this.hyperlink === '';
    return modes && keys && drawing && !this.cursorShaped && !this.colours.changed;
  }

  /** Sequence that sets the graphic rendition as it is now. */
  get sgr(): string {
    return sgrSequence(this.#sgr);
  }

  /** Where the program saved the cursor, and the rendition with it. */
  savedCursor(screen: ScreenName): { readonly cursor: Cursor; readonly sgr: string } | undefined {
    const saved = this.#saved[screen];
    return saved && { cursor: saved, sgr: sgrSequence(saved.sgr) };
  }

  setPrivate(params: Params, on: boolean, cursor: Cursor, screen: ScreenName): void {
    for (const mode of numbers(params)) {
      if (mode === 1048 || mode === 1049) {
        if (on) this.save(cursor, screen);
        else this.restore(mode === 1049 ? 'normal' : screen);
      }
      if (!alternateScreens.has(mode) && mode !== 1048) this.#private.set(mode, on);
    }
  }

  setAnsi(params: Params, on: boolean): void {
    if (numbers(params).includes(4)) this.#insert = on;
  }

  setKeypad(on: boolean): void {
    this.#keypad = on;
  }

  setMargins(params: Params, rows: number): void {
    const [top = 0, bottom = 0] = numbers(params);
    const from = top || 1;
    const to = bottom === 0 || bottom > rows ? rows : bottom;
    this.#margins = from === 1 && to === rows ? undefined : [from, to];
  }

  setG0(final: string): void {
    this.#g0 = final;
  }

  setCursorStyle(params: Params): void {
    [this.#cursorStyle = 0] = numbers(params);
  }

  setModifyOtherKeys(params: Params): void {
    const [resource, value = 0] = numbers(params);
    if (resource === 4) this.#modifyOtherKeys = value;
  }

  setKitty(): void {
    this.#kitty = true;
  }

  save(cursor: Cursor, screen: ScreenName): void {
    this.#saved[screen] = { x: cursor.x, y: cursor.y, sgr: new Map(this.#sgr) };
  }

  restore(screen: ScreenName): void {
    this.#sgr = new Map(this.#saved[screen]?.sgr ?? []);
  }

  /** DECSTR */
  softReset(): void {
    for (const mode of [1, 6, 7, 25]) this.#private.delete(mode);
    this.#insert = false;
    this.#keypad = false;
    this.#margins = undefined;
    this.#sgr = new Map();
    this.#g0 = 'B';
  }

  /** RIS */
  hardReset(): void {
    this.softReset();
    this.#private.clear();
    this.#cursorStyle = 0;
    this.#modifyOtherKeys = 0;
    this.#kitty = false;
    this.colours.clear();
    this.hyperlink = '';
    delete this.#saved.normal;
    delete this.#saved.alternate;
  }

  setSgr(params: Params): void {
    if (params.length === 0) this.#sgr.clear();
    for (let i = 0; i < params.length; i++) {
      const param = params[i] ?? 0;
      if (typeof param !== 'number') continue;
      const sub = params[i + 1];
      if (typeof sub === 'object') {
        // colon form: 38:2::r:g:b, 4:3
        this.#setAttribute(param, `${param}:${sub.map((n) => (n < 0 ? '' : n)).join(':')}`);
        i++;
      } else if (param === 38 || param === 48 || param === 58) {
        const length = params[i + 1] === 2 ? 5 : params[i + 1] === 5 ? 3 : 1;
        this.#setAttribute(param, numbers(params.slice(i, i + length)).join(';'));
        i += length - 1;
      } else this.#setAttribute(param, String(param));
    }
  }

  #setAttribute(param: number, sequence: string): void {
    if (param === 0) this.#sgr.clear();
    const [attribute, on] = attributeOf(param);
    if (attribute === undefined) return;
    // bold and faint are switched off together
    if (!on && attribute === 'bold') this.#sgr.delete('faint');
    this.#sgr.delete(attribute);
    if (on && sequence !== '4:0') this.#sgr.set(attribute, sequence);
  }
}

function attributeOf(param: number): readonly [string | undefined, boolean] {
  if ((param >= 30 && param <= 38) || (param >= 90 && param <= 97)) return ['foreground', true];
  if ((param >= 40 && param <= 48) || (param >= 100 && param <= 107)) return ['background', true];
  return attributes[param] ?? [undefined, false];
}

const attributes: Readonly<Record<number, readonly [string, boolean]>> = {
  1: ['bold', true],
  2: ['faint', true],
  3: ['italic', true],
  4: ['underline', true],
  5: ['blink', true],
  6: ['blink', true],
  7: ['inverse', true],
  8: ['invisible', true],
  9: ['strike', true],
  21: ['underline', true],
  22: ['bold', false],
  23: ['italic', false],
  24: ['underline', false],
  25: ['blink', false],
  27: ['inverse', false],
  28: ['invisible', false],
  29: ['strike', false],
  39: ['foreground', false],
  49: ['background', false],
  53: ['overline', true],
  55: ['overline', false],
  58: ['underline-color', true],
  59: ['underline-color', false],
};

function sgrSequence(sgr: ReadonlyMap<string, string>): string {
  return `\x1b[0m${[...sgr.values()].map((params) => `\x1b[${params}m`).join('')}`;
}

function numbers(params: Params): number[] {
  return params.flatMap((param) => (typeof param === 'number' ? [param] : []));
}

/**
 * What comes from the keyboard side of a terminal, told apart: keys, pastes, the terminal's own reports, noise.
 *
 * What lives here: the piece of a sequence that has not fully come. What it must not know: what a key does.
 * Sources: "XTerm Control Sequences" (mouse, focus, paste, reports); kitty's keyboard protocol for `CSI u`.
 */

export type KeyEvent =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'paste' }
  /** An answer of the terminal to a question of the child; belongs to the child. */
  | { readonly kind: 'report'; readonly bytes: Buffer }
  /** Mouse, focus, what nobody knows. */
  | { readonly kind: 'noise' };

const pasteStart = '\x1b[200~';
const pasteEnd = '\x1b[201~';
/** A paste or a sequence longer than this without its end is dropped. */
const pendingMax = 1024 * 1024;

export class KeyDecoder {
  #pending = '';

  /** True while a sequence has begun: a lone Escape looks like that, too. */
  get waiting(): boolean {
    return this.#pending !== '';
  }

  push(bytes: Buffer): KeyEvent[] {
    // latin1 keeps every byte; UTF-8 comes together again in `printable`
    let rest = this.#pending + bytes.toString('latin1');
    this.#pending = '';
    const events: KeyEvent[] = [];
    while (rest !== '') {
      const found = next(rest);
      if (found === undefined) {
        if (rest.length <= pendingMax) this.#pending = rest;
        else events.push({ kind: 'noise' });
        break;
      }
      if (found.event) events.push(found.event);
      rest = rest.slice(found.length);
    }
    return events;
  }

  /** Nothing followed for a while: a lone Escape is the key, anything else was torn. */
  flush(): KeyEvent[] {
    const rest = this.#pending;
    if (rest === '' || rest.startsWith(pasteStart)) return [];
    this.#pending = '';
    return [rest === '\x1b' ? { kind: 'key', key: 'escape' } : { kind: 'noise' }];
  }
}

interface Found {
  readonly length: number;
  readonly event?: KeyEvent;
}

/** The first event of `text`; undefined where more bytes are needed. */
function next(text: string): Found | undefined {
  if (text.startsWith(pasteStart)) {
    const end = text.indexOf(pasteEnd);
    return end === -1 ? undefined : { length: end + pasteEnd.length, event: { kind: 'paste' } };
  }
  if (!text.startsWith('\x1b')) return printable(text);
  if (text.length === 1) return undefined;
  switch (text[1]) {
    case '[':
      return csi(text);
    case 'O':
      return text.length < 3 ? undefined : { length: 3, event: key(arrows[text[2] ?? '']) };
    case ']':
    case 'P':
    case '_':
    case '^':
    case 'X':
      return stringReport(text);
    case '\x1b':
      return { length: 1, event: { kind: 'key', key: 'escape' } };
    default:
      // Alt and a key
      return { length: 2, event: { kind: 'noise' } };
  }
}

/** OSC, DCS and their like come from the terminal only: answers to questions. */
function stringReport(text: string): Found | undefined {
  const ends = ['\x07', '\x1b\\'].flatMap((end) => {
    const at = text.indexOf(end, 2);
    return at === -1 ? [] : [at + end.length];
  });
  if (ends.length === 0) return undefined;
  const length = Math.min(...ends);
  return { length, event: { kind: 'report', bytes: Buffer.from(text.slice(0, length), 'latin1') } };
}

function csi(text: string): Found | undefined {
  if (text.startsWith('\x1b[M')) return text.length < 6 ? undefined : { length: 6, event: { kind: 'noise' } };
  const body = text.slice(2);
  const match = /^([<=>?]?)([0-9;:]*)([ -/]*)([@-~])/.exec(body);
  if (!match) {
    // still parameters, or nothing that a terminal sends
    if (/^[ -?]*$/.test(body)) return undefined;
    return { length: 2, event: { kind: 'noise' } };
  }
  const [found, prefix = '', params = '', intermediates = '', final = ''] = match;
  const whole = `\x1b[${found}`;
  return { length: whole.length, event: csiEvent(whole, prefix, params, intermediates, final) };
}

function csiEvent(whole: string, prefix: string, params: string, intermediates: string, final: string): KeyEvent {
  const report: KeyEvent = { kind: 'report', bytes: Buffer.from(whole, 'latin1') };
  // the end of a paste that began before the prompt: the child waits for it
  if (whole === pasteEnd) return report;
  if (prefix === '<') return { kind: 'noise' };
  if (prefix === '?' || prefix === '>' || intermediates !== '') return report;
  if (final === 'R' || final === 'n' || final === 'c' || final === 't') return report;
  if (final === 'u') return kittyKey(params);
  if (final === '~') return key(tildeKeys[params] ?? undefined);
  return params === '' ? key(arrows[final]) : { kind: 'noise' };
}

/** CSI codepoint ; modifiers : event u; only plain presses are keys. */
function kittyKey(params: string): KeyEvent {
  const [code = '', modifiers = '1'] = params.split(';');
  const [modifier, event = '1'] = modifiers.split(':');
  const point = Number(code.split(':')[0]);
  if ((modifier !== '1' && modifier !== '') || event !== '1' || !Number.isInteger(point)) return { kind: 'noise' };
  if (point < 0x20 || point === 0x7f) return key(controls[point]);
  return point <= 0x10ffff ? { kind: 'key', key: String.fromCodePoint(point) } : { kind: 'noise' };
}

function printable(text: string): Found | undefined {
  const first = text.charCodeAt(0);
  if (first < 0x20 || first === 0x7f) return { length: 1, event: key(controls[first]) };
  if (first < 0x80) return { length: 1, event: { kind: 'key', key: text[0] ?? '' } };
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  if (text.length < length) return undefined;
  const character = Buffer.from(text.slice(0, length), 'latin1').toString('utf8');
  return { length, event: character.includes('\ufffd') ? { kind: 'noise' } : { kind: 'key', key: character } };
}

function key(name: string | undefined): KeyEvent {
  return name === undefined ? { kind: 'noise' } : { kind: 'key', key: name };
}

const arrows: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
};
const tildeKeys: Readonly<Record<string, string>> = {
  '1': 'home',
  '4': 'end',
  '5': 'pageup',
  '6': 'pagedown',
  '7': 'home',
  '8': 'end',
};
const controls: Readonly<Record<number, string>> = {
  3: 'ctrl-c',
  8: 'backspace',
  9: 'tab',
  10: 'enter',
  13: 'enter',
  21: 'ctrl-u',
  27: 'escape',
  127: 'backspace',
};

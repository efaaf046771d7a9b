/**
 * As much of Node's Buffer as the verifier uses, over Uint8Array: the page that proves itself has no other. Its answers
 * are Node's, also for base64 that is none.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

type Encoding = 'utf8' | 'base64' | 'base64url' | 'hex' | 'latin1';

export class WebBuffer extends Uint8Array {
  static override from(value: unknown, encodingOrOffset?: unknown, length?: unknown): WebBuffer {
    if (typeof value === 'string') return ofText(value, (encodingOrOffset ?? 'utf8') as Encoding);
    if (value instanceof ArrayBuffer) return new WebBuffer(value, Number(encodingOrOffset ?? 0), length as number);
    return new WebBuffer(value as ArrayLike<number>);
  }

  static alloc(size: number): WebBuffer {
    return new WebBuffer(size);
  }

  static concat(parts: readonly Uint8Array[]): WebBuffer {
    const whole = new WebBuffer(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  static byteLength(text: string): number {
    let length = text.length;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x80) continue;
      length += unit < 0x800 ? 1 : 2;
      if (unit < 0xd800 || unit > 0xdbff) continue;
      const next = text.charCodeAt(i + 1);
      if (next < 0xdc00 || next > 0xdfff) continue;
      i++; // two units, four bytes
    }
    return length;
  }

  override toString(encoding: Encoding = 'utf8'): string {
    if (encoding === 'utf8') return decoder.decode(this);
    if (encoding === 'base64url' || encoding === 'base64') return base64(this, encoding === 'base64');
    let text = '';
    for (const byte of this)
      text += encoding === 'hex' ? byte.toString(16).padStart(2, '0') : String.fromCharCode(byte);
    return text;
  }

  override subarray(begin?: number, end?: number): WebBuffer {
    return new WebBuffer(this.buffer, this.byteOffset + bound(begin ?? 0, this.length), span(this.length, begin, end));
  }

  override indexOf(value: number | string, from?: number): number {
    return super.indexOf(typeof value === 'string' ? value.charCodeAt(0) : value, from);
  }
}

function bound(index: number, length: number): number {
  return Math.min(length, index < 0 ? Math.max(0, length + index) : index);
}

function span(length: number, begin = 0, end = length): number {
  return Math.max(0, bound(end, length) - bound(begin, length));
}

function ofText(text: string, encoding: Encoding): WebBuffer {
  switch (encoding) {
    case 'utf8': {
      const bytes = encoder.encode(text);
      return new WebBuffer(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    case 'base64':
    case 'base64url':
      return unbase64(text);
    case 'hex':
      return new WebBuffer((text.match(/[0-9a-f]{2}/gi) ?? []).map((pair) => Number.parseInt(pair, 16)));
    case 'latin1':
      return new WebBuffer([...text].map((character) => character.charCodeAt(0)));
  }
}

const common = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const [plain, url] = [`${common}+/`, `${common}-_`];
const NONE = 64;
const values = new Uint8Array(256).fill(NONE);
for (const alphabet of [plain, url]) for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;

function base64(bytes: Uint8Array, padded: boolean): string {
  const letters = padded ? plain : url;
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const rest = bytes.length - i;
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += `${letters[group >> 18]}${letters[(group >> 12) & 63]}`;
    if (rest > 1) text += letters[(group >> 6) & 63];
    else if (padded) text += '=';
    if (rest > 2) text += letters[group & 63];
    else if (padded) text += '=';
  }
  return text;
}

/** Both alphabets; up to the first `=`; what is no letter of either counts as not there. */
function unbase64(text: string): WebBuffer {
  const bytes = new WebBuffer(Math.floor((text.length * 3) / 4));
  let [at, bits, held] = [0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    // Node looks at the lower half of a code unit alone
    const unit = text.charCodeAt(i) & 0xff;
    if (unit === 0x3d) break;
    const value = values[unit] ?? NONE;
    if (value === NONE) continue;
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (held >> bits) & 0xff;
  }
  return bytes.subarray(0, at);
}

/**
 * The last gate in front of a person's terminal: text is printed, and nothing in it is obeyed. What comes from a server, an
 * issuer or a bucket is made safe where it is read (see untrusted-text.ts); this is for the place that nobody thought of.
 *
 * Text is what is written as a string. Bytes pass: they are the child's, or a prompt's, which are drawn on purpose.
 */
import { sanitise } from '../../untrusted-text.js';

/** What dbguard itself writes: its styles (text.ts, qr-code.ts), and a progress line that is written over. */
const esc = '\u001b';
const own = new RegExp(`(${esc}\\[(?:[012]|22|3[125]|97;40)m|${esc}\\[K|\r)`);

export function terminalText(text: string): string {
  return text
    .split(own)
    .map((part, index) => (index % 2 === 1 ? part : sanitise(part).text))
    .join('');
}

/** Signs of dbguard's own sentences, for a terminal whose locale is C. Data stays as it is. */
const plain: Readonly<Record<string, string>> = {
  ...{ '‘': "'", '’': "'", '“': '"', '”': '"', '…': '...', '–': '-', '—': '-', '·': '-' },
  ...{ '✓': '+', '✗': 'x', '→': '->', '×': 'x', '─': '-', '│': '|' },
};
const signs = new RegExp(`[${Object.keys(plain).join('')}]`, 'g');

export function plainSigns(text: string): string {
  return text.replace(signs, (sign) => plain[sign] ?? sign);
}

/** Of dbguard's own texts, for a file that has to be read anywhere. */
export function asciiSigns(text: string): string {
  return [...plainSigns(text)].map((sign) => (sign >= ' ' && sign <= '~' ? sign : '?')).join('');
}

/** Only where the stream is a terminal: in a pipe bytes are data. */
export function printOnlyText(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): void {
  if (!stream.isTTY) return;
  const write = stream.write.bind(stream) as (chunk: unknown, ...more: unknown[]) => boolean;
  const drawn = drawsSigns(env) ? terminalText : (text: string) => terminalText(plainSigns(text));
  stream.write = (chunk: unknown, ...more: unknown[]) =>
    write(typeof chunk === 'string' ? drawn(chunk) : chunk, ...more);
}

/** By the locale's variables, in POSIX's order; where none is set nobody has said that it is another one. */
export function drawsSigns({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG || 'utf-8';
  return /utf-?8/i.test(locale) || process.platform === 'darwin' || process.platform === 'win32';
}

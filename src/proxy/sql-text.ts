import { isAscii, isUtf8 } from 'node:buffer';

/** Single-byte client encodings in which every byte below 0x80 is ASCII, and what Node calls them. */
const singleByte: ReadonlyMap<string, string> = new Map([
  ['LATIN1', 'latin1'],
  ['SQL_ASCII', 'latin1'],
]);

/**
 * The text of SQL bytes, as the server will read them; undefined where that cannot be known for sure. Encodings
 * whose characters may hold the byte of a quote or a backslash (SJIS, BIG5, GBK ...) are only read when the text is
 * plain ASCII: a wrong guess would let a statement hide inside a literal.
 *
 * @param clientEncoding the server's own report (ParameterStatus `client_encoding`)
 */
export function decodeSql(bytes: Buffer, clientEncoding: string): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (clientEncoding === 'UTF8') return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
  return singleByte.has(clientEncoding) ? bytes.toString('latin1') : undefined;
}

/** A bind value for people: text as text, binary as hexadecimal. NULL is null. */
export function showValue(value: Buffer | undefined, format: number): string | null {
  if (value === undefined) return null;
  if (format === 0 && value.length <= shortLength && isShortAscii(value)) return value.toString('latin1');
  return format === 0 && isUtf8(value) ? value.toString('utf8') : `\\x${value.toString('hex')}`;
}

/** Most values are short: for them a loop costs less than asking Node. */
const shortLength = 32;

function isShortAscii(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) if ((bytes[at] as number) > 0x7f) return false;
  return true;
}

/** Places of the values that are bytes: what `showValue` shows of them a text could look like too. */
export function bytesAmong(values: readonly (Buffer | undefined)[], formats: readonly number[]): number[] | undefined {
  const places = values.flatMap((value, index) =>
    value !== undefined && (formatOf(formats, index) !== 0 || !isUtf8(value)) ? index : [],
  );
  return places.length === 0 ? undefined : places;
}

/** The format code that belongs to parameter `index` ("Bind" in the PostgreSQL manual). */
export function formatOf(formats: readonly number[], index: number): number {
  return formats.length === 1 ? (formats[0] ?? 0) : (formats[index] ?? 0);
}

/** The session's own spelling of an SQL identifier, to be compared with names in protocol messages. */
export function protocolName(identifier: string): string {
  return Buffer.from(identifier, 'utf8').toString('latin1');
}

/**
 * What a frontend sends, as bytes ("Message Formats" in the PostgreSQL manual). Written for these dialogues alone and
 * from the manual: a mistake that dbguard's own encoder shared with its decoder could not be seen.
 */

export const query = (sql: string) => message('Q', text(sql));
export const sync = () => message('S');
export const flush = () => message('H');
export const terminate = () => message('X');
export const copyData = (data: string | Buffer) => message('d', typeof data === 'string' ? Buffer.from(data) : data);
export const copyDone = () => message('c');
export const copyFail = (reason: string) => message('f', text(reason));

/** `types` are OIDs; 0 leaves a type to the server. */
export function parse(sql: string, options: { name?: string; types?: readonly number[] } = {}): Buffer {
  const types = options.types ?? [];
  return message('P', text(options.name ?? ''), text(sql), int16(types.length), ...types.map(int32));
}

export interface BindOptions {
  readonly portal?: string;
  readonly statement?: string;
  /** 0 text, 1 binary: none, one for all, or one each. */
  readonly formats?: readonly number[];
  readonly resultFormats?: readonly number[];
}

export function bind(values: readonly (string | Buffer | null)[] = [], options: BindOptions = {}): Buffer {
  const { formats = [], resultFormats = [] } = options;
  const encoded = values.flatMap((value) => {
    if (value === null) return [int32(-1)];
    const bytes = Buffer.from(value);
    return [int32(bytes.length), bytes];
  });
  return message(
    'B',
    ...[text(options.portal ?? ''), text(options.statement ?? '')],
    ...[int16(formats.length), ...formats.map(int16)],
    ...[int16(values.length), ...encoded],
    ...[int16(resultFormats.length), ...resultFormats.map(int16)],
  );
}

export const describeStatement = (name = '') => message('D', text(`S${name}`));
export const describePortal = (name = '') => message('D', text(`P${name}`));
export const closeStatement = (name = '') => message('C', text(`S${name}`));
export const closePortal = (name = '') => message('C', text(`P${name}`));

/** `limit` 0 means every row. */
export const execute = (portal = '', limit = 0) => message('E', text(portal), int32(limit));

/** Parse, Bind, Describe and Execute through the unnamed statement and portal, without Sync. */
export function run(sql: string, values: readonly (string | Buffer | null)[] = []): Buffer {
  return Buffer.concat([parse(sql), bind(values), describePortal(), execute()]);
}

/** FunctionCall with text arguments and a text result. */
export function functionCall(oid: number, values: readonly string[]): Buffer {
  const encoded = values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]);
  return message('F', int32(oid), int16(0), int16(values.length), ...encoded, int16(0));
}

/** StartupMessage; `protocol` as major and minor. */
export function startup(parameters: Readonly<Record<string, string>>, protocol: readonly [number, number]): Buffer {
  const fields = Object.entries(parameters).flatMap(([name, value]) => [text(name), text(value)]);
  return withLength(int16(protocol[0]), int16(protocol[1]), ...fields, Buffer.from([0]));
}

/** SSLRequest 5679, CancelRequest 5678, GSSENCRequest 5680: the numbers behind 1234 in the version's place. */
export const specialRequest = (code: 5678 | 5679 | 5680, body: Buffer = Buffer.alloc(0)) =>
  withLength(int16(1234), int16(code), body);

export function message(type: string, ...fields: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), withLength(...fields)]);
}

export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function withLength(...fields: readonly Buffer[]): Buffer {
  const body = Buffer.concat(fields);
  return Buffer.concat([int32(body.length + 4), body]);
}

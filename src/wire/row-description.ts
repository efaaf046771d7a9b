/** RowDescription, as far as masking needs it ("Message Formats" in the PostgreSQL manual). */
import { headerBytes } from './messages.js';
import { Reader } from './reader.js';

export interface RowField {
  /** The relation the column is taken from as it is; 0 when it is computed. */
  readonly tableOid: number;
  readonly columnNumber: number;
  readonly typeOid: number;
  /** 0 text, 1 binary. Describe of a statement always says 0: Bind decides later. */
  readonly format: number;
}

/** Input is one whole message, header included. */
export function decodeRowDescription(bytes: Buffer, start: number, end: number): RowField[] {
  const reader = new Reader(bytes, start + headerBytes, end);
  const fields: RowField[] = [];
  for (let count = reader.uint16(); count > 0; count--) {
    reader.cstringBytes();
    const tableOid = reader.uint32();
    const columnNumber = reader.int16();
    const typeOid = reader.uint32();
    reader.bytes(6);
    fields.push({ tableOid, columnNumber, typeOid, format: reader.int16() });
  }
  return fields;
}

/** A column as a client knows it. */
export interface Column {
  readonly name: string;
  readonly typeOid: number;
  /** -1 where the type has none. */
  readonly modifier: number;
  /** As in RowField. */
  readonly format: number;
}

export function decodeColumns(bytes: Buffer, start: number, end: number): Column[] {
  const reader = new Reader(bytes, start + headerBytes, end);
  return Array.from({ length: reader.uint16() }, () => {
    const name = reader.cstringBytes().toString('utf8');
    reader.bytes(6);
    const typeOid = reader.uint32();
    reader.bytes(2);
    const modifier = reader.int32();
    return { name, typeOid, modifier, format: reader.int16() };
  });
}

export function decodeColumnNames(bytes: Buffer, start: number, end: number): string[] {
  const reader = new Reader(bytes, start + headerBytes, end);
  return Array.from({ length: reader.uint16() }, () => {
    const name = reader.cstringBytes().toString('utf8');
    reader.bytes(18);
    return name;
  });
}

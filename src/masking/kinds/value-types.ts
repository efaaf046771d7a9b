/**
 * PostgreSQL's types as masks need them: which there are, and their binary form as text and back.
 * OIDs are those of pg_type.dat; binary formats those of the types' send functions.
 */
import { decimalText, parseDecimal } from '../../policy/decimal.js';

export type ValueType =
  | 'text'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'numeric'
  | 'float4'
  | 'float8'
  | 'bool'
  | 'uuid'
  | 'bytea'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'json'
  | 'jsonb';

/** Types, and those of arrays of them. */
const oids: readonly (readonly [oid: number, array: number, type: ValueType])[] = [
  [25, 1009, 'text'],
  [1043, 1015, 'text'],
  [1042, 1014, 'text'],
  [19, 1003, 'text'],
  [705, 0, 'text'],
  [21, 1005, 'int2'],
  [23, 1007, 'int4'],
  [20, 1016, 'int8'],
  [1700, 1231, 'numeric'],
  [700, 1021, 'float4'],
  [701, 1022, 'float8'],
  [16, 1000, 'bool'],
  [2950, 2951, 'uuid'],
  [17, 1001, 'bytea'],
  [1082, 1182, 'date'],
  [1114, 1115, 'timestamp'],
  [1184, 1185, 'timestamptz'],
  [114, 199, 'json'],
  [3802, 3807, 'jsonb'],
];

const byOid = new Map(oids.map(([oid, , type]) => [oid, type]));
const byArray = new Map(oids.flatMap(([, array, type]) => (array === 0 ? [] : [[array, type] as const])));

export const typeOf = (oid: number): ValueType | undefined => byOid.get(oid);
/** The type of an array's elements; undefined for what is no array of a known type. */
export const elementTypeOf = (oid: number): ValueType | undefined => byArray.get(oid);

export interface Codec {
  /** Whether a client can read the text as one of the type. */
  isValid(text: string): boolean;
  readonly binary:
    | 'as-text'
    | {
        /** Undefined for what has no such text: infinity, NaN, another length. */
        read(bytes: Buffer): string | undefined;
        write(text: string): Buffer | undefined;
      };
}

const wholeNumber = /^-?\d{1,20}$/;

function integer(size: 2 | 4 | 8): Codec {
  const bits = BigInt(size * 8);
  const fits = (text: string): boolean =>
    wholeNumber.test(text) && BigInt.asIntN(Number(bits), BigInt(text)) === BigInt(text);
  return {
    isValid: fits,
    binary: {
      read(bytes) {
        if (bytes.length !== size) return undefined;
        return String(size === 8 ? bytes.readBigInt64BE() : bytes.readIntBE(0, size));
      },
      write(text) {
        if (!fits(text)) return undefined;
        const bytes = Buffer.alloc(size);
        if (size === 8) bytes.writeBigInt64BE(BigInt(text));
        else bytes.writeIntBE(Number(text), 0, size);
        return bytes;
      },
    },
  };
}

function float(size: 4 | 8): Codec {
  const isValid = (text: string): boolean => parseDecimal(text) !== undefined;
  return {
    isValid,
    binary: {
      read(bytes) {
        if (bytes.length !== size) return undefined;
        const value = size === 4 ? bytes.readFloatBE() : bytes.readDoubleBE();
        // a float4 has seven digits; as a double it would show more
        return Number.isFinite(value) ? String(size === 4 ? Number(value.toPrecision(7)) : value) : undefined;
      },
      write(text) {
        if (!isValid(text)) return undefined;
        const bytes = Buffer.alloc(size);
        if (size === 4) bytes.writeFloatBE(Number(text));
        else bytes.writeDoubleBE(Number(text));
        return bytes;
      },
    },
  };
}

const numericNegative = 0x4000;

/** numeric_send: digits in base 10000. */
const numeric: Codec = {
  isValid: (text) => parseDecimal(text) !== undefined,
  binary: {
    read(bytes) {
      if (bytes.length < 8) return undefined;
      const count = bytes.readUInt16BE(0);
      const weight = bytes.readInt16BE(2);
      const sign = bytes.readUInt16BE(4);
      const scale = bytes.readUInt16BE(6);
      if (bytes.length !== 8 + count * 2 || (sign !== 0 && sign !== numericNegative)) return undefined;
      if (count > 100 || Math.abs(weight) > 100 || scale > 400) return undefined;
      let digits = 0n;
      for (let at = 0; at < count; at++) digits = digits * 10_000n + BigInt(bytes.readUInt16BE(8 + at * 2));
      // the last digit stands for 10000 to the power of (weight - count + 1)
      const power = (weight - count + 1) * 4 + scale;
      const scaled = power >= 0 ? digits * 10n ** BigInt(power) : digits / 10n ** BigInt(-power);
      return decimalText(sign === 0 ? scaled : -scaled, scale);
    },
    write(text) {
      const value = parseDecimal(text);
      if (value === undefined) return undefined;
      const negative = value.digits < 0n;
      let digits = negative ? -value.digits : value.digits;
      // a whole number of groups behind the point
      const groups = Math.ceil(value.scale / 4);
      digits *= 10n ** BigInt(groups * 4 - value.scale);
      const base: number[] = [];
      for (; digits > 0n; digits /= 10_000n) base.unshift(Number(digits % 10_000n));
      const bytes = Buffer.alloc(8 + base.length * 2);
      bytes.writeUInt16BE(base.length, 0);
      bytes.writeInt16BE(base.length === 0 ? 0 : base.length - groups - 1, 2);
      bytes.writeUInt16BE(negative ? numericNegative : 0, 4);
      bytes.writeUInt16BE(value.scale, 6);
      for (const [at, one] of base.entries()) bytes.writeUInt16BE(one, 8 + at * 2);
      return bytes;
    },
  },
};

const uuidText = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const uuid: Codec = {
  isValid: (text) => uuidText.test(text),
  binary: {
    read(bytes) {
      const hex = bytes.toString('hex');
      return bytes.length === 16 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : undefined;
    },
    write: (text) => (uuidText.test(text) ? Buffer.from(text.replaceAll('-', ''), 'hex') : undefined),
  },
};

const hexText = /^\\x(?:[0-9a-f]{2})*$/;

const bytea: Codec = {
  isValid: (text) => hexText.test(text),
  binary: {
    read: (bytes) => `\\x${bytes.toString('hex')}`,
    write: (text) => (hexText.test(text) ? Buffer.from(text.slice(2), 'hex') : undefined),
  },
};

const bool: Codec = {
  isValid: (text) => text === 't' || text === 'f',
  binary: {
    read: (bytes) => (bytes.length === 1 ? (bytes[0] === 1 ? 't' : 'f') : undefined),
    write: (text) => (text === 't' || text === 'f' ? Buffer.from([text === 't' ? 1 : 0]) : undefined),
  },
};

/** PostgreSQL counts from 2000-01-01. */
export const epochMs = Date.UTC(2000, 0, 1);
export const dayMs = 86_400_000;

/** ISO DateStyle only; other styles put the parts in an order that depends on the session. */
function instant(pattern: RegExp, form: (iso: string) => string, size: 4 | 8): Codec {
  const msOf = (text: string): number | undefined => {
    if (!pattern.test(text)) return undefined;
    const iso = text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00');
    const ms = Date.parse(size === 4 ? `${iso}T00:00:00Z` : /[+-]\d\d:\d\d$/.test(iso) ? iso : `${iso}Z`);
    // Date.parse moves 31 February into March
    return Number.isNaN(ms) || (size === 4 && new Date(ms).toISOString().slice(0, 10) !== text) ? undefined : ms;
  };
  return {
    isValid: (text) => msOf(text) !== undefined,
    binary: {
      read(bytes) {
        if (bytes.length !== size) return undefined;
        const since = size === 4 ? bytes.readInt32BE() * dayMs : Number(bytes.readBigInt64BE() / 1000n);
        const date = new Date(epochMs + since);
        const year = date.getUTCFullYear();
        return Number.isNaN(year) || year < 1 || year > 9999 ? undefined : form(date.toISOString());
      },
      write(text) {
        const ms = msOf(text);
        if (ms === undefined) return undefined;
        const bytes = Buffer.alloc(size);
        if (size === 4) bytes.writeInt32BE(Math.round((ms - epochMs) / dayMs));
        else bytes.writeBigInt64BE(BigInt(ms - epochMs) * 1000n);
        return bytes;
      },
    },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The byte in front of jsonb's text (jsonb_send). */
const jsonbVersion = 1;

export const codecs: { readonly [T in ValueType]: Codec } = {
  text: { isValid: (text) => !text.includes('\0'), binary: 'as-text' },
  int2: integer(2),
  int4: integer(4),
  int8: integer(8),
  numeric,
  float4: float(4),
  float8: float(8),
  bool,
  uuid,
  bytea,
  date: instant(/^\d{4}-\d\d-\d\d$/, (iso) => iso.slice(0, 10), 4),
  timestamp: instant(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, (iso) => iso.slice(0, 19).replace('T', ' '), 8),
  timestamptz: instant(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d(:\d\d)?$/,
    (iso) => `${iso.slice(0, 19).replace('T', ' ')}+00`,
    8,
  ),
  json: { isValid: isJson, binary: 'as-text' },
  jsonb: {
    isValid: isJson,
    binary: {
      read: (bytes) => (bytes[0] === jsonbVersion ? bytes.toString('utf8', 1) : undefined),
      write: (text) => Buffer.concat([Buffer.from([jsonbVersion]), Buffer.from(text, 'utf8')]),
    },
  },
};

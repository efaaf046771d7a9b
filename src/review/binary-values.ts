/** Values in binary format as PostgreSQL would write them: the types that masks know, and moments to the microsecond. */
import { codecs, epochMs, typeOf } from '../masking/kinds/value-types.js';

/** Undefined for what has no such text here. */
export function binaryText(bytes: Buffer, typeOid: number): string | undefined {
  const type = typeOf(typeOid);
  if (type === undefined) return undefined;
  if (type === 'timestamp' || type === 'timestamptz') return moment(bytes, type === 'timestamptz' ? '+00' : '');
  const { binary } = codecs[type];
  return binary === 'as-text' ? bytes.toString('utf8') : binary.read(bytes);
}

/** timestamp_send: microseconds since 2000-01-01. */
function moment(bytes: Buffer, zone: string): string | undefined {
  if (bytes.length !== 8) return undefined;
  const since = bytes.readBigInt64BE();
  const fraction = ((since % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const date = new Date(epochMs + Number((since - fraction) / 1000n));
  const year = date.getUTCFullYear();
  if (Number.isNaN(year) || year < 1 || year > 9999) return undefined;
  const behind = fraction === 0n ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}${behind}${zone}`;
}

/** For each kind of mask a column of values that it is for, and what masks it. A kind without one does not compile. */
import type { MaskKind } from '../../src/policy/mask-kinds.js';

export interface MaskedExample {
  /** As dbguard.yaml says it, but for the column. */
  readonly mask: { readonly [key: string]: unknown };
  /** PostgreSQL's. */
  readonly type: 'text' | 'date' | 'int4' | 'numeric' | 'jsonb';
  /** Of row `n`, in text format; another one in nearly every row. */
  value(n: number): string;
}

const address = (n: number): string => `${hex(n)}${hex(n + 0.5)}@example.com`;

export const maskedExamples: { readonly [K in MaskKind]: MaskedExample } = {
  null: { mask: {}, type: 'text', value: address },
  fixed: { mask: { value: '***' }, type: 'text', value: address },
  partial: { mask: { keep: 4 }, type: 'text', value: address },
  pattern: {
    mask: { pattern: '***-**-####' },
    type: 'text',
    value: (n) => `${digits(n, 3)}-${digits(n + 0.5, 2)}-${digits(n + 0.25, 4)}`,
  },
  hash: { mask: {}, type: 'text', value: address },
  date: {
    mask: { keep: 'year' },
    type: 'date',
    value: (n) => new Date(Date.UTC(1930, 0, 1) + (noise(n) % 30_000) * 86_400_000).toISOString().slice(0, 10),
  },
  round: { mask: { to: 1000 }, type: 'int4', value: (n) => String(noise(n) % 200_000) },
  bucket: {
    mask: { bounds: [0, 40_000, 60_000, 90_000] },
    type: 'numeric',
    value: (n) => `${noise(n) % 200_000}.${digits(n, 2)}`,
  },
  email: { mask: {}, type: 'text', value: address },
  card: {
    mask: {},
    type: 'text',
    value: (n) => ['4', '1', '2', '3'].map((one, at) => one + digits(n + at / 4, 3)).join(' '),
  },
  phone: { mask: {}, type: 'text', value: (n) => `+43 ${digits(n, 3)} ${digits(n + 0.5, 7)}` },
  json: {
    mask: { hide: ['$.ssn', '$..email'] },
    type: 'jsonb',
    value: (n) =>
      `{"id": ${n}, "ssn": "${digits(n, 9)}", "name": "${hex(n)}", "tags": ["new", "paid"], "contact": {"city": "Graz", "email": "${hex(n)}@example.com"}}`,
  },
  detected: {
    mask: {},
    type: 'text',
    value: (n) => `Called on Monday about order ${noise(n) % 100_000}, wants the invoice sent to ${hex(n)}@example.com`,
  },
};

/** A pseudo-random 32-bit number, always the same of the same (the finaliser of MurmurHash3). */
function noise(n: number): number {
  let bits = Math.imul(n * 8, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

const hex = (n: number): string => (noise(n).toString(16) + noise(n + 0.25).toString(16)).padEnd(16, '0');
const digits = (n: number, count: number): string =>
  String(noise(n)).padStart(10, '0').slice(-count).padStart(count, '7');

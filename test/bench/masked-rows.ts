/** A table for each kind of mask, and how fast its rows come back with one column masked. */
import type { MaskKind } from '../../src/policy/mask-kinds.js';
import { copyData, query } from '../helpers/wire-messages.js';
import { maskedExamples } from './masked-kinds.js';
import type { Measure } from './measures.js';
import { RawClient } from './raw-client.js';
import type { BenchTarget } from './targets.js';

const kinds = Object.keys(maskedExamples) as MaskKind[];
const nameOf = (kind: MaskKind, rows: number): string => `${rows} rows, one masked: ${kind}`;

/** Where nothing masks, the same rows as they are. Counted in rows: a masked value may be shorter than what it hides. */
export function maskedRows(rows: number): Measure[] {
  return kinds.map((kind) => ({
    name: nameOf(kind, rows),
    ...{ unit: 'rows/ms', more: true, goals: [{ of: 'byte pipe', ratio: 0.9 }] },
    async of(target) {
      const client = await RawClient.open(target.masking ?? target);
      try {
        const start = performance.now();
        await client.request(query(`SELECT id, number, value FROM masked_${kind}`));
        // a refusal is fast, and no figure
        return client.received < rows * 10 ? undefined : rows / (performance.now() - start);
      } finally {
        client.close();
      }
    },
  }));
}

/** Of the kinds whose measure is chosen. */
export async function fillMaskedRows(
  server: BenchTarget,
  rows: number,
  chosen: (name: string) => boolean,
): Promise<void> {
  for (const kind of kinds.filter((one) => chosen(nameOf(one, rows)))) {
    const { type, value } = maskedExamples[kind];
    const client = await RawClient.open(server);
    await client.request(query(`CREATE TABLE masked_${kind} (id int, number int, value ${type})`));
    await client.copyIn(query(`COPY masked_${kind} FROM STDIN`), chunks(rows, value));
    client.close();
  }
}

function* chunks(rows: number, value: (n: number) => string): Generator<Buffer> {
  const each = 1000;
  for (let first = 0; first < rows; first += each) {
    const lines = Array.from({ length: Math.min(each, rows - first) }, (_, at) => {
      const n = first + at;
      return `${n}\t${n * 2}\t${value(n)}\n`;
    });
    yield copyData(lines.join(''));
  }
}

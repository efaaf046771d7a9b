import t from 'tap';
import { maskDiagnostics } from '../../src/masking/diagnostics.js';
import { type Format, growthFor } from '../../src/masking/kinds/cell.js';
import { type CellType, cellMask } from '../../src/masking/kinds/table.js';
import { RowRewriter } from '../../src/masking/row-rewriter.js';
import type { Mask } from '../../src/policy/mask-kinds.js';
import { decodeFields, encodeError } from '../../src/wire/backend.js';

const key = Buffer.alloc(32, 1);

function masked(mask: Mask, oid: number | undefined, value: string | Buffer, format: Format = 'text', textual = false) {
  const type: CellType = { oid, textual };
  const cell = cellMask(mask, type, format, { session: key });
  const from = Buffer.from(value as string);
  const to = Buffer.alloc(from.length + growthFor(cell, from, 0, from.length));
  const length = cell.write(from, 0, from.length, to, 0);
  return length < 0 ? null : to.subarray(0, length);
}

t.test('partial keeps the last characters, and nothing of a short value', async (t) => {
  const last4: Mask = { kind: 'partial', first: 0, last: 4 };
  t.equal(masked(last4, 25, '123-45-6789')?.toString(), '*******6789');
  t.equal(masked(last4, 1043, '6789')?.toString(), '****');
  t.equal(masked(last4, 25, '')?.toString(), '');
  t.equal(masked(last4, 25, 'žluťoučký')?.toString(), '*****učký');
  t.equal(masked(last4, 25, Buffer.from([0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6])), null, 'not UTF-8');
  t.equal(masked({ kind: 'partial', first: 0, last: 0 }, 25, 'abc')?.toString(), '***');
  t.equal(masked(last4, 23, '123456789'), null, 'a number has no last characters');
  t.equal(masked(last4, 99999, 'a@b.example', 'text', true)?.toString(), '*******mple', 'citext');
});

t.test('hash is the same for the same value, in both formats, and fits the type', async (t) => {
  const hash: Mask = { kind: 'hash', joins: 'session' };
  const int = Buffer.alloc(4);
  int.writeInt32BE(-42);
  const text = Number(masked(hash, 23, '-42')?.toString());
  t.ok(text >= 0 && text < 2 ** 31);
  t.equal(masked(hash, 23, int, 'binary')?.readInt32BE(), text);
  const long = Buffer.alloc(8);
  long.writeBigInt64BE(-42n);
  t.equal(masked(hash, 20, long, 'binary')?.readBigInt64BE(), BigInt(masked(hash, 20, '-42')?.toString() ?? 0));
  const short = Buffer.alloc(2);
  short.writeInt16BE(7);
  t.equal(masked(hash, 21, short, 'binary')?.readInt16BE(), Number(masked(hash, 21, '7')?.toString()));
  const uuid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
  const masked1 = masked(hash, 2950, uuid)?.toString() ?? '';
  t.match(masked1, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  t.equal(
    masked(hash, 2950, Buffer.from(uuid.replaceAll('-', ''), 'hex'), 'binary')?.toString('hex'),
    masked1.replaceAll('-', ''),
  );
  t.not(masked(hash, 25, 'a')?.toString(), masked(hash, 25, 'b')?.toString());
  t.equal(masked(hash, 1700, '1.5')?.toString(), masked(hash, 1700, '1.50')?.toString(), 'equal to PostgreSQL');
  t.equal(masked({ kind: 'hash', joins: 'organisation' }, 25, 'a'), null, 'no key of the organisation');
  const cmac = '1c5fe95d6d6c6667f8bb7bcf0c327533';
  t.equal(masked(hash, 25, 'a')?.toString(), cmac, 'what an organisation has hashed stays what it is');
});

t.test('date keeps its precision', async (t) => {
  t.equal(masked({ kind: 'date', keep: 'month' }, 1082, '1987-06-15')?.toString(), '1987-06-01');
  t.equal(
    masked({ kind: 'date', keep: 'year' }, 1184, '1987-06-15 10:11:12.5+02')?.toString(),
    '1987-01-01 00:00:00+02',
  );
  t.equal(masked({ kind: 'date', keep: 'day' }, 1114, '1987-06-15 10:11:12')?.toString(), '1987-06-15 00:00:00');
  for (const odd of ['infinity', '15.06.1987', '0044-03-15 BC', '06/15/1987']) {
    t.equal(masked({ kind: 'date', keep: 'year' }, 1082, odd), null, odd);
  }
  const before2000 = Buffer.alloc(8);
  before2000.writeBigInt64BE(-1n);
  const year = masked({ kind: 'date', keep: 'year' }, 1114, before2000, 'binary');
  t.equal(year?.readBigInt64BE(), BigInt(Date.UTC(1999, 0, 1) - Date.UTC(2000, 0, 1)) * 1000n);
  const infinity = Buffer.alloc(8);
  infinity.writeBigInt64BE(2n ** 63n - 1n);
  t.equal(masked({ kind: 'date', keep: 'year' }, 1114, infinity, 'binary'), null);
  t.equal(masked({ kind: 'date', keep: 'year' }, 25, '1987-06-15'), null, 'text is not a date');
});

t.test('fixed fits the type or is NULL', async (t) => {
  t.equal(masked({ kind: 'fixed', value: '***' }, 25, 'x')?.toString(), '***');
  t.equal(masked({ kind: 'fixed', value: '***' }, 23, '1'), null);
  t.equal(masked({ kind: 'fixed', value: '0' }, 23, '77')?.toString(), '0');
  t.equal(masked({ kind: 'fixed', value: '7' }, 23, Buffer.alloc(4), 'binary')?.readInt32BE(), 7);
  t.equal(masked({ kind: 'fixed', value: 'x' }, 3802, '{}'), null, 'not JSON');
});

t.test('a row that is not what was announced is hidden; a broken one is refused', async (t) => {
  const row = Buffer.from('440000001500020000000161000000066162636465660000'.slice(0, 44), 'hex');
  const cells = (masks: ConstructorParameters<typeof RowRewriter>[0]): string => {
    let out = '';
    new RowRewriter(masks).rewrite(Buffer.from(row), 0, row.length, (bytes, start, end) => {
      out = bytes.toString('latin1', start, end);
    });
    return out;
  };
  t.equal(row.length, 22);
  const last2 = cellMask({ kind: 'partial', first: 0, last: 2 }, { oid: 25, textual: false }, 'text', { session: key });
  t.ok(cells([undefined, last2]).endsWith('a\0\0\0\x06****ef'));
  for (const masks of [undefined, [undefined], [undefined, undefined, undefined]]) t.notMatch(cells(masks), /a|cdef/);
  for (let cut = 5; cut < row.length; cut++) {
    t.throws(
      () => new RowRewriter([undefined, last2]).rewrite(Buffer.from(row), 0, cut, () => {}),
      /row/,
      `cut at ${cut}`,
    );
  }
});

t.test('diagnostics keep codes and names', async (t) => {
  const fields = (code: string, message: string) => {
    const bytes = maskDiagnostics(
      ...whole(encodeError({ severity: 'ERROR', code, message, detail: 'Key=(s3cret)', hint: 's3cret?' })),
    );
    return decodeFields(bytes, 0, bytes.length);
  };
  const unique = fields('23505', 'duplicate key s3cret');
  t.notMatch([...unique.values()].join(), /s3cret/);
  t.equal(unique.get('C'), '23505');
  t.equal(unique.get('V'), 'ERROR');
  t.match(unique.get('M'), /unique constraint/);
  t.equal(
    fields('57014', 'canceling statement due to user request').get('M'),
    'canceling statement due to user request',
  );
  t.notMatch([...fields('42P01', 'relation "s3cret" does not exist').values()].join(), /s3cret/, 'a runtime lookup');
});

function whole(bytes: Buffer): [Buffer, number, number] {
  return [bytes, 0, bytes.length];
}

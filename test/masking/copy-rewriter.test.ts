import t from 'tap';
import { CopyRewriter } from '../../src/masking/copy-rewriter.js';
import { cellMask } from '../../src/masking/kinds/table.js';
import { message } from '../../src/wire/backend.js';
import { backend, headerBytes } from '../../src/wire/messages.js';

const keep2 = cellMask({ kind: 'partial', first: 0, last: 2 }, { oid: 25, textual: false }, 'text', {
  session: Buffer.alloc(32),
});
const defaults = { header: false, quote: '"', escape: '"', encoding: undefined } as const;

function rewrite(rewriter: CopyRewriter, chunks: readonly Buffer[]): string {
  const out: Buffer[] = [];
  const take = (bytes: Buffer, start: number, end: number): void => {
    for (let at = start; at < end; at += 1 + bytes.readInt32BE(at + 1))
      out.push(bytes.subarray(at + headerBytes, at + 1 + bytes.readInt32BE(at + 1)));
  };
  for (const chunk of chunks) {
    const data = message(backend.copyData, chunk);
    rewriter.rewrite(data, 0, data.length, take);
  }
  rewriter.finish(take);
  return Buffer.concat(out).toString('utf8');
}

const cases = [
  {
    what: 'text',
    options: { ...defaults, format: 'text', delimiter: '\t', null: '\\N' },
    data: 'a\\\\\tse\\tcret\\n\n\\N\t\\N\nb\\\tc\tßecrét\n',
    expected: 'a\\\\\t******t\\n\n\\N\t\\N\nb\\\tc\t****ét\n',
  },
  {
    what: 'csv',
    options: { ...defaults, format: 'csv', delimiter: ',', null: '' },
    data: 'plain,secret\n"a ""q"", \n",",se""cr\net"\n,\n',
    expected: 'plain,"****et"\n"a ""q"", \n","*******et"\n,\n',
  },
  {
    what: 'csv with an escape character of its own',
    options: { ...defaults, escape: '\\', format: 'csv', delimiter: ';', null: 'NIL' },
    data: '"a\\";\\\\";"x\\"yz\n1"\nNIL;NIL\n',
    expected: '"a\\";\\\\";"****\n1"\nNIL;NIL\n',
  },
] as const;

for (const { what, options, data, expected } of cases) {
  t.test(`${what}, cut at every byte`, async (t) => {
    const bytes = Buffer.from(data);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const rewriter = new CopyRewriter([undefined, keep2], options);
      t.equal(rewrite(rewriter, [bytes.subarray(0, cut), bytes.subarray(cut)]), expected, `cut at ${cut}`);
    }
  });
}

t.test('a record with another number of fields is hidden', async (t) => {
  const rewriter = new CopyRewriter([undefined, keep2], { ...defaults, format: 'text', delimiter: '\t', null: '\\N' });
  t.equal(rewrite(rewriter, [Buffer.from('a\tb\tsecret\n')]), '\\N\t\\N\t\\N\n');
});

t.test('only the header passes, and only where there is one', async (t) => {
  const options = { format: 'csv', delimiter: ',', null: '' } as const;
  const data = [Buffer.from('id,ssn\n1,secret\n')];
  t.equal(
    rewrite(new CopyRewriter([undefined, keep2], { ...defaults, ...options, header: true }), data),
    'id,ssn\n1,"****et"\n',
  );
  t.equal(rewrite(new CopyRewriter([undefined, keep2], { ...defaults, ...options }), data), 'id,"*sn"\n1,"****et"\n');
});

import { createHash } from 'node:crypto';
import { test } from 'tap';
import { Chain } from '../../src/transcript/chain.js';
import { RawJson } from '../../src/transcript/entry.js';
import {
  decodeDisclosure,
  decodeLine,
  decodePayload,
  digest,
  EMPTY_HASH,
  encodeLine,
  LINE_END,
  MAX_DISCLOSED,
  preAuthEncoding,
} from '../../src/transcript/line.js';
import { MerkleTree } from '../../src/transcript/merkle-tree.js';

const sources = { now: () => 1_700_000_000_000_000, randomBytes: (size: number) => Buffer.alloc(size, 7) };
const read = (line: string) => {
  const { payload, disclosures } = decodeLine((line + LINE_END).trimEnd());
  return { entry: decodePayload(payload), disclosures: disclosures.map(decodeDisclosure), payload };
};

test('entries are numbered, timed and chained to the one before', async (t) => {
  const chain = new Chain('s1', sources);
  const first = chain.add({ k: 'heartbeat' });
  const second = chain.add({ k: 'outcome', of: 0, tag: undefined, rows: Number.NaN });
  t.match(read(first.line).entry, { sid: 's1', n: 0, t: 1_700_000_000_000_000, k: 'heartbeat', prev: EMPTY_HASH });
  t.match(read(second.line).entry, { n: 1, prev: digest(first.preAuth), fields: { of: 0, rows: null } });
  t.notOk('tag' in read(second.line).entry.fields, 'undefined fields are left out');
  t.equal(chain.head, digest(second.preAuth));
  t.equal(chain.size, 2);
});

test('the pre-authentication encoding counts bytes, not characters', async (t) => {
  t.equal(preAuthEncoding('{"a":"ü"}'), 'DSSEv1 37 application/vnd.dbguard.entry.v1+json 10 {"a":"ü"}');
});

test('any text survives: quotes, controls, lone surrogates, what JSON would escape', async (t) => {
  const chain = new Chain('s"1', sources);
  const nasty = `a"b\\c\u0000\u001f\u2028\ud800é😀\n`;
  const { line, preAuth } = chain.add({ k: 'statement', rule: nasty, 'odd "key"': [nasty] }, { sql: nasty, bind: '' });
  const { entry, disclosures, payload } = read(line);
  t.equal(entry.fields.rule, nasty);
  t.same(entry.fields['odd "key"'], [nasty]);
  t.same(
    disclosures.map(({ name, value }) => [name, value]),
    [
      ['sql', nasty],
      ['bind', ''],
    ],
  );
  t.same(
    disclosures.map((one) => one.digest),
    [entry.c.sql, entry.c.bind],
  );
  t.equal(preAuthEncoding(payload), preAuth, 'what is read is what was signed');
});

test('ready-made JSON stands as it is', async (t) => {
  const chain = new Chain('s1', sources);
  t.same(read(chain.add({ k: 'statement', facts: new RawJson([{ a: 1 }]) }).line).entry.fields.facts, [{ a: 1 }]);
});

test('salts differ and have 132 bits; the pool is refilled', async (t) => {
  let asked = 0;
  const chain = new Chain('s1', {
    ...sources,
    randomBytes: (size) => createHash('shake256', { outputLength: size }).update(`${asked++}`).digest(),
  });
  const salts = new Set<string>();
  for (let i = 0; i < 2000; i++) {
    const [text = ''] = decodeLine((chain.add({ k: 'statement' }, { sql: 'x' }).line + LINE_END).trimEnd()).disclosures;
    const salt = String(JSON.parse(text)[0]);
    if (/^[\w-]{22}$/.test(salt)) salts.add(salt);
  }
  t.equal(salts.size, 2000);
  t.ok(asked > 1);
});

test('an entry that cannot be made leaves the chain as it was', async (t) => {
  const chain = new Chain('s1', sources);
  chain.add({ k: 'heartbeat' });
  const { head } = chain;
  t.throws(() => chain.add({ k: 'statement', prev: 'mine' }), TypeError);
  t.throws(() => chain.add({ k: 'statement' }, { sql: 'x'.repeat(MAX_DISCLOSED + 1) }), { code: 'limit-exceeded' });
  t.equal(chain.head, head);
  t.equal(chain.size, 1);
});

test('seals carry size, root and totals', async (t) => {
  const chain = new Chain('s1', sources);
  chain.add({ k: 'statement', decision: 'ask' });
  chain.add({ k: 'verdict', decision: 'deny' });
  chain.add({ k: 'statement', decision: 'allow' });
  const seal = chain.seal(false);
  t.match(seal, { size: 3, totals: { statements: 2, asked: 1, denied: 1 } });
  t.notOk('final' in seal);
  t.equal(chain.seal(true).final, true);
});

/** RFC 6962 section 2.1, as written there: MTH(D[n]) by the largest power of two below n. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (leaves.length === 0 || only === undefined) return createHash('sha256').digest();
  if (leaves.length === 1) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return createHash('sha256')
    .update(Buffer.from([1]))
    .update(treeHash(leaves.slice(0, split)))
    .update(treeHash(leaves.slice(split)))
    .digest();
}

test('the running root is RFC 6962’s root for every size', async (t) => {
  const tree = new MerkleTree();
  const leaves: Buffer[] = [];
  t.equal(tree.root(), EMPTY_HASH);
  for (let i = 0; i < 70; i++) {
    const leaf = createHash('sha256').update(`leaf ${i}`).digest();
    leaves.push(leaf);
    tree.add(leaf.toString('base64url'));
    t.equal(tree.root(), treeHash(leaves).toString('base64url'));
  }
});

test('a line has one spelling', async (t) => {
  const line = encodeLine({ payload: '{"a":1}', disclosures: ['["s","n",1]'], signature: 'abc' });
  t.same(decodeLine(line), { payload: '{"a":1}', disclosures: ['["s","n",1]'], signature: 'abc' });
  const twins = [
    line.replace('{"p"', '{ "p"'),
    line.replace('"s":"abc"', '"s":"abc","s":"abc"'),
    line.replace('"s":"abc"', '"s":"abc","y":1'),
    `{"s":"abc",${line.slice(1).replace(',"s":"abc"', '')}`,
    line.replace('abc', '\\u0061bc'),
    `${line} `,
    '{"p":1}',
    '{"p":"","x":[1]}',
    '{"p":"","x":[]}',
    '[]',
    '',
  ];
  for (const twin of twins) t.throws(() => decodeLine(twin), { code: 'transcript-invalid' }, twin);
});

import { createHash, sign, verify } from 'node:crypto';
import { test } from 'tap';
import { Chain } from '../../src/transcript/chain.js';
import { RawJson } from '../../src/transcript/entry.js';
import {
  decodeDisclosure,
  decodeLine,
  decodePayload,
  digest,
  firstHead,
  MAX_DISCLOSED,
  signatureLine,
} from '../../src/transcript/line.js';
import { newKeyPair } from '../helpers/keys.js';
import { readEntryLine } from './recorded.js';

const sources = { now: () => 1_700_000_000_000_000, randomBytes: (size: number) => Buffer.alloc(size, 7) };
const read = (line: string) => {
  const { payload, disclosures } = readEntryLine(line.trimEnd());
  return { entry: decodePayload(payload), disclosures: disclosures.map(decodeDisclosure), payload };
};

test('entries are numbered, timed and chained to the one before', async (t) => {
  const chain = new Chain('s1', sources);
  t.equal(chain.head, digest('dbguard-transcript-v1\0s1'));
  const first = chain.add({ k: 'heartbeat' });
  t.equal(chain.head, digest(digest('dbguard-transcript-v1\0s1') + first.line.trimEnd()));
  const { head } = chain;
  const second = chain.add({ k: 'outcome', of: 0, tag: undefined, rows: Number.NaN });
  t.match(read(first.line).entry, { n: 0, t: 1_700_000_000_000_000, k: 'heartbeat' });
  t.match(read(second.line).entry, { n: 1, fields: { of: 0, rows: null } });
  t.notOk('tag' in read(second.line).entry.fields, 'undefined fields are left out');
  t.equal(chain.head, digest(head + read(second.line).payload));
  t.equal(chain.size, 2);
});

test('what is disclosed is not part of the chain, its digest is', async (t) => {
  const chain = new Chain('s1', sources);
  const { head } = chain;
  const { line } = chain.add({ k: 'statement' }, { sql: 'SELECT 1', bind: ['1', null] });
  const [payload = '', sql = '', bind = ''] = line.trimEnd().split('\t');
  t.equal(chain.head, digest(head + payload));
  t.same(JSON.parse(payload).c, { sql: digest(sql), bind: digest(bind) });
  t.same(JSON.parse(bind).slice(1), ['bind', ['1', null]]);
});

test('a signature is over the session, the number of entries and the head, and is part of the chain', async (t) => {
  const { privateKey, publicKey } = newKeyPair('ed25519');
  const chain = new Chain('s"1', sources);
  chain.add({ k: 'heartbeat' });
  const { head } = chain;
  const line = decodeLine(chain.sign({ sign: (bytes) => sign(null, bytes, privateKey) }).trimEnd());
  t.match(line, { kind: 'signature', size: 1, head });
  if (line.kind !== 'signature') return;
  const body = `{"sid":"s\\"1","size":1,"head":"${head}"}`;
  const signed = `DSSEv1 36 application/vnd.dbguard.head.v1+json ${body.length} ${body}`;
  t.ok(verify(null, Buffer.from(signed), publicKey, Buffer.from(line.signature, 'base64url')));
  t.equal(chain.head, digest(head + line.text));
  t.equal(chain.size, 1, 'it is no entry');
});

test('any text survives: quotes, controls, lone surrogates, what JSON would escape', async (t) => {
  const chain = new Chain('s"1', sources);
  const nasty = `a"b\\c\t\u0000\u001f\u2028\ud800é😀\n`;
  const { line } = chain.add({ k: 'statement', rule: nasty, 'odd "key"': [nasty] }, { sql: nasty, reason: '' });
  const { entry, disclosures } = read(line);
  t.equal(entry.fields.rule, nasty);
  t.same(entry.fields['odd "key"'], [nasty]);
  t.same(
    disclosures.map(({ name, value }) => [name, value]),
    [
      ['sql', nasty],
      ['reason', ''],
    ],
  );
  t.same(
    disclosures.map((one) => one.digest),
    [entry.c.sql, entry.c.reason],
  );
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
    const [text = ''] = readEntryLine(chain.add({ k: 'statement' }, { sql: 'x' }).line.trimEnd()).disclosures;
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
  t.throws(() => chain.add({ k: 'statement', c: 'mine' }), TypeError);
  const long = 'x'.repeat(MAX_DISCLOSED / 2 + 1);
  t.throws(() => chain.add({ k: 'statement' }, { sql: long + long }), { code: 'limit-exceeded' });
  t.throws(() => chain.add({ k: 'statement' }, { sql: 'x', bind: [long, null, long] }), { code: 'limit-exceeded' });
  t.equal(chain.head, head);
  t.equal(chain.size, 1);
});

test('seals carry totals', async (t) => {
  const chain = new Chain('s1', sources);
  chain.add({ k: 'statement', decision: 'ask' });
  chain.add({ k: 'verdict', decision: 'deny' });
  chain.add({ k: 'statement', decision: 'allow' });
  const seal = chain.seal(false);
  t.match(seal, { totals: { statements: 2, asked: 1, denied: 1 } });
  t.notOk('final' in seal);
  t.equal(chain.seal(true).final, true);
});

test('a signature line has one spelling', async (t) => {
  const line = signatureLine(12, firstHead('s1'), Buffer.alloc(64, 1));
  t.match(decodeLine(line), { kind: 'signature', size: 12, head: firstHead('s1') });
  const twins = [
    line.replace('"size":12', '"size": 12'),
    line.replace('"size":12', '"size":012'),
    line.replace('"size":12', '"size":1.2e1'),
    line.replace('"size":12', '"size":12,"size":12'),
    line.replace('}', ',"x":1}'),
    line.replace('"head"', '"he\\u0061d"'),
    line.replace(/"}$/, '="}'),
    `${line.slice(0, -3)}R"}`,
    `${line} `,
    `${line}\t["salt","sql",1]`,
  ];
  for (const twin of twins) t.throws(() => decodeLine(twin), { code: 'transcript-invalid' }, twin);
});

test('what is no entry is told with words', async (t) => {
  for (const text of [
    '',
    '[]',
    '1',
    '{"n":0}',
    '{"n":-1,"t":1,"k":"a"}',
    '{"n":0,"t":1.5,"k":"a"}',
    '{"n":0,"t":1,"k":1}',
  ]) {
    t.throws(() => decodePayload(text), { code: 'transcript-invalid' }, text);
  }
  for (const text of ['', '{}', '["a","b"]', '["a",1,2]', '["a","b",{"c":1,"c":2}]']) {
    t.throws(() => decodeDisclosure(text), { code: 'transcript-invalid' }, text);
  }
});

import { inspect } from 'node:util';
import t from 'tap';
import { ConnectionMemory } from '../../../src/io/upstream/memory.js';
import { deriveScramKeys } from '../../../src/wire/scram-keys.js';
import { makeCertificate } from './certificates.js';

t.test('SCRAM keys are derived again when password, salt or iterations differ', async (t) => {
  const memory = new ConnectionMemory();
  let derived = 0;
  const keys = (password: string, salt: string, iterations: number) =>
    memory.scramKeys({ password, salt: Buffer.from(salt), iterations }, (of) => {
      derived++;
      return deriveScramKeys(of.password, of.salt, of.iterations);
    });
  const first = await keys('pw', 'salt', 1);
  t.equal(await keys('pw', 'salt', 1), first, 'the same again');
  t.equal(derived, 1);
  const others = [await keys('pw2', 'salt', 1), await keys('pw', 'salt2', 1), await keys('pw', 'salt', 2)];
  t.equal(derived, 4);
  for (const other of others) t.notSame(other.clientKey, first.clientKey);
  t.same(await keys('pw', 'salt', 1), first);
});

t.test('a certificate that was renewed counts at the next connection', async (t) => {
  const memory = new ConnectionMemory();
  const [one, two] = [
    makeCertificate({ name: 'CA', authority: true }),
    makeCertificate({ name: 'CA', authority: true }),
  ];
  const context = memory.secureContext({ ca: [one.pem] });
  t.equal(memory.secureContext({ ca: [one.pem] }), context);
  t.not(memory.secureContext({ ca: [two.pem] }), context);
  t.throws(() => memory.secureContext({ cert: 'nonsense', key: 'nonsense' }));
});

t.test('attack: it does not print what it holds', async (t) => {
  const memory = new ConnectionMemory();
  const hush = { clientKey: Buffer.from('hush'), serverKey: Buffer.from('hush') };
  await memory.scramKeys({ password: 'hush', salt: Buffer.alloc(1), iterations: 1 }, async () => hush);
  t.notMatch(inspect(memory, { depth: 10, showHidden: true, customInspect: false }), 'hush');
  t.equal(JSON.stringify(memory), '{}');
});

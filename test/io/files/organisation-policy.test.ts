/** The organisation's signed policy: it wins, and nothing runs when it is missing or altered. */

import { sign } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfigs } from '../../../src/io/files/config-files.js';
import { compilePolicy } from '../../../src/policy/engine.js';
import { createAnalyser } from '../../../src/sql/analyser.js';
import { newKeyPair } from '../../helpers/keys.js';
import { input } from '../../policy/facts.js';

const analyser = await createAnalyser();
const organisation = newKeyPair('ed25519');
const somebody = newKeyPair('ed25519');
const spki = (key: typeof organisation) => key.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');

const policy = `version: 1
policy:
  rules:
    - { name: no-truncate, when: { effect: truncate }, then: deny }
`;

interface Given {
  readonly search: { readonly cwd: string; readonly env: NodeJS.ProcessEnv };
  readonly file: string;
  /** The folder of the user's own file. */
  readonly own: string;
}

/** The user's own file allows everything and pins `key`. */
function given(t: Test, key = spki(organisation)): Given {
  const folder = t.testdir();
  const env = { DBGUARD_HOME: join(folder, 'home') };
  const own = join(folder, 'home', 'config');
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const file = join(folder, 'policy.yaml');
  writeFileSync(
    join(own, 'dbguard.yaml'),
    `version: 1
organisation: { file: ${file}, key: ${key} }
policy:
  profile: observe
`,
  );
  write(file, policy, organisation);
  return { search: { cwd: folder, env }, file, own };
}

function write(file: string, text: string, key: typeof organisation): void {
  writeFileSync(file, text);
  writeFileSync(`${file}.sig`, `${sign(null, Buffer.from(text), key.privateKey).toString('base64')}\n`);
}

t.test('it is read, and its rules win over the user’s own', (t) => {
  const { search } = given(t);
  const compiled = compilePolicy(loadConfigs(search));
  const ruling = compiled.decide(input(analyser.analyse('TRUNCATE orders')));
  t.match(ruling, { decision: 'deny', rule: 'no-truncate' });
  t.equal(compiled.decide(input(analyser.analyse('DROP TABLE orders'))).decision, 'allow');
  t.end();
});

t.test('missing, altered, signed by somebody else: nothing is loaded', (t) => {
  const refused = (change: (given: Given) => void, message: RegExp, why: string): void => {
    const all = given(t);
    change(all);
    t.throws(() => loadConfigs(all.search), { code: 'config-invalid', message }, why);
  };
  const unfit = /signature does not fit/;
  refused(({ file }) => rmSync(file), /cannot read/, 'no file');
  refused(({ file }) => rmSync(`${file}.sig`), /cannot read/, 'no signature');
  refused(({ file }) => writeFileSync(file, policy.replace('deny', 'allow')), unfit, 'altered');
  refused(({ file }) => writeFileSync(file, `${policy}\n`), unfit, 'one byte more');
  refused(({ file }) => writeFileSync(`${file}.sig`, ''), unfit, 'an empty signature');
  refused(
    ({ file }) => writeFileSync(`${file}.sig`, Buffer.alloc(64).toString('base64')),
    unfit,
    'a signature of zeros',
  );
  refused(({ file }) => write(file, policy, somebody), unfit, 'another key');
  refused(({ file }) => write(file, 'version: 2\n', organisation), /version/, 'signed, and not understood');
  t.end();
});

t.test('the key has to be one, and only the user’s own file may name it', (t) => {
  const rsa = newKeyPair('rsa');
  const wrong = rsa.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  for (const key of ['abc', wrong]) {
    t.throws(() => loadConfigs(given(t, key).search), { code: 'config-invalid', message: /organisation.key.*Ed25519/ });
  }
  const { search, file } = given(t);
  writeFileSync(
    join(search.cwd, 'dbguard.yaml'),
    `version: 1\norganisation: { file: ${file}, key: ${spki(organisation)} }\n`,
  );
  t.throws(() => compilePolicy(loadConfigs(search)), { code: 'config-invalid', message: /only your own file/ });
  t.end();
});

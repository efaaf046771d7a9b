import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LOCAL_ISSUER, subjectInFull, subjectName } from '../../src/identity/subject-name.js';

t.test(
  'a person by address, else by the issuer’s name; a local key by its letters, and never without saying so',
  async (t) => {
    const iss = 'https://login.example.com';
    t.equal(subjectName({ iss, sub: 'u1', email: 'ada@example.test' }), 'ada@example.test');
    t.equal(subjectInFull({ iss, sub: 'u1' }), 'u1');
    const local = { iss: LOCAL_ISSUER, sub: 'local:3fK2a9QzXX' };
    t.equal(subjectInFull(local), 'local key 3fK2a9Qz (nobody vouches for it)');
    t.equal(subjectName({ ...local, email: 'ada@example.test' }), 'local key 3fK2a9Qz', 'whatever it says beside');
  },
);

t.test('nobody names a person by themselves: a local key would look like one', async (t) => {
  const root = join(import.meta.dirname, '../../src');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  const own = files.filter((name) => /email\s*\?\?(?!\s*'')/.test(readFileSync(join(root, name), 'utf8')));
  t.strictSame(own, [join('identity', 'subject-name.ts')]);
});

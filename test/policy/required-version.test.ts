/** `requires`: an older dbguard refuses a file that it cannot enforce, and says so before all else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { checkConfig } from '../../src/policy/config.js';
import { ownVersion } from '../../src/policy/required-version.js';
import { repositoryRoot } from '../helpers/repository.js';

const problems = (requires: string, running?: string, more = '') =>
  checkConfig(`version: 1\nrequires: ${requires}\n${more}`, 'dbguard.yaml', running).problems.map(
    ({ path, message }) => `${path}: ${message}`,
  );

t.test('the version of the policy is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  t.equal(ownVersion, version);
  t.strictSame(problems(`">=${version}"`), []);
});

t.test('what is beyond it is one sentence, whatever else it does not understand', async (t) => {
  t.strictSame(problems('">=1.4"', '1.3.9', 'quorum: { of: everybody }\npolicy: { profile: quantum }'), [
    'requires: this file needs dbguard 1.4 or later, and this is 1.3.9: update it; it cannot enforce all that the file says',
  ]);
  t.match(problems('">=1.4"', '1.4.0', 'quorum: {}'), [/quorum/], 'a key that is not known is refused all the same');
});

t.test('numbers are compared as numbers, and nothing else is a version', async (t) => {
  const part = fc.nat({ max: 30 });
  const versions = fc.tuple(part, part, part);
  fc.assert(
    fc.property(versions, versions, (running, wanted) => {
      const [a, b] = [running, wanted].map(([major, minor, patch]) => major * 10_000 + minor * 100 + patch) as [
        number,
        number,
      ];
      t.equal(problems(`">=${wanted.join('.')}"`, running.join('.')).length === 0, a >= b);
    }),
  );
  for (const one of ['1.4', '"1.4"', '">1.4"', '">=1"', '">=1.4 <2"', '">=v1.4"', '[]', '"*"', '""'])
    t.match(problems(one, '9.0.0'), [/requires: expected the oldest version/], one);
  t.match(problems('">=1.4"', '1.4.0-rc.1'), [/needs dbguard 1.4/], 'before its release it is not there yet');
  t.strictSame(problems('">=1.4"', '1.5.0-rc.1'), []);
});

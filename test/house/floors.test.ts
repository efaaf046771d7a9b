import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../helpers/repository.js';
import { floors, lintOverrides } from './floors.js';

const configuration = join(repositoryRoot, '.biome.json');

t.test('the linter keeps the floors that are written down', (t) => {
  const linter = JSON.parse(readFileSync(configuration, 'utf8'));
  if (process.env.UPDATE_FLOORS) {
    writeFileSync(configuration, `${JSON.stringify({ ...linter, overrides: lintOverrides }, null, 2)}\n`);
    linter.overrides = lintOverrides;
  }
  t.strictSame(linter.overrides, lintOverrides, 'to renew: UPDATE_FLOORS=1 npx tap run test/house/floors.test.ts');
  t.end();
});

t.test('every folder of src is a floor', (t) => {
  const folders = readdirSync(join(repositoryRoot, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  t.strictSame(folders.map((entry) => entry.name).sort(), floors.map((floor) => floor.name).sort());
  t.end();
});

t.test('a floor sees only floors that were built before it', (t) => {
  for (const [index, floor] of floors.entries()) {
    const built = floors.slice(0, index).map((other) => other.name);
    t.strictSame(
      floor.below.filter((name) => !built.includes(name)),
      [],
      floor.name,
    );
  }
  t.end();
});

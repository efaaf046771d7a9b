import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const root = join(import.meta.dirname, '..', '..');

t.test('keys are made in two places only, which know how not to wait for themselves', (t) => {
  const makers = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => path.endsWith('.ts') && path !== join('test', 'house', 'keys.test.ts'))
      .filter((path) =>
        /^import .*\bgenerateKeyPair(Sync)?\b.* from 'node:crypto'/m.test(readFileSync(join(root, path), 'utf8')),
      ),
  );
  t.same(makers.sort(), [join('src', 'identity', 'new-key.ts'), join('test', 'helpers', 'keys.ts')]);
  t.end();
});

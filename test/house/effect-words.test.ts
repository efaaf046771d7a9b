import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const root = join(import.meta.dirname, '..', '..', 'src');

t.test('words about an effect are written by sql/, and read only where people are told', (t) => {
  const readers = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith(join('sql', 'effects')))
    .filter((name) => {
      const source = readFileSync(join(root, name), 'utf8');
      return /\bEffect\b[^;]*from '[^']*facts\.js'|Judgement\b[^;]*from/.test(source) && /\bdetail\b/.test(source);
    });
  t.same(readers.sort(), [
    join('approval', 'headline.ts'),
    join('cli', 'judge', 'explanation.ts'),
    join('policy', 'wording.ts'),
  ]);
  t.end();
});

t.test('sets over kinds of effects are made in one place', (t) => {
  const own = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== join('sql', 'effect-traits.ts'))
    .filter((name) =>
      /(Set<EffectKind>|Partial<Record<EffectKind\b.*) = /.test(readFileSync(join(root, name), 'utf8')),
    );
  t.same(own, []);
  t.end();
});

/** Who follows a connection hears of its statements only when the connection's list has it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../helpers/repository.js';

const source = join(repositoryRoot, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const trackers = files.flatMap((file) =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/class (\w+) implements StatementTracker/g)].map(
    ([, name]) => name ?? '',
  ),
);
const state = readFileSync(join(source, 'proxy/statement/connection-state.ts'), 'utf8');
const [, list = ''] = /this\.trackers = new Trackers\(\[(.*?)\n {4}\]\);/s.exec(state) ?? [];
const fields = new Map(
  [...state.matchAll(/(this\.#?\w+) = (?:\S+ && )?new (\w+)\(/g)].map(([, at, name]) => [name, at]),
);
for (const [, at, name] of state.matchAll(/readonly (#?\w+) = new (\w+)\(/g)) fields.set(name, `this.${at}`);
// one for all connections of a database
fields.set('KnownExtents', 'extents');

t.ok(trackers.length > 5, 'they are found at all');
for (const name of trackers) {
  const written = [`new ${name}(`, `${fields.get(name)},`, `${fields.get(name)}]`];
  t.ok(
    written.some((one) => list.includes(one)),
    `${name} is in the list of trackers`,
  );
}
t.end();

import t from 'tap';
import { floors } from './floors.js';
import { circles, contract, type ImportGraph, readImports } from './imports.js';

const imports = readImports();

/** A folder in a floor is a room; a file directly in it stands alone. */
const roomsOf =
  (floor: string) =>
  (file: string): string | undefined => {
    const [first, room, ...rest] = file.split('/');
    if (first !== floor) return undefined;
    return rest.length > 0 ? `${room}/` : room;
  };

t.test('circles are found', (t) => {
  const graph = (arrows: Record<string, string[]>): ImportGraph => new Map(Object.entries(arrows));
  t.strictSame(circles(graph({ a: ['b'], b: ['c'], c: [] })), []);
  t.strictSame(circles(graph({ a: ['b'], b: ['c'], c: ['b', 'd'], d: [] })), [['b', 'c']]);
  t.strictSame(circles(graph({ a: ['a'] })), [['a']]);
  t.end();
});

t.test('no file imports itself through others, types included', (t) => {
  t.ok(imports.size > 300);
  t.strictSame(circles(imports), []);
  t.end();
});

t.test('inside each floor the rooms have one direction', (t) => {
  for (const { name } of floors) t.strictSame(circles(contract(imports, roomsOf(name))), [], name);
  t.end();
});

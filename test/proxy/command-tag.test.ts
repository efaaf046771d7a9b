import fc from 'fast-check';
import t from 'tap';
import { rowsChangedIn, rowsIn } from '../../src/proxy/command-tag.js';

t.test('a command tag says how many rows there were', async (t) => {
  const told: readonly (readonly [string, number | undefined, number | undefined])[] = [
    ['SELECT 7', 7, undefined],
    ['INSERT 0 5', 5, 5],
    ['INSERT 16384 1', 1, 1],
    ['UPDATE 0', 0, 0],
    ['DELETE 120', 120, 120],
    ['MERGE 3', 3, 3],
    ['COPY 12', 12, undefined],
    ['BEGIN', undefined, undefined],
    ['CREATE TABLE', undefined, undefined],
    ['UPDATE', undefined, undefined],
    ['7', undefined, undefined],
    ['SELECT x7', undefined, undefined],
    ['', undefined, undefined],
  ];
  for (const [tag, rows, changed] of told) {
    t.equal(rowsIn(tag), rows, tag);
    t.equal(rowsChangedIn(tag), changed, tag);
  }
});

t.test('any number is read as it is written', async () => {
  fc.assert(fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (rows) => rowsIn(`SELECT ${rows}`) === rows));
});

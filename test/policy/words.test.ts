import t from 'tap';
import { didYouMean } from '../../src/policy/did-you-mean.js';
import { globMatches, matchName, parseNamePattern } from '../../src/policy/name-pattern.js';
import { parseDuration, parseRowCondition, parseSize, satisfies } from '../../src/policy/units.js';

t.test('globs', async (t) => {
  for (const [pattern, text] of [
    ['', ''],
    ['*', ''],
    ['*', 'anything'],
    ['a*c', 'abbbc'],
    ['a*b*c', 'axxbxxbxxc'],
    ['a?c', 'abc'],
    ['**', 'x'],
    ['*.example.com', 'a.example.com'],
    ['a.c', 'a.c'],
  ]) {
    t.ok(globMatches(pattern ?? '', text ?? ''), `${pattern} ${text}`);
  }
  for (const [pattern, text] of [
    ['', 'a'],
    ['a', ''],
    ['a?c', 'ac'],
    ['a*c', 'abcd'],
    ['a.c', 'abc'],
    ['*b', 'ba'],
    ['[a]', 'a'],
  ]) {
    t.notOk(globMatches(pattern ?? '', text ?? ''), `${pattern} ${text}`);
  }
});

t.test('a hostile pattern costs no more than pattern times text', async (t) => {
  // with backtracking this is 2^30 steps
  t.notOk(globMatches(`${'a*'.repeat(30)}b`, 'a'.repeat(3000)));
});

t.test('names', async (t) => {
  const parts = (text: string, max = 3) => parseNamePattern(text, max)?.parts;
  t.strictSame(parts('Public.Orders'), ['public', 'orders']);
  t.strictSame(parts('"Public"."Or""ders".*'), ['Public', 'Or"ders', '*']);
  t.strictSame(parts('"a.b".c'), ['a.b', 'c']);
  for (const wrong of ['', '.', 'a.', '.a', 'a..b', 'a b', '"a', '"a"b', 'a.b.c.d', '""']) {
    t.equal(parts(wrong), undefined, wrong);
  }
  t.equal(parts('a.b.c', 2), undefined);

  const match = (pattern: string, ...name: (string | undefined)[]) => {
    const parsed = parseNamePattern(pattern, 3);
    return parsed && matchName(parsed, name);
  };
  t.equal(match('orders', 'app', 'orders'), 'yes', 'every schema’s');
  t.equal(match('app.orders', 'app', 'orders'), 'yes');
  t.equal(match('app.orders', 'web', 'orders'), 'no');
  t.equal(match('app.orders', undefined, 'orders'), 'maybe');
  t.equal(match('*.orders', undefined, 'orders'), 'yes');
  t.equal(match('app.*', undefined, 'x'), 'maybe');
  t.equal(match('app.orders', undefined, 'users'), 'no');
  t.equal(match('a.b.c', 'b', 'c'), 'maybe');
});

t.test('quantities need their unit', async (t) => {
  t.strictSame(
    ['60s', '1.5m', '2h', '1d', '250ms', '5 min'].map(parseDuration),
    [60_000, 90_000, 7_200_000, 86_400_000, 250, 300_000],
  );
  t.strictSame(['60', '-1s', 's', '1 year', '1e3s', '', '1constructor'].map(parseDuration), Array(7).fill(undefined));
  t.strictSame(['1B', '1kB', '1KiB', '1.5MiB', '1GB'].map(parseSize), [1, 1000, 1024, 1_572_864, 1_000_000_000]);
  t.strictSame(['1', '1mb', '1 TB', '99999999999GiB'].map(parseSize), Array(4).fill(undefined));
  t.strictSame(parseRowCondition('>=1_000'), { operator: '>=', rows: 1000 });
  t.strictSame(['1000', '> -1', '>> 1', '> x', '> 1.5'].map(parseRowCondition), Array(5).fill(undefined));
  const rows = (text: string, count: number) => {
    const condition = parseRowCondition(text);
    return condition && satisfies(count, condition);
  };
  t.strictSame(
    [rows('> 5', 5), rows('>= 5', 5), rows('< 5', 5), rows('<= 5', 5), rows('= 5', 5)],
    [false, true, false, true, true],
  );
});

t.test('did you mean', async (t) => {
  const words = ['connections', 'default_connection', 'policy', 'mask', 'url'];
  t.equal(didYouMean('conections', words), 'connections');
  t.equal(didYouMean('Policy', words), 'policy');
  t.equal(didYouMean('plicoy', words), 'policy');
  t.equal(didYouMean('something', words), undefined);
  t.equal(didYouMean('x', words), undefined);
});

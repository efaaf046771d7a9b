/** From how many rows on a change is asked about: what the file says, who may loosen it, and at which number. */
import fc from 'fast-check';
import t from 'tap';
import { checkConfig, parseConfig } from '../../src/policy/config.js';
import { compilePolicy } from '../../src/policy/engine.js';
import type { Level } from '../../src/policy/levels.js';
import type { Extent } from '../../src/policy/mass-changes.js';
import { problemText } from '../../src/policy/yaml-source.js';
import type { Facts } from '../../src/sql/facts.js';
import { effect, facts, input, statement, table } from './facts.js';

const source = (level: Level, massChanges: string, more = '') => ({
  level,
  config: parseConfig(`version: 1\n${more}policy: { mass_changes: ${massChanges} }\n`, 'dbguard.yaml'),
});

const removal = effect('delete', { targets: [table('orders')] });
const some: Facts = facts(statement([removal], { command: 'DELETE' }));

function decide(
  policy: ReturnType<typeof compilePolicy>,
  rows: number,
  more: Partial<Extent> = {},
  connection = 'main',
) {
  const extent: Extent = { rows: { number: rows, how: 'counted' }, before: 0, beforeInAll: 0, ...more };
  return policy.decide({ ...input(some), connection, extents: new Map([[removal, extent]]) });
}

t.test('the numbers', async (t) => {
  const policy = compilePolicy([]);
  const cases: readonly [rows: number, more: Partial<Extent>, decision: string][] = [
    [1000, { tableRows: 1_000_000 }, 'allow'],
    [1001, { tableRows: 1_000_000 }, 'ask'],
    [100, { tableRows: 100 }, 'allow'],
    [101, { tableRows: 1009 }, 'ask'],
    [101, { tableRows: 1010 }, 'allow'],
    [101, {}, 'ask'],
    [1, { tableRows: 500, before: 100, beforeInAll: 100 }, 'ask'],
    [1, { tableRows: 500, before: 99, beforeInAll: 999 }, 'allow'],
    [1, { tableRows: 500_000, before: 5, beforeInAll: 1000 }, 'ask'],
    [0, { tableRows: 500_000, before: 5, beforeInAll: 1000 }, 'allow'],
  ];
  for (const [rows, more, decision] of cases) {
    t.equal(decide(policy, rows, more).decision, decision, `${rows} rows, ${JSON.stringify(more)}`);
  }
  const unsure = decide(policy, 0, { rows: undefined, unsure: 'nobody looked' });
  t.match(unsure, { decision: 'ask', rule: 'builtin:delete-mass', reason: /nobody can tell how many: nobody looked/ });
});

t.test('what is not known yet: few pass, and the ruling for many goes with it', async (t) => {
  const ruling = compilePolicy([]).decide(input(some));
  t.match(ruling, { decision: 'allow', unlessFew: { decision: 'ask', rule: 'builtin:delete-mass' } });
  const byKey = facts(statement([{ ...removal, mostRows: 3 }], { command: 'DELETE' }));
  t.equal(compilePolicy([]).decide(input(byKey)).unlessFew, undefined, 'by key nobody has to look');
  t.equal(compilePolicy([], { profile: 'observe' }).decide(input(some)).unlessFew, undefined);
  t.match(compilePolicy([], { profile: 'read-only' }).decide(input(some)), { decision: 'deny', unlessFew: undefined });
  t.match(compilePolicy([], { profile: 'migrations' }).decide(input(some, { transactionStatus: 'T' })).unlessFew, {
    covers: 'transaction',
  });
  const defined = facts(statement([{ ...removal, within: 'definition' }], { command: 'CREATE FUNCTION' }));
  t.equal(compilePolicy([]).decide(input(defined)).unlessFew, undefined, 'nothing is deleted there');
});

t.test('a rule that allows lets any number pass', async (t) => {
  const text = 'version: 1\npolicy: { rules: [{ name: r, when: { table: orders }, then: allow }] }\n';
  const policy = compilePolicy([{ level: 'user', config: parseConfig(text, 'dbguard.yaml') }]);
  t.match(policy.decide(input(some)), { decision: 'allow', unlessFew: undefined });
});

t.test('by environment', async (t) => {
  const connections =
    'connections: { main: { url: "postgresql://a/", environment: production }, dev: { url: "postgresql://b/", environment: development } }\n';
  const policy = compilePolicy([
    source('user', '{ rows: 5000, production: { rows: 50 }, development: { budget: false } }', connections),
  ]);
  const size = { tableRows: 1_000_000 };
  t.equal(decide(policy, 51, size).decision, 'ask');
  t.equal(decide(policy, 5000, size, 'dev').decision, 'allow');
  t.equal(decide(policy, 5001, size, 'dev').decision, 'ask');
  t.equal(decide(policy, 1, { beforeInAll: 9999, before: 9999 }, 'dev').decision, 'allow');
});

t.test('a repository only tightens', async (t) => {
  const arbitrary = fc.record({
    rows: fc.nat(5000),
    share: fc.integer({ min: 0, max: 100 }),
    from: fc.nat(5000),
    budget: fc.boolean(),
  });
  type Limits = typeof arbitrary extends fc.Arbitrary<infer T> ? T : never;
  const yaml = ({ rows, share, from, budget }: Limits) =>
    `{ rows: ${rows}, share: ${share}%, share_from: ${from}, budget: ${budget} }`;
  fc.assert(
    fc.property(
      arbitrary,
      arbitrary,
      fc.nat(6000),
      fc.nat(6000),
      fc.nat(20_000),
      (user, repository, rows, before, tableRows) => {
        const extent = { before, beforeInAll: before, tableRows };
        const alone = decide(compilePolicy([source('user', yaml(user))]), rows, extent).decision;
        const both = decide(
          compilePolicy([source('user', yaml(user)), source('repository', yaml(repository))]),
          rows,
          extent,
        ).decision;
        return alone === 'allow' || both === 'ask';
      },
    ),
  );
  const loose = compilePolicy([source('repository', '{ rows: 100000, share: 100%, budget: false }')]);
  t.equal(decide(loose, 1001).decision, 'ask', 'the built-in numbers stand');
  t.equal(decide(loose, 1, { beforeInAll: 1000, before: 1000 }).decision, 'ask');
});

t.test('what cannot be meant is refused with its line', async (t) => {
  const cases: readonly [text: string, says: RegExp][] = [
    ['{ rows: many }', /policy\.mass_changes\.rows: expected a whole number/],
    ['{ rows: -1 }', /policy\.mass_changes\.rows/],
    ['{ share: 0.1 }', /policy\.mass_changes\.share: expected a part of the table, such as 10%/],
    ['{ share: 110% }', /such as 10%/],
    ['{ budget: sometimes }', /policy\.mass_changes\.budget/],
    ['{ prod: { rows: 5 } }', /policy\.mass_changes.*unknown key/],
    ['{ production: { row: 5 } }', /policy\.mass_changes\.production.*unknown key/],
  ];
  for (const [text, says] of cases) {
    const { problems } = checkConfig(`version: 1\npolicy:\n  mass_changes: ${text}\n`, 'dbguard.yaml');
    t.match(problems.map(problemText).join('\n'), /^dbguard\.yaml:3:\d+: /, text);
    t.match(problems.map(problemText).join('\n'), says, text);
  }
});

/** A ruling that is remembered is the ruling that would be made, whatever ran before. */
import fc from 'fast-check';
import t from 'tap';
import { parseConfig } from '../../src/policy/config.js';
import type { DecisionInput } from '../../src/policy/decision.js';
import { type CompiledPolicy, compilePolicy } from '../../src/policy/engine.js';
import type { Extent, Extents } from '../../src/policy/mass-changes.js';
import type { Facts } from '../../src/sql/facts.js';
import { effect, facts, input, one, statement, table } from './facts.js';

const conditions = [
  'effect: delete',
  'table: orders',
  'connection: prod*',
  'user: readonly',
  'database: shop',
  'subject: "*@example.com"',
  'agent: cron',
  'transaction: true',
  'bounded: false',
  'opaque: true',
  'time: "08:00-12:30"',
  'weekday: mon',
  'rows: "> 100"',
];

function policyOf(chosen: readonly { readonly when: string; readonly decision: string }[]): CompiledPolicy {
  const rules = chosen.map(({ when, decision }, n) => `    - { name: r${n}, when: { ${when} }, then: ${decision} }`);
  const text = `version: 1\npolicy:\n  rules:\n${rules.join('\n')}\n`;
  return compilePolicy([
    { level: 'user', config: parseConfig(chosen.length === 0 ? 'version: 1' : text, 'dbguard.yaml') },
  ]);
}

const texts = [
  one('read', { targets: [table('orders')] }),
  one('delete', { bounded: false, targets: [table('orders')] }),
  one('update', { opaque: true }),
  one('create', { targets: [table('a')] }),
  one('update', { targets: [table('orders')], mostRows: 1 }),
  one('update', { targets: [table('orders')], bounded: false, parametersDecide: true }),
  facts(
    statement([
      effect('update', { targets: [table('a')] }),
      effect('delete', { targets: [table('b')], passedOn: true }),
    ]),
  ),
  facts(statement([effect('delete', { targets: [table('a')] })], { transaction: 'begin' }), statement([])),
];

const extent: fc.Arbitrary<Extent> = fc
  .record({
    number: fc.constantFrom(0, 1, 1, 90, 150, 5_000),
    how: fc.constantFrom('known', 'known', 'estimated', 'counted'),
    before: fc.constantFrom(0, 0, 20, 900),
    tableRows: fc.constantFrom(undefined, 10, 100_000),
  })
  .map(({ number, how, before, tableRows }) => ({
    rows: { number, how },
    before,
    beforeInAll: before,
    ...(tableRows === undefined ? { sizeOpen: true as const } : { tableRows }),
  }));

const inputs: fc.Arbitrary<DecisionInput> = fc
  .record({
    text: fc.constantFrom(...texts),
    connection: fc.constantFrom('main', 'prod-eu'),
    user: fc.constantFrom('app', 'readonly'),
    database: fc.constantFrom('shop', 'other'),
    subject: fc.constantFrom('ada@example.com', 'bob'),
    agent: fc.constantFrom('claude', 'cron'),
    transactionStatus: fc.constantFrom('I' as const, 'T' as const, 'E' as const),
    now: fc.constantFrom(Date.UTC(2026, 2, 2, 9), Date.UTC(2026, 2, 3, 20)),
    found: fc.constantFrom<Partial<DecisionInput>>(
      {},
      {},
      { readsAndWrites: true },
      { readsAndWrites: false },
      { isTemporary: () => true },
      { changesNothing: new Set([0]) },
      { estimatedRows: 5 },
      { estimatedRows: 5_000 },
    ),
  })
  .chain(({ text, found, ...rest }) =>
    fc
      .option(extentsOf(text), { nil: undefined })
      .map((extents) => input(text, { ...rest, ...found, ...(extents && { extents }) })),
  );

/** Of some of its effects. */
function extentsOf({ statements }: Facts): fc.Arbitrary<Extents> {
  const effects = statements.flatMap((statement) => statement.effects);
  return fc
    .tuple(...effects.map((effect) => fc.tuple(fc.constant(effect), fc.option(extent, { nil: undefined }))))
    .map((all) => new Map(all.flatMap(([effect, found]) => (found ? [[effect, found]] : []))));
}

const decisions = fc.constantFrom('allow', 'ask', 'deny', 'second-person');
const policies = fc.array(fc.record({ when: fc.constantFrom(...conditions), decision: decisions }), { maxLength: 5 });

t.test('the same as a policy that has never decided anything', async (t) => {
  fc.assert(
    fc.property(policies, fc.array(inputs, { minLength: 2, maxLength: 40 }), (rules, asked) => {
      const remembering = policyOf(rules);
      for (const each of asked) t.strictSame(remembering.decide(each), policyOf(rules).decide(each));
    }),
    { numRuns: 60 },
  );
});

t.test('rules are matched once for a text that runs again', async (t) => {
  let matched = 0;
  const counted = input(one('read', { targets: [table('orders')] }));
  const asked = () => ({ ...counted, facts: watched });
  const watched = new Proxy(counted.facts, {
    get: (target, name, receiver) => {
      if (name === 'statements') matched++;
      return Reflect.get(target, name, receiver);
    },
  });
  const policy = policyOf([{ when: 'table: users', decision: 'ask' }]);
  policy.decide(asked());
  const once = matched;
  for (let n = 0; n < 10; n++) policy.decide(asked());
  t.equal(matched, once);
  const timed = policyOf([{ when: 'weekday: mon', decision: 'ask' }]);
  for (let n = 0; n < 10; n++) timed.decide(asked());
  t.equal(matched, once + 10, 'not where a rule looks at the clock');
});

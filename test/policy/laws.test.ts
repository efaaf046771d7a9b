/** What holds for every policy and every statement, tried on random ones. */
import fc from 'fast-check';
import t from 'tap';
import { DbguardError } from '../../src/errors.js';
import type { PolicySource } from '../../src/policy/combine.js';
import { parseConfig } from '../../src/policy/config.js';
import { type Decision, type DecisionInput, decisions } from '../../src/policy/decision.js';
import { compilePolicy } from '../../src/policy/engine.js';
import { profileNames } from '../../src/policy/profiles.js';
import { effectKinds } from '../../src/sql/effect-traits.js';
import type { Effect, StatementFacts, Target } from '../../src/sql/facts.js';
import { facts, input, statement } from './facts.js';

const target: fc.Arbitrary<Target> = fc.record(
  {
    type: fc.constantFrom('table', 'view', 'schema', 'function', 'setting', 'database'),
    schema: fc.constantFrom('app', 'billing', 'pg_temp', 'pg_catalog'),
    name: fc.constantFrom('orders', 'app', 'billing', 'search_path', 'dbguard.subject', 'role', 'pg_authid'),
    columns: fc.subarray(['id', 'ssn']),
  },
  { requiredKeys: ['type', 'name'] },
);
const effects: fc.Arbitrary<Effect> = fc.record(
  {
    kind: fc.constantFrom(...effectKinds),
    targets: fc.array(target, { maxLength: 3 }),
    bounded: fc.boolean(),
    opaque: fc.boolean(),
    value: fc.constantFrom('off', 'public, pg_catalog'),
    temporary: fc.constant(true as const),
    cascade: fc.constant(true as const),
    lockMode: fc.constantFrom('ACCESS SHARE' as const, 'EXCLUSIVE' as const, 'FOR UPDATE' as const),
    newName: fc.constantFrom('orders', 'temporary_orders'),
    form: fc.constantFrom('AddColumn' as const, 'EnableTrig' as const),
    full: fc.constant(true as const),
    detail: fc.constantFrom('temporary', 'CASCADE', 'off'),
  },
  { requiredKeys: ['kind', 'targets', 'bounded', 'opaque'] },
);
const statements: fc.Arbitrary<StatementFacts> = fc
  .record({
    effects: fc.array(effects, { maxLength: 3 }),
    transaction: fc.constantFrom('begin' as const, 'commit' as const, undefined),
    command: fc.constantFrom('SELECT', 'DELETE', 'ALTER TABLE'),
  })
  .map(({ transaction, ...rest }) => statement(rest.effects, { ...rest, ...(transaction ? { transaction } : {}) }));
const questions: fc.Arbitrary<DecisionInput> = fc
  .record({
    statements: fc.array(statements, { minLength: 1, maxLength: 3 }),
    estimatedRows: fc.option(fc.nat(2000), { nil: undefined }),
    connection: fc.constantFrom('live', 'play', 'other'),
  })
  .map((one) =>
    input(facts(...one.statements), {
      connection: one.connection,
      ...(one.estimatedRows === undefined ? {} : { estimatedRows: one.estimatedRows }),
    }),
  );

const conditions = fc.record(
  {
    effect: fc.subarray(effectKinds, { minLength: 1, maxLength: 5 }),
    table: fc.constantFrom('orders', 'billing.*', '*'),
    column: fc.constantFrom('ssn', 'orders.*'),
    function: fc.constantFrom('app', '*'),
    connection: fc.constantFrom('live', 'p*'),
    environment: fc.constantFrom('production', 'development'),
    bounded: fc.boolean(),
    opaque: fc.boolean(),
    rows: fc.constantFrom('> 1000', '< 10'),
    transaction: fc.boolean(),
  },
  { requiredKeys: [] },
);
const ruleLists = fc.array(fc.tuple(conditions, fc.constantFrom(...decisions)), { maxLength: 4 });
/** As pairs: an object literal with `then` would look like a promise. */
function ruleOf(name: string, when: object, decision: Decision): object {
  return Object.fromEntries([
    ['name', name],
    ['when', when],
    ['then', decision],
  ]);
}
const files = (name: string) =>
  fc
    .record(
      {
        rules: ruleLists.map((rules) => rules.map(([when, decision], index) => ruleOf(`r${index}`, when, decision))),
        profile: fc.constantFrom(...profileNames),
        functions: fc.constantFrom(['*'], ['app.*']),
      },
      { requiredKeys: ['rules'] },
    )
    .chain((policy) =>
      fc
        .constantFrom(
          {},
          { connections: { live: { url: 'host=a' }, play: { url: 'host=b', environment: 'development' } } },
          { connections: { live: { url: 'host=a', environment: 'development' } } },
        )
        // JSON is YAML
        .map((more) => parseConfig(JSON.stringify({ version: 1, ...more, policy }), name)),
    );

function decide(sources: readonly PolicySource[], question: DecisionInput): Decision {
  return compilePolicy(sources).decide(question).decision;
}
const rank = (decision: Decision): number => decisions.indexOf(decision);

t.test('a repository can only tighten', async () => {
  fc.assert(
    fc.property(files('own.yaml'), files('dbguard.yaml'), questions, (own, repository, question) => {
      const without: PolicySource[] = [{ level: 'user', config: own }];
      const within: PolicySource[] = [...without, { level: 'repository', config: repository }];
      // A connection that only the repository defines is another question than one that nobody defines.
      return rank(decide(within, question)) >= rank(decide(without, question));
    }),
    { numRuns: 600 },
  );
});

t.test('an organisation’s file cannot be loosened by anybody', async () => {
  fc.assert(
    fc.property(files('org.yaml'), files('own.yaml'), questions, (organisation, own, question) => {
      // Listing functions is for whoever may loosen at all; here only the decisions of rules and profiles count.
      fc.pre(own.policy.functions.length === 0 && own.connections.size === 0);
      const alone: PolicySource[] = [{ level: 'organisation', config: organisation }];
      fc.pre(organisation.policy.profile !== undefined);
      return rank(decide([...alone, { level: 'user', config: own }], question)) >= rank(decide(alone, question));
    }),
    { numRuns: 400 },
  );
});

t.test('one more statement or effect never loosens', async () => {
  fc.assert(
    fc.property(files('own.yaml'), questions, statements, (own, question, more) => {
      const sources: PolicySource[] = [{ level: 'user', config: own }];
      const longer = { ...question, facts: facts(...question.facts.statements, more) };
      return rank(decide(sources, longer)) >= rank(decide(sources, question));
    }),
    { numRuns: 400 },
  );
});

t.test('the same question gets the same answer, and the answer names its rule and says something', async () => {
  fc.assert(
    fc.property(files('own.yaml'), questions, (own, question) => {
      const policy = compilePolicy([{ level: 'user', config: own }]);
      const first = policy.decide(question);
      const again = policy.decide(structuredClone(question));
      return (
        JSON.stringify(first) === JSON.stringify(again) &&
        first.rule !== '' &&
        first.origin !== '' &&
        /^(dbguard|[A-Z]).*\.$/.test(first.reason)
      );
    }),
    { numRuns: 400 },
  );
});

t.test('any text as configuration: a Config or a DbguardError, never anything else', async (t) => {
  const seed = 'version: 1\nconnections: {a: {url: "host=x"}}\npolicy: {rules: [{name: a, when: {}, then: deny}]}';
  const mutated = fc
    .array(
      fc.tuple(
        fc.nat(seed.length),
        fc.constantFrom('{', '}', '[', ']', ':', '\n', '*a', '&a ', '"', '- ', '!x ', '\u0000'),
      ),
      { maxLength: 6 },
    )
    .map((cuts) => cuts.reduce((text, [at, piece]) => text.slice(0, at) + piece + text.slice(at), seed));
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string(), fc.json()), (text) => {
      try {
        parseConfig(text, 'f.yaml');
        accepted++;
        return true;
      } catch (error) {
        return error instanceof DbguardError && error.code === 'config-invalid';
      }
    }),
    { numRuns: 1000 },
  );
  t.ok(accepted > 0, 'some are whole');
});

t.test('words for people decide nothing', async () => {
  fc.assert(
    fc.property(files('own.yaml'), questions, fc.string(), (own, question, detail) => {
      const sources: PolicySource[] = [{ level: 'user', config: own }];
      const reworded = (one: StatementFacts): StatementFacts => ({
        ...one,
        effects: one.effects.map((effect) => ({ ...effect, detail })),
      });
      const other = { ...question, facts: { ...question.facts, statements: question.facts.statements.map(reworded) } };
      return decide(sources, other) === decide(sources, question);
    }),
    { numRuns: 600 },
  );
});

/** `access`: what can be said, who may say it, and which entry a statement is about. */
import fc from 'fast-check';
import t from 'tap';
import { accessOffer, coveringRule } from '../../src/policy/access-offer.js';
import { combineConfigs } from '../../src/policy/combine.js';
import { checkConfig, parseConfig } from '../../src/policy/config.js';
import { compilePolicy } from '../../src/policy/engine.js';
import type { Level } from '../../src/policy/levels.js';
import { lintPolicy } from '../../src/policy/lint.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';

const analyser = await createAnalyser({ grammar: await loadGrammar() });
const entry = '{ name: fix, role: writer, tables: [orders], effects: [update], then: ask }';
const yaml = (...entries: string[]): string => `version: 1\naccess:\n${entries.map((one) => `  - ${one}\n`).join('')}`;
const problems = (text: string): string[] => checkConfig(text, 'x').problems.map(({ message }) => message);
const read = (...entries: string[]) => parseConfig(yaml(...entries), 'x').access;

t.test('what is wrong is said where it stands', async (t) => {
  const wrong: readonly [from: string, to: string, said: RegExp][] = [
    ['name: fix, ', '', /name/],
    ['name: fix', 'name: "a b"', /letters, digits/],
    ['role: writer, ', '', /role/],
    ['role: writer', 'role: none', /no role/],
    ['role: writer', `role: ${'x'.repeat(64)}`, /63 bytes/],
    ['[orders]', '[]', /./],
    ['[orders]', '[a.b.c]', /schema\.table/],
    ['[update]', '[]', /./],
    ['[update]', '[updaet]', /Did you mean "update"/],
    ['[update]', '[grant]', /one of read, insert, update, delete, truncate, create, alter, drop, maintenance/],
    ['then: ask', 'then: allow', /one of ask, second-person/],
    [', then: ask', '', /then/],
    ['then: ask', 'then: ask, reason: please', /one of required, optional/],
    ['then: ask', 'then: ask, for: 15', /duration with its unit/],
    ['then: ask', 'then: ask, for: 1s', /from 1m to 12h/],
    ['then: ask', 'then: ask, until: 15m', /unknown key/],
  ];
  t.strictSame(problems(yaml(entry)), []);
  for (const [from, to, said] of wrong) {
    const changed = entry.replace(from, to);
    t.not(changed, entry);
    t.match(problems(yaml(changed)).join('\n'), said, changed);
  }
  t.match(problems(yaml(entry, entry)).join(), /two entries have the name "fix", in lines 3 and 4/);
});

t.test('a repository has no say in it', async (t) => {
  const config = parseConfig(yaml(entry), 'dbguard.yaml');
  const at = (level: Level) => combineConfigs([{ level, config }]).access.length;
  t.throws(() => at('repository'), {
    code: 'config-invalid',
    message: /access: only your own file or the organisation’s/,
  });
  t.strictSame([at('user'), at('organisation')], [1, 1]);
  // but it can forbid what an entry would cover
  const deny = `version: 1\npolicy: { rules: [{ name: no, when: { table: orders, effect: update }, then: deny }] }`;
  const policy = compilePolicy([
    { level: 'user', config },
    { level: 'repository', config: parseConfig(deny, 'dbguard.yaml') },
  ]);
  const input = {
    connection: 'main',
    user: 'u',
    database: 'd',
    subject: 's',
    agent: 'a',
    now: 0,
    transactionStatus: 'I',
  } as const;
  const ruling = policy.decide({ ...input, facts: analyser.analyse('UPDATE orders SET a = 1 WHERE id = 1') });
  t.match([ruling.decision, ruling.access], ['deny', undefined]);
});

t.test('which statements an entry may be about, and what is in their way', async (t) => {
  const offered: readonly [sql: string, obstacle: RegExp | 'none' | undefined][] = [
    ['UPDATE orders SET a = 1', undefined],
    ['UPDATE billing.orders SET a = 1', undefined],
    ['UPDATE other SET a = 1', 'none'],
    ['SELECT * FROM orders', 'none'],
    ['SELECT * FROM orders FOR UPDATE', undefined],
    ['not sql at all', 'none'],
    ['UPDATE orders SET a = 1; SELECT 1', /send it alone/],
    ['EXPLAIN ANALYZE UPDATE orders SET a = 1', undefined],
    ['COPY (UPDATE orders SET a = 1 RETURNING a) TO STDOUT', undefined],
    ["COPY (UPDATE orders SET a = 1 RETURNING a) TO PROGRAM 'x'", /more than read and change rows/],
    ['PREPARE p AS UPDATE orders SET a = 1', 'none'],
    ["UPDATE orders SET a = set_config('role', 'x', false)", /more than read and change rows/],
    ['UPDATE orders SET a = unheard_of(1)', /cannot look into/],
  ];
  for (const [sql, obstacle] of offered) {
    const offer = accessOffer(read(entry), analyser.analyse(sql), 'main');
    t.equal(offer === undefined, obstacle === 'none', sql);
    if (obstacle instanceof RegExp) t.match(offer?.obstacle, obstacle, sql);
    else t.equal(offer?.obstacle, undefined, sql);
  }
  const house = entry.replace('[update]', '[update, create, alter, drop, truncate, maintenance]');
  const kept: readonly [sql: string, obstacle: RegExp | undefined][] = [
    ['ALTER TABLE orders ADD COLUMN b int', undefined],
    ['ALTER TABLE orders DROP COLUMN b', undefined],
    ['CREATE INDEX CONCURRENTLY ON orders (a)', undefined],
    ['REINDEX INDEX CONCURRENTLY some_index', undefined],
    ['VACUUM FULL orders', undefined],
    ['DROP TABLE orders', undefined],
    ['DROP TABLE orders CASCADE', /CASCADE reaches/],
    ['TRUNCATE orders CASCADE', /CASCADE reaches/],
    ['ALTER TABLE orders DROP COLUMN b CASCADE', /CASCADE reaches/],
    ['ALTER TABLE orders INHERIT secrets', /more than the table/],
    ['ALTER TABLE orders ATTACH PARTITION secrets FOR VALUES IN (1)', /more than the table/],
    ['ALTER TABLE orders DISABLE TRIGGER ALL', /more than the table/],
    ['ALTER TABLE orders ADD COLUMN b int, OWNER TO other', /more than read and change rows/],
    ['ALTER TABLE orders ADD COLUMN b int, DISABLE ROW LEVEL SECURITY', /more than read and change rows/],
    ["ALTER TABLE orders ADD COLUMN b text DEFAULT set_config('role', 'x', false)", /more than read and change rows/],
    ['ALTER TABLE orders ADD COLUMN b int DEFAULT unheard_of()', /cannot look into/],
    ['CREATE TEMP TABLE orders (a int)', /left behind in the session/],
    ['CREATE VIEW orders AS SELECT 1', /rights of the role whenever somebody uses it/],
    ['CREATE OR REPLACE RULE r AS ON UPDATE TO orders DO ALSO NOTHING', /rights of the role/],
    ['CREATE TRIGGER x BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION f()', /rights of the role/],
    ['DROP TRIGGER x ON orders', /only rows, tables/],
  ];
  for (const [sql, obstacle] of kept) {
    const offer = accessOffer(read(house), analyser.analyse(sql), 'main');
    t.ok(offer, sql);
    if (obstacle) t.match(offer?.obstacle, obstacle, sql);
    else t.equal(offer?.obstacle, undefined, sql);
  }
  const there = read(entry.replace('then', 'connection: ["ma*"], then'));
  const facts = analyser.analyse('UPDATE orders SET a = 1');
  t.equal(accessOffer(there, facts, 'main')?.rules.length, 1);
  t.equal(accessOffer(there, facts, 'else'), undefined);
});

t.test('an entry covers all that is lacking, or is not taken', async (t) => {
  const names = fc.constantFrom('orders', 'items', 'secrets');
  const effects = fc.constantFrom('read', 'insert', 'update', 'delete', 'truncate');
  const need = fc.record({ effect: effects, schema: fc.constantFrom('public', 'other'), name: names });
  const rule = fc.record({
    tables: fc.uniqueArray(
      fc.tuple(fc.constantFrom('', 'public.', 'other.'), names).map((parts) => parts.join('')),
      { minLength: 1 },
    ),
    effects: fc.uniqueArray(effects, { minLength: 1 }),
  });
  fc.assert(
    fc.property(
      fc.array(rule, { minLength: 1, maxLength: 3 }),
      fc.array(need, { minLength: 1, maxLength: 4 }),
      (rules, lacking) => {
        const access = read(
          ...rules.map(
            (one, n) => `{ name: r${n}, role: w${n}, tables: [${one.tables}], effects: [${one.effects}], then: ask }`,
          ),
        );
        const taken = coveringRule(access, lacking as Parameters<typeof coveringRule>[1]);
        const whole = rules.findIndex((one) =>
          lacking.every(
            ({ effect, schema, name }) =>
              one.effects.includes(effect) && (one.tables.includes(name) || one.tables.includes(`${schema}.${name}`)),
          ),
        );
        t.equal(taken?.name, whole < 0 ? undefined : `r${whole}`);
      },
    ),
  );
});

t.test('lint says which entries never count', async (t) => {
  const lint = (...entries: string[]) =>
    lintPolicy([
      {
        level: 'user',
        config: parseConfig(`${yaml(...entries)}connections: { main: { url: "postgres://h/d" } }\n`, 'x'),
      },
    ]).map(({ message }) => message);
  t.strictSame(lint(entry), []);
  t.match(lint(entry.replace('then', 'connection: prod, then')), [/no connection is called prod; there are main/]);
  t.match(lint(entry, entry.replace('fix', 'more')), [/"fix" \(line 3\) comes first and covers it/]);
  t.strictSame(lint(entry, entry.replace('fix', 'more').replace('[update]', '[update, delete]')), []);
});

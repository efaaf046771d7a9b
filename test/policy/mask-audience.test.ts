import fc from 'fast-check';
import t from 'tap';
import { combineConfigs } from '../../src/policy/combine.js';
import { parseConfig } from '../../src/policy/config.js';
import { type Audience, holdsFor, surelyMeets } from '../../src/policy/mask-audience.js';

const dev: Audience = {
  subject: 'ada@example.test',
  groups: ['dev', 'team-a'],
  environments: ['production'],
  connection: 'main',
  agent: 'claude',
};

const holds = (line: string, audience: Audience): boolean => {
  const [one] = parseConfig(`version: 1\nmask: [{ column: a.b, with: null, ${line} }]`, 'dbguard.yaml').mask;
  return one !== undefined && holdsFor(one, audience);
};

t.test('masks differ by subject, group, environment, connection and agent', async (t) => {
  t.ok(holds('when: { subject: "*@example.test" }', dev));
  t.notOk(holds('when: { subject: "*@contractor.test" }', dev));
  t.ok(holds('when: { group: [dba, team-*] }', dev));
  t.notOk(holds('when: { group: dba }', dev));
  t.notOk(holds('unless: { group: dev, environment: production }', dev));
  t.ok(holds('unless: { group: dev, environment: development }', dev), 'every key must hold');
  t.notOk(holds('when: { connection: staging }', dev));
  t.ok(holds('unless: { agent: cron* }', dev));
});

t.test('what is not known masks', async (t) => {
  const unknown = { ...dev, groups: undefined };
  t.ok(holds('when: { group: contractors }', unknown), 'the issuer says nothing of groups');
  t.ok(holds('unless: { group: dba }', unknown));
  // a repository's file alone says that this is for development
  const claimed = { ...dev, environments: ['development', 'production'] as const };
  t.ok(holds('when: { environment: production }', claimed));
  t.ok(holds('unless: { environment: development }', claimed));
});

t.test('knowing less never unmasks', (t) => {
  const words = fc.constantFrom('a', 'b', 'c');
  const condition = fc.record(
    { group: fc.array(words, { minLength: 1 }), subject: fc.array(words, { minLength: 1 }) },
    { requiredKeys: [] },
  );
  const who = fc.record({ subject: words, groups: fc.array(words) }).map((one) => ({ ...dev, ...one }));
  fc.assert(
    fc.property(
      fc.option(condition, { nil: undefined }),
      fc.option(condition, { nil: undefined }),
      who,
      (when, unless, audience) => {
        const conditions = { ...(when && { when }), ...(unless && { unless }) };
        const less = { ...audience, groups: undefined };
        const stays = !holdsFor(conditions, audience) || holdsFor(conditions, less);
        return stays && (!surelyMeets(when, less) || surelyMeets(when, audience));
      },
    ),
    { numRuns: 1000 },
  );
  t.end();
});

t.test('a repository’s condition takes no mask of others away', async (t) => {
  const source = (level: 'user' | 'repository', mask: string) => ({
    level,
    config: parseConfig(`version: 1\nmask: [${mask}]`, 'dbguard.yaml'),
  });
  const { mask } = combineConfigs([
    source('user', '{ column: a.b, with: null }'),
    source('repository', '{ column: a.b, with: detected, unless: { subject: "*" } }'),
  ]);
  t.strictSame(
    mask.filter((one) => holdsFor(one, dev)).map((one) => one.mask.kind),
    ['null'],
  );
});

import t from 'tap';
import { parseConfig } from '../../src/policy/config.js';
import type { Decision, DecisionInput } from '../../src/policy/decision.js';
import { type CompiledPolicy, compilePolicy } from '../../src/policy/engine.js';
import type { Level } from '../../src/policy/levels.js';
import { effectCategories, profileNames } from '../../src/policy/profiles.js';
import type { Effect, EffectKind, Facts } from '../../src/sql/facts.js';
import { effect, facts, input, one, statement, table } from './facts.js';

/** A policy of rules in YAML flow form, in the user's own file unless said otherwise. */
function policyOf(yaml: string, level: Level = 'user'): CompiledPolicy {
  return compilePolicy([{ level, config: parseConfig(`version: 1\n${yaml}`, `${level}.yaml`) }]);
}

function rules(text: string, level: Level = 'user'): CompiledPolicy {
  const lines = text.trim().split('\n');
  return policyOf(`policy:\n  rules:\n${lines.map((line) => `    - { ${line.trim()} }`).join('\n')}`, level);
}

const guarded = compilePolicy([]);
const deleteAll = one('delete', { bounded: false, targets: [table('orders')] });

t.test('without any file: the guarded profile', async (t) => {
  t.equal(guarded.name, 'guarded');
  t.equal(guarded.approvalTimeoutMs, 60_000);
  t.equal(guarded.offline, 'deny');
  t.strictSame(guarded.decide(input(deleteAll)), {
    decision: 'ask',
    rule: 'builtin:delete-unbounded',
    origin: 'built-in guarded profile',
    reason: 'Deletes every row of orders: no condition restricts it.',
    statement: 0,
  });
});

t.test('effects fall into the categories they belong to', async (t) => {
  const set = (name: string, value?: string): Partial<Effect> => ({
    targets: [{ type: 'setting', name }],
    ...(value === undefined ? {} : { value }),
  });
  const cases: [EffectKind, Partial<Effect>, keyof typeof effectCategories][] = [
    ['read', {}, 'read'],
    ['read', { opaque: true }, 'opaque'],
    ['insert', {}, 'insert'],
    ['update', { bounded: true }, 'update'],
    ['update', { bounded: false }, 'update-unbounded'],
    ['update', { bounded: true, opaque: true }, 'opaque'],
    ['delete', { bounded: false, opaque: true }, 'delete-unbounded'],
    ['create', { targets: [table('a')], temporary: true }, 'temporary'],
    ['create', { targets: [table('pg_temp.a')] }, 'temporary'],
    ['create', { targets: [table('pg_temp.a'), table('b')] }, 'create'],
    ['create', { targets: [table('temperature')] }, 'create'],
    ['update', { bounded: false, targets: [table('knex_migrations_lock')] }, 'update'],
    ['update', { bounded: false, targets: [table('knex_migrations_lock'), table('a')] }, 'update-unbounded'],
    ['delete', { bounded: false, targets: [table('knex_migrations_lock')] }, 'delete-unbounded'],
    ['drop', { targets: [table('pg_temp.a')] }, 'temporary'],
    ['truncate', { targets: [table('pg_temp.a')] }, 'temporary'],
    ['delete', { bounded: false, targets: [table('pg_temp.a')] }, 'delete-unbounded'],
    ['alter', { targets: [table('pg_temp.a')], form: 'AddColumn' }, 'alter'],
    ['drop', { targets: [table('pg_temp_3.a')] }, 'drop'],
    ['insert', { temporary: true }, 'insert'],
    ['update', { targets: [table('pg_catalog.pg_class')] }, 'catalog-write'],
    ['delete', { targets: [table('pg_proc')] }, 'catalog-write'],
    ['update', { targets: [table('app.pg_notes')] }, 'update'],
    ['update', { targets: [{ type: 'sequence', name: 'pg_ids' }] }, 'update'],
    ['read', { targets: [table('pg_authid')] }, 'read-secrets'],
    ['read', { targets: [table('pg_catalog.pg_shadow', ['passwd'])] }, 'read-secrets'],
    ['read', { targets: [table('pg_authid', ['rolname'])] }, 'read'],
    ['session', set('work_mem', '1GB'), 'session'],
    ['session', set('search_path', 'app, public'), 'session'],
    ['session', set('search_path', 'public, pg_catalog'), 'session-meaning'],
    ['session', set('search_path', 'pg_temp, public'), 'session-meaning'],
    ['session', set('search_path', 'public, pg_temp'), 'session'],
    ['session', set('search_path', ''), 'session'],
    ['session', set('row_security', 'off'), 'session'],
    ['session', set('row_security', 'on'), 'session'],
    ['session', set('session_replication_role', 'replica'), 'session-meaning'],
    ['session', set('role', 'admin'), 'session-meaning'],
    ['session', set('role', 'none'), 'session-meaning'],
    ['session', set('role'), 'session'],
    ['session', set('all'), 'session'],
    ['session', set('transaction_read_only', 'off'), 'session-meaning'],
    ['session', set('nobody_knows_this', 'x'), 'session-meaning'],
    ['session', set('app.tenant', '7'), 'session'],
    ['session', set('pgaudit.log', 'none'), 'session-meaning'],
    ['session', set('dbguard.subject', 'eve'), 'session-identity'],
    ['session', set('DBGUARD.session', 'x'), 'session-identity'],
    ['session', set('dbguard.subject'), 'session-identity'],
    ['session', { targets: [{ type: 'setting', schema: 'dbguard', name: 'subject' }], value: 'x' }, 'session-identity'],
    ['session', { opaque: true }, 'session-meaning'],
    ['session', {}, 'session-meaning'],
    ['lock', { lockMode: 'ACCESS SHARE' }, 'lock-rows'],
    ['lock', { lockMode: 'FOR UPDATE' }, 'lock-rows'],
    ['lock', { lockMode: 'ADVISORY' }, 'lock-rows'],
    ['lock', { lockMode: 'ACCESS EXCLUSIVE' }, 'lock-table'],
    ['lock', {}, 'lock-table'],
    ['maintenance', {}, 'maintenance-heavy'],
    ['function-call', {}, 'function-call'],
    ['execute-code', { opaque: true }, 'execute-code'],
    ['unknown', {}, 'unknown'],
  ];
  for (const [kind, more, category] of cases) {
    const [judged] = guarded.judge(input(one(kind, more)));
    t.equal(judged?.category, category, `${kind} ${JSON.stringify(more)}`);
  }
  const command = (name: string, fields: Partial<Effect> = {}) =>
    guarded.judge(input(facts(statement([effect('maintenance', fields)], { command: name }))))[0]?.category;
  t.equal(command('ANALYZE'), 'maintenance');
  t.equal(command('VACUUM'), 'maintenance');
  t.equal(command('VACUUM', { full: true }), 'maintenance-heavy');
  t.equal(command('REINDEX'), 'maintenance-heavy');
  const twoPhase = facts(statement([effect('transaction')], { transaction: 'prepare-transaction' }));
  t.equal(guarded.judge(input(twoPhase))[0]?.category, 'transaction-prepared');
});

t.test('each profile decides as its column says', async (t) => {
  for (const profile of profileNames) {
    const policy = compilePolicy([], { profile });
    t.equal(policy.name, profile);
    for (const [kind, more] of [
      ['delete', { bounded: false }],
      ['drop', {}],
      ['insert', {}],
      ['read', {}],
      ['copy-program', {}],
      ['unknown', {}],
    ] as const) {
      const [judged] = policy.judge(input(one(kind, more)));
      const cell = judged && effectCategories[judged.category][profile];
      t.equal(judged?.decision, cell === 'ask-once' ? 'ask' : cell, `${profile} ${kind}`);
    }
  }
});

t.test('no profile and no rule lets dbguard’s own settings be set', async (t) => {
  const spoof = one('session', { targets: [{ type: 'setting', name: 'dbguard.subject' }], value: 'eve' });
  for (const profile of profileNames) {
    t.equal(compilePolicy([], { profile }).decide(input(spoof)).decision, 'deny', profile);
  }
  t.equal(rules('name: all, when: {}, then: allow').decide(input(spoof)).decision, 'deny');
});

t.test('no rule lets pass what nobody understands', async (t) => {
  const policy = rules('name: all, when: {}, then: allow');
  t.equal(policy.decide(input(deleteAll)).decision, 'allow');
  t.equal(policy.decide(input(one('unknown'))).decision, 'ask');
  const without = (command: string) => policy.decide(input(facts(statement([], { command })))).decision;
  t.equal(without('SELECT'), 'allow');
  t.equal(without('SELECT INTO'), 'ask', 'a statement that must have effects, and has none');
  t.equal(without(''), 'ask');
  for (const reason of ['syntax', 'too-large', 'too-deep', 'encoding', 'parser-failure'] as const) {
    const broken: Facts = { statements: [], unparseable: { reason, message: 'x' } };
    const ruling = policy.decide(input(broken));
    t.match(ruling, { decision: 'ask', rule: 'builtin:unparseable', reason: /nobody can tell what it does/ }, reason);
    t.equal(compilePolicy([], { profile: 'observe' }).decide(input(broken)).decision, 'allow', 'record only');
    const observed = policyOf(
      'policy: { profile: observe, rules: [ { name: no-drop, when: { effect: drop }, then: deny } ] }',
    );
    t.match(observed.decide(input(broken)), { decision: 'ask', rule: 'no-drop' }, 'it could hold a DROP');
    t.equal(compilePolicy([], { profile: 'read-only' }).decide(input(broken)).decision, 'deny');
  }
});

t.test('an effect kind of a newer analyser is asked about', async (t) => {
  t.equal(guarded.decide(input(one('teleport' as EffectKind))).rule, 'builtin:unknown');
});

t.test('every statement and every effect counts; the strictest decides for the whole text', async (t) => {
  const text = facts(
    statement([effect('read')]),
    statement([effect('read'), effect('delete', { bounded: false, targets: [table('orders')] })]),
    statement([effect('truncate', { targets: [table('log')] })]),
  );
  const ruling = guarded.decide(input(text));
  t.match(ruling, { decision: 'ask', rule: 'builtin:delete-unbounded', statement: 1 });
  t.equal(ruling.reason, 'Deletes every row of orders: no condition restricts it. Empties log.');
  t.equal(compilePolicy([], { profile: 'read-only' }).decide(input(text)).decision, 'deny');
});

t.test('names that JavaScript knows mean nothing here', async (t) => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    const set = one('session', { targets: [{ type: 'setting', name }], value: 'x' });
    t.match(guarded.decide(input(set)), { decision: 'ask', rule: 'builtin:session-meaning', reason: name });
    t.equal(guarded.decide(input(one('read', { targets: [table(name)] }))).decision, 'allow');
    t.equal(guarded.decide(input(one(name as EffectKind))).rule, 'builtin:unknown');
    t.throws(() => policyOf(`policy: { rules: [ { name: a, when: { effect: ${name} }, then: deny } ] }`));
    t.throws(() => policyOf(`policy: { profile: ${name} }`));
    t.throws(() => policyOf(`policy: { ${name}: 1 }`));
  }
});

t.test('an empty text is allowed', async (t) => {
  t.match(guarded.decide(input(facts())), { decision: 'allow', rule: 'builtin:empty' });
});

t.test('many sentences are cut', async (t) => {
  const drops = Array.from({ length: 9 }, (_, index) => effect('drop', { targets: [table(`t${index}`)] }));
  t.match(guarded.decide(input(facts(statement(drops)))).reason, /^Drops table t0\. .* And 6 more like these\.$/);
});

t.test('rules: the strictest that fires wins, whatever its place', async (t) => {
  const policy = rules(`
    name: soft, when: { effect: insert }, then: ask
    name: hard, when: { effect: insert, table: billing.* }, then: deny, reason: Ask billing.
    name: middle, when: { effect: insert, table: billing.invoices }, then: second-person
  `);
  const insert = (name: string) => policy.decide(input(one('insert', { targets: [table(name)] })));
  t.match(insert('app.log'), { decision: 'ask', rule: 'soft', origin: 'user.yaml:4' });
  t.match(insert('billing.invoices'), {
    decision: 'deny',
    rule: 'hard',
    origin: 'user.yaml:5',
    reason: 'Adds rows to billing.invoices. Ask billing.',
  });
});

t.test('a rule that allows loosens the profile, but no stricter rule', async (t) => {
  const policy = rules(`
    name: scratch, when: { table: scratch.* }, then: allow
    name: but-no-drop, when: { effect: drop }, then: deny
  `);
  const decide = (of: Facts) => policy.decide(input(of)).decision;
  t.equal(decide(one('delete', { bounded: false, targets: [table('scratch.a')] })), 'allow');
  t.equal(decide(one('drop', { targets: [table('scratch.a')] })), 'deny');
  t.equal(decide(one('delete', { bounded: false, targets: [table('app.a')] })), 'ask');
});

t.test('a rule that allows must cover every target, and see it', async (t) => {
  const policy = rules('name: scratch, when: { table: scratch.* }, then: allow');
  const decide = (more: Partial<Effect>) => policy.decide(input(one('truncate', more))).decision;
  t.equal(decide({ targets: [table('scratch.a'), table('scratch.b')] }), 'allow');
  t.equal(decide({ targets: [table('scratch.a'), table('app.b')] }), 'ask');
  t.equal(decide({ targets: [table('a')] }), 'ask', 'search_path decides whose a it is');
  t.equal(decide({ targets: [] }), 'ask');
  t.equal(decide({ targets: [table('scratch.a')], opaque: true }), 'ask');
  t.equal(decide({ targets: [{ type: 'schema', name: 'scratch' }] }), 'ask');
});

t.test('a rule that restricts fires for any target, and for what may be one', async (t) => {
  const policy = rules('name: secret, when: { table: app.secrets }, then: deny');
  const decide = (kind: EffectKind, more: Partial<Effect>) => policy.decide(input(one(kind, more))).decision;
  t.equal(decide('read', { targets: [table('app.a'), table('app.secrets')] }), 'deny');
  t.equal(decide('read', { targets: [table('secrets')] }), 'deny', 'unqualified');
  t.equal(decide('read', { targets: [table('other.secrets')] }), 'allow');
  t.equal(decide('read', { targets: [{ type: 'view', schema: 'app', name: 'secrets' }] }), 'deny');
  t.equal(decide('drop', { targets: [{ type: 'schema', name: 'app' }] }), 'deny', 'its schema');
  t.equal(decide('drop', { targets: [{ type: 'schema', name: 'web' }] }), 'ask', 'another schema: the profile');
});

t.test('what runs cannot be seen: a rule that would deny asks', async (t) => {
  const observed = policyOf(
    'policy: { profile: observe, rules: [ { name: no-drop, when: { effect: drop }, then: deny } ] }',
  );
  const code = one('execute-code', { opaque: true });
  t.match(observed.decide(input(code)), { decision: 'ask', rule: 'no-drop' });
  t.equal(observed.decide(input(one('execute-code'))).decision, 'allow', 'seen, and no drop in it');
  t.equal(observed.decide(input(one('drop'))).decision, 'deny');
});

t.test('columns', async (t) => {
  const policy = rules('name: pay, when: { effect: [read, update], column: staff.salary }, then: deny');
  const decide = (columns?: string[]) =>
    policy.decide(input(one('read', { targets: [table('hr.staff', columns)] }))).decision;
  t.equal(decide(['name', 'salary']), 'deny');
  t.equal(decide(['name']), 'allow');
  t.equal(decide(), 'deny', 'columns that the text does not list');
  const loose = rules('name: name, when: { effect: update, column: staff.name }, then: allow');
  const update = (columns?: string[]) =>
    loose.decide(input(one('update', { bounded: false, targets: [table('staff', columns)] }))).decision;
  t.equal(update(['name']), 'allow');
  t.equal(update(['name', 'salary']), 'ask');
  t.equal(update(), 'ask');
});

t.test('functions', async (t) => {
  const policy = rules('name: mail, when: { function: app.send_* }, then: deny');
  const call = (name: string, functions: string[] = []) =>
    policy.decide(input(facts(statement([effect('read')], { functions: [name, ...functions] })))).decision;
  t.equal(call('app.send_mail'), 'deny');
  t.equal(call('send_mail'), 'deny', 'unqualified');
  t.equal(call('lower', ['app.send_mail']), 'deny');
  t.equal(call('web.send_mail'), 'allow');
});

t.test('listed functions pass, but only those', async (t) => {
  const policy = policyOf('policy: { functions: [app.refresh_totals, "app.get_*"] }');
  const call = (schema: string | undefined, name: string, kind: EffectKind = 'function-call') => {
    const target = { type: 'function', name, ...(schema === undefined ? {} : { schema }) } as const;
    return policy.decide(input(one(kind, { opaque: true, targets: [target] }))).decision;
  };
  t.equal(call('app', 'refresh_totals'), 'allow');
  t.equal(call('app', 'get_x', 'execute-code'), 'allow');
  t.equal(call(undefined, 'refresh_totals'), 'ask', 'search_path decides whose it is');
  t.equal(call('evil', 'refresh_totals'), 'ask');
  const repository = policyOf('policy: { functions: ["*"] }', 'repository');
  const target = { type: 'function', name: 'f' } as const;
  t.equal(repository.decide(input(one('function-call', { targets: [target] }))).decision, 'ask');
});

t.test('who, where and when', async (t) => {
  const deny = (when: string, more: Partial<DecisionInput> = {}) =>
    rules(`name: r, when: ${when}, then: deny`).decide(input(one('read'), more)).decision === 'deny';
  t.ok(deny('{ connection: ma?n }'));
  t.notOk(deny('{ connection: other }'));
  t.ok(deny('{ database: [a, sho*] }'));
  t.ok(deny('{ subject: "*@example.com" }'));
  t.notOk(deny('{ subject: "*@evil.com" }'));
  t.ok(deny('{ agent: claude, command: sel* }'));
  t.notOk(deny('{ command: "ALTER *" }'));
  t.ok(deny('{ transaction: false }'));
  t.ok(deny('{ transaction: true }', { transactionStatus: 'T' }));
  t.ok(deny('{ transaction: true }', { transactionStatus: 'E' }));
  t.ok(deny('{ time: "11:00-13:00" }'));
  t.notOk(deny('{ time: "12:01-13:00" }'));
  t.notOk(deny('{ time: "11:00-12:00" }'), 'the end is not in it');
  t.ok(deny('{ time: "22:00-06:00" }', { now: Date.UTC(2026, 2, 2, 23) }), 'over midnight');
  t.ok(deny('{ time: "22:00-06:00" }', { now: Date.UTC(2026, 2, 2, 5) }));
  t.ok(deny('{ weekday: [mon] }'));
  t.notOk(deny('{ weekday: [sat, sun] }'));
  t.ok(deny('{ time: "21:00-22:00", timezone: Asia/Tokyo }'), '12:00 UTC is 21:00 in Tokyo');
  t.ok(deny('{ weekday: tue, timezone: Asia/Tokyo }', { now: Date.UTC(2026, 2, 2, 20) }));
  t.ok(deny('{ opaque: false }'));
  t.notOk(deny('{ opaque: true }'));
});

t.test('a BEGIN in the text opens the transaction for what follows, a COMMIT ends it', async (t) => {
  const policy = rules('name: r, when: { effect: insert, transaction: true }, then: deny');
  const begin = statement([effect('transaction')], { transaction: 'begin' });
  const commit = statement([effect('transaction')], { transaction: 'commit' });
  const insert = statement([effect('insert')]);
  t.equal(policy.decide(input(facts(begin, insert))).decision, 'deny');
  t.equal(policy.decide(input(facts(begin, commit, insert))).decision, 'allow');
  t.equal(policy.decide(input(facts(commit, insert), { transactionStatus: 'T' })).decision, 'allow');
});

t.test('environments: undeclared counts as production', async (t) => {
  const file = `connections:
  live: { url: "host=a" }
  play: { url: "host=b", environment: development }
policy:
  rules:
    - { name: live, when: { environment: production, effect: insert }, then: deny }
    - { name: play, when: { environment: development }, then: allow }
`;
  const insert = (policy: CompiledPolicy, connection: string) =>
    policy.decide(input(one('insert'), { connection })).decision;
  const drop = (policy: CompiledPolicy, connection: string) =>
    policy.decide(input(one('drop'), { connection })).decision;
  const own = policyOf(file);
  t.equal(insert(own, 'live'), 'deny');
  t.equal(insert(own, 'nobody-knows'), 'deny');
  t.equal(insert(own, 'play'), 'allow');
  t.equal(drop(own, 'play'), 'allow');
});

t.test('a repository cannot call a connection harmless to get round the user’s rules', async (t) => {
  const own = parseConfig(
    `version: 1
policy:
  rules:
    - { name: play, when: { environment: development }, then: allow }
    - { name: live, when: { environment: production, effect: insert }, then: deny }
`,
    'own.yaml',
  );
  const repository = parseConfig(
    'version: 1\nconnections: { x: { url: "host=live", environment: development } }',
    'dbguard.yaml',
  );
  const policy = compilePolicy([
    { level: 'user', config: own },
    { level: 'repository', config: repository },
  ]);
  t.equal(policy.decide(input(one('drop'), { connection: 'x' })).decision, 'ask');
  t.equal(policy.decide(input(one('insert'), { connection: 'x' })).decision, 'deny');
});

t.test('estimated rows: no estimate means ask', async (t) => {
  const policy = rules(`
    name: big, when: { effect: update, rows: "> 1000" }, then: deny
    name: small, when: { effect: delete, bounded: false, rows: "<= 10" }, then: allow
  `);
  const decide = (of: Facts, estimatedRows?: number) =>
    policy.decide(input(of, estimatedRows === undefined ? {} : { estimatedRows }));
  t.match(decide(one('update')), { decision: 'ask', rule: 'big', pendingRows: true });
  t.match(decide(one('update'), 1001), { decision: 'deny', pendingRows: undefined });
  t.match(decide(one('update'), 1000), { decision: 'allow', pendingRows: undefined });
  t.match(decide(deleteAll), { decision: 'ask', rule: 'builtin:delete-unbounded', pendingRows: true });
  t.equal(decide(deleteAll, 10).decision, 'allow');
  t.equal(decide(deleteAll, 11).decision, 'ask');
  t.equal(decide(one('read')).pendingRows, undefined, 'no rule is about it');
  const denied = facts(
    statement([effect('update'), effect('session', { targets: [{ type: 'setting', name: 'dbguard.x' }] })]),
  );
  t.match(decide(denied), { decision: 'deny', pendingRows: undefined }, 'an estimate could not change it');
});

t.test('migrations: one approval covers the schema changes of a transaction', async (t) => {
  const policy = compilePolicy([], { profile: 'migrations' });
  const alter = one('alter', { targets: [table('a')] });
  t.match(policy.decide(input(alter, { transactionStatus: 'T' })), { decision: 'ask', covers: 'transaction' });
  t.match(policy.decide(input(alter)), { decision: 'ask', covers: undefined }, 'no transaction, nothing to cover');
  const program = facts(statement([effect('alter'), effect('copy-program')]));
  t.match(policy.decide(input(program, { transactionStatus: 'T' })), { decision: 'ask', covers: undefined });
});

t.test('files combine: strictest wins, and a repository can only tighten', async (t) => {
  const config = (yaml: string, name: string) => parseConfig(`version: 1\n${yaml}`, name);
  const decide = (sources: [Level, string][], of: Facts): Decision =>
    compilePolicy(sources.map(([level, yaml]) => ({ level, config: config(yaml, `${level}.yaml`) }))).decide(input(of))
      .decision;
  const allowAll = 'policy: { rules: [ { name: a, when: {}, then: allow } ] }';
  const observe = 'policy: { profile: observe }';
  const readOnly = 'policy: { profile: read-only }';
  t.equal(decide([['repository', allowAll]], deleteAll), 'ask');
  t.equal(decide([['repository', observe]], deleteAll), 'ask');
  t.equal(decide([['repository', readOnly]], deleteAll), 'deny');
  t.equal(decide([['user', observe]], deleteAll), 'allow');
  t.equal(
    decide(
      [
        ['user', observe],
        ['repository', readOnly],
      ],
      deleteAll,
    ),
    'deny',
  );
  t.equal(decide([['user', allowAll]], deleteAll), 'allow');
  t.equal(
    decide(
      [
        ['organisation', readOnly],
        ['user', allowAll],
      ],
      deleteAll,
    ),
    'deny',
  );
  t.equal(
    decide(
      [
        ['organisation', readOnly],
        ['user', observe],
      ],
      deleteAll,
    ),
    'deny',
  );
  t.equal(decide([['organisation', observe]], deleteAll), 'allow');
  t.equal(
    decide(
      [
        ['user', allowAll],
        ['repository', 'policy: { rules: [ { name: b, when: {}, then: second-person } ] }'],
      ],
      deleteAll,
    ),
    'second-person',
  );
});

t.test('the user’s files speak as one', async (t) => {
  const config = (policy: string) => parseConfig(`version: 1\npolicy: ${policy}`, 'f.yaml');
  const allow = '{ rules: [ { name: a, when: { effect: delete }, then: allow } ] }';
  const decide = (...policies: string[]) =>
    compilePolicy(policies.map((policy) => ({ level: 'user', config: config(policy) }))).decide(input(deleteAll))
      .decision;
  t.equal(decide(allow, '{ profile: guarded }'), 'allow');
  t.equal(decide('{ profile: guarded }', allow), 'allow');
  t.equal(decide('{ profile: observe }', '{ profile: read-only }'), 'deny', 'two profiles: the strictest');
});

t.test('limits and times: the smallest; offline only where nobody forbids it', async (t) => {
  const config = (yaml: string) => parseConfig(`version: 1\n${yaml}`, 'f.yaml');
  const policy = compilePolicy([
    {
      level: 'user',
      config: config('policy: { approval: { timeout: 2m }, limits: { connections: 5 }, offline: allow }'),
    },
    {
      level: 'repository',
      config: config('policy: { approval: { timeout: 30s }, limits: { connections: 9, statement_bytes: 1MiB } }'),
    },
  ]);
  t.equal(policy.approvalTimeoutMs, 30_000);
  t.strictSame(policy.limits, { statementBytes: 1024 * 1024, connections: 5 });
  t.equal(policy.offline, 'allow');
  t.equal(policyOf('policy: { offline: allow }', 'repository').offline, 'deny');
});

t.test('the digest changes with every file, level and profile', async (t) => {
  const config = parseConfig('version: 1', 'f.yaml');
  const other = parseConfig('version: 1 # x', 'f.yaml');
  const digests = [
    compilePolicy([]),
    compilePolicy([], { profile: 'observe' }),
    compilePolicy([{ level: 'user', config }]),
    compilePolicy([{ level: 'user', config: other }]),
    compilePolicy([{ level: 'repository', config }]),
  ].map((policy) => policy.digest);
  t.equal(new Set(digests).size, digests.length);
  for (const digest of digests) t.match(digest, /^[\w-]{43}$/);
});

t.test('READ WRITE leaves no protection where the session began without any', (t) => {
  for (const name of ['transaction_read_only', 'default_transaction_read_only']) {
    const off = one('session', { targets: [{ type: 'setting', name }], value: 'off' });
    t.equal(guarded.decide({ ...input(off), readsAndWrites: true }).decision, 'allow', name);
    t.equal(guarded.decide({ ...input(off), readsAndWrites: false }).decision, 'ask', name);
    t.equal(guarded.decide(input(off)).decision, 'ask', name);
  }
  t.end();
});

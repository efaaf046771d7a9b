/** Row-level security and triggers trust dbguard.subject: no way of setting it may pass, whatever the policy says. */
import t from 'tap';
import { parseConfig } from '../../src/policy/config.js';
import { compilePolicy } from '../../src/policy/engine.js';
import { profileNames } from '../../src/policy/profiles.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { input } from './facts.js';

const attacks = [
  "SET dbguard.subject = 'eve'",
  "SET LOCAL dbguard.subject TO 'eve'",
  'SET "dbguard.subject" = \'eve\'',
  "SET DBGUARD.Subject = 'eve'",
  'SET dbguard.subject TO DEFAULT',
  'RESET dbguard.subject',
  "SET dbguard.session = 'x'; SELECT 1",
  "SELECT set_config('dbguard.subject', 'eve', false)",
  "SELECT set_config('dbguard.subject', $1, true)",
  "SELECT pg_catalog.set_config(E'dbguard\\u002esubject', 'eve', false)",
  "SELECT set_config('dbguard' || '.subject', 'eve', false)",
  "WITH x AS (SELECT set_config('DbGuard.Subject', 'eve', true)) SELECT 1",
  "SELECT 1 FROM users WHERE set_config('dbguard.subject', 'eve', false) IS NOT NULL",
  "EXPLAIN ANALYZE SELECT set_config('dbguard.subject', 'eve', false)",
  "COPY (SELECT set_config('dbguard.subject', 'eve', false)) TO STDOUT",
  "INSERT INTO a VALUES (set_config('dbguard.subject', 'eve', false))",
  "DECLARE c CURSOR FOR SELECT set_config('dbguard.subject', 'eve', false)",
  "DO $$ BEGIN PERFORM set_config('dbguard.subject', 'eve', false); END $$",
  "DO $$ BEGIN SET dbguard.subject = 'eve'; END $$",
  "ALTER ROLE me SET dbguard.subject = 'eve'",
  "ALTER DATABASE shop SET dbguard.subject = 'eve'",
  "ALTER SYSTEM SET dbguard.subject = 'eve'",
];

/** The text does not tell: these are asked about, and never pass by themselves. */
const hidden = [
  'SELECT set_config($1, $2, false)',
  "SELECT set_config(name, 'eve', false) FROM settings",
  "DO $$ BEGIN EXECUTE 'SET dbguard.' || 'subject = eve'; END $$",
  "CREATE FUNCTION f() RETURNS void LANGUAGE sql SET dbguard.subject = 'eve' AS 'SELECT 1'",
];

t.test('no profile and no rule lets the identity be set', async (t) => {
  const analyser = await createAnalyser();
  const allowAll = 'version: 1\npolicy: { profile: observe, rules: [ { name: all, when: {}, then: allow } ] }';
  const policies = [
    ...profileNames.map((profile) => compilePolicy([], { profile })),
    compilePolicy([{ level: 'user', config: parseConfig(allowAll, 'own.yaml') }]),
  ];
  for (const policy of policies) {
    for (const sql of attacks) {
      t.equal(policy.decide(input(analyser.analyse(sql))).decision, 'deny', `${policy.name}: ${sql}`);
    }
  }
  const guarded = compilePolicy([]);
  for (const sql of hidden) t.not(guarded.decide(input(analyser.analyse(sql))).decision, 'allow', sql);
});

t.test('reading it is nobody’s harm', async (t) => {
  const analyser = await createAnalyser();
  const guarded = compilePolicy([]);
  for (const sql of ["SELECT current_setting('dbguard.subject')", 'SHOW dbguard.subject', 'RESET ALL', 'DISCARD ALL']) {
    t.equal(guarded.decide(input(analyser.analyse(sql))).decision, 'allow', sql);
  }
});

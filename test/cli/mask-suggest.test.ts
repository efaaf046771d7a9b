/** `dbguard mask suggest`: what it proposes, why, what it leaves alone, and that no value comes out of it. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseConfig } from '../../src/policy/config.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { runCommand } from './run-command.js';

const schema = `
  CREATE TABLE people (
    id int PRIMARY KEY, email text, email_verified boolean, email_template_id int, phone text, phone_type text, first_name text,
    dob date, salary int, password_digest text, token_count int, contact text, remarks text, order_no text, card_ref text,
    reviewed_email text, masked_email text, x text);
  COMMENT ON COLUMN people.reviewed_email IS 'dbguard:mask=none';
  COMMENT ON COLUMN people.x IS 'PII of the applicant';
  INSERT INTO people SELECT n, 'canary' || n || '@mail.test', true, n, '+49 30 55501' || n, 'mobile', 'Canary' || n, '1990-01-01', n, 'x' || n, n,
    'canary' || n || '@other.test', CASE WHEN n % 10 = 0 THEN 'call canary' || n || '@third.test' ELSE 'fine' END,
    'A-' || n, (1000000000000000 + n * 899999999983)::text, 'a', 'b', 'c' FROM generate_series(1, 300) n;
  CREATE TABLE "Odd Names" ("e-Mail" text, "IBAN" text);
  ANALYZE;`;

let server: TestPostgres;
t.before(async () => {
  server = await startPostgres({ auth: 'trust' });
  await server.query(schema);
});
t.teardown(() => server.stop());

async function suggest(args: readonly string[] = []) {
  const cwd = t.testdir({
    'own.yaml': `version: 1 # mine\nconnections: { main: { url: "${server.url()}" } }\nmask:\n  - { column: people.masked_email, with: null }\n`,
  });
  const env = { DBGUARD_HOME: `${cwd}/home` };
  const ran = await runCommand('mask suggest', ['--config', `${cwd}/own.yaml`, ...args], { cwd, env });
  return { ...ran, file: readFileSync(`${cwd}/own.yaml`, 'utf8') };
}

t.test('names, types, comments and values decide, each rule with its reasons', async (t) => {
  const { code, stdout } = await suggest(['--json']);
  t.equal(code, 0);
  const found = JSON.parse(stdout) as { column: string; rule: { with: string }; reasons: string[] }[];
  t.strictSame(Object.fromEntries(found.map(({ column, rule }) => [column.replace('public.people.', ''), rule.with])), {
    'public.Odd Names.e-Mail': 'email',
    'public.Odd Names.IBAN': 'partial',
    email: 'email',
    phone: 'phone',
    first_name: 'partial',
    dob: 'date',
    salary: 'null',
    password_digest: 'null',
    contact: 'email',
    remarks: 'detected',
    x: 'null',
  });
  const because = Object.fromEntries(found.map(({ column, reasons }) => [column, reasons]));
  t.strictSame(because['public.people.email'], [
    '200 of 200 values are an e-mail address',
    'named like an e-mail address',
  ]);
  t.match(because['public.people.contact'], ['200 of 200 values are an e-mail address']);
  t.match(because['public.people.x'], ['its comment says so']);
  t.notMatch(stdout, /canary|@|555/i, 'no value');
});

t.test('what is printed can be pasted, and --write puts it into the file beside what is there', async (t) => {
  const { stdout } = await suggest();
  const config = parseConfig(`version: 1\n${stdout}`, 'pasted.yaml');
  t.equal(config.mask.length, 11);
  t.match(stdout, /^ {2}- \{ column: public\.people\.email, with: email \} {2}# 200 of 200 values/m);
  t.match(stdout, /^ {2}- \{ column: "public\.Odd\?Names\.e\?Mail", with: email \}/m);
  const { file, stdout: said } = await suggest(['--write']);
  t.match(said, /Wrote 11 rules to own\.yaml/);
  t.match(file, /^version: 1 # mine/);
  t.equal(parseConfig(file, 'own.yaml').mask.length, 12);
  t.match(file, /with: email.*# 200 of 200 values/);
});

t.test('--no-sample reads no values', async (t) => {
  const { stdout } = await suggest(['--no-sample', '--json']);
  t.notMatch(stdout, /contact|remarks|values/);
  t.match(stdout, /"public\.people\.email"/);
});

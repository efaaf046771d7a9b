/** Masks that differ by the groups of a real login, and what is left to read of them: NOTICE, last lines, transcript. */
import t from 'tap';
import { developer, script, sessionOf } from './developer.js';

const masks = [
  { column: 'people.ssn', with: null, unless: { group: ['support', 'dba-*'] } },
  { column: 'people.city', with: null, when: { group: 'contractors' } },
  { column: 'people.born', with: null },
];
const seed = `create table people (id int, ssn text, city text, born text, contact text);
  insert into people select n, 'ssn-' || n, 'city-' || n, 'born-' || n, 'ada' || n || '@example.org' from generate_series(1, 4) n`;
const body = `
  const notices = [];
  client.on('notice', ({ message }) => notices.push(message));
  const rows = await attempt('select ssn, city, born from people where id = 1');
  await attempt("select id from people where born > 'a'");
  await attempt('select contact from people');
  return { rows, notices };`;

const logins = [
  { groups: ['staff', 'dba-eu'], sees: { ssn: 'ssn-1', city: 'city-1', born: null } },
  { groups: ['contractors'], sees: { ssn: null, city: null, born: null } },
  { groups: [], sees: { ssn: null, city: 'city-1', born: null } },
  { groups: undefined, sees: { ssn: null, city: null, born: null } },
] as const;

for (const { groups, sees } of logins) {
  t.test(groups ? `in ${groups.join(', ') || 'no group'}` : 'a login that says nothing of groups', async (t) => {
    const { run, postgres, workspace } = await developer(t, {
      idp: groups ? { groups } : {},
      config: { mask: masks, detectors: 'report' },
    });
    await postgres.query(seed);
    const { stdout, stderr, exitCode } = await run(script(body));
    t.equal(exitCode, 0, stderr);
    const { rows, notices } = JSON.parse(String(stdout));
    t.strictSame(rows, [sees]);
    t.ok(notices.some((one: string) => one.startsWith('dbguard: values of public.people.contact look like e-mail')));
    t.match(stderr, /1 column without a mask looks like personal data or secrets; "dbguard mask\s+suggest"/);
    const { stdout: shown } = await workspace.dbguard(['transcripts', 'show', sessionOf(stderr)]);
    t.match(shown, /asked about: public\.people\.born/);
    t.match(shown, /masked: [^\n]*public\.people\.born/);
    t.match(shown, /not declared: public\.people\.contact: email/);
    t.equal(/masked: [^\n]*public\.people\.ssn/.test(shown), sees.ssn === null, 'only who is masked is said to be');
  });
}

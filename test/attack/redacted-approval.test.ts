/** A text that a reviewer has taken out stands in the approval's own words too: nobody reads it there either. */
import t from 'tap';
import { script, sessionOf } from '../e2e/developer.js';
import { twoDevelopers } from '../e2e/two-developers.js';

t.test('nothing of a redacted statement is left in what its approver was shown', async (t) => {
  const { postgres, ada, lead, run, waiting } = await twoDevelopers(t);
  await postgres.query('create table orders (id int, note text)');
  // the command itself stands in the opening entry
  const running = run(
    script(`return attempt('delete from orders where note = $1 and id > ' + (4700 + 11), ['can' + 'ary value'])`),
  );
  const [one] = await waiting();
  t.match(await lead.dbguard(['approve', one?.id ?? '']), { exitCode: 0 });
  const sid = sessionOf(String((await running).stderr));
  const entries = async (from: readonly string[] = []) => {
    const { stdout } = await lead.dbguard(['transcripts', 'show', sid, '--json', ...from]);
    return String(stdout);
  };
  const before = await entries();
  t.ok(before.split('canary value').length > 2, 'the statement has it, and what was shown');
  const items = before
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { n } = items.find(({ n, text }) => n > 0 && text?.includes('4711'));
  const copy = `file:${ada.project}/copy`;
  const redacted = await lead.dbguard([
    'transcripts',
    'redact',
    sid,
    '--entry',
    String(n),
    '--reason',
    'x',
    '--to',
    copy,
  ]);
  t.match(redacted, { exitCode: 0, stdout: /shown of entry/ }, String(redacted.stderr));
  for (const from of [[], ['--bucket', copy]]) {
    const after = await entries(from);
    t.match(after, '"approval"', after);
    t.notMatch(after, /canary value|4711/);
    const verified = await lead.dbguard(['transcripts', 'verify', sid, ...from]);
    t.notMatch(verified.stdout, /approval-invalid/);
    t.match(verified.stdout, /its text is redacted/, String(verified.stderr));
  }
});

t.test('nor of what its agent was asked for, once that is redacted', async (t) => {
  const { postgres, lead, run, waiting } = await twoDevelopers(t);
  await postgres.query('create table orders (id int)');
  const running = run(
    script(`
      const hooks = require('node:net').connect(process.env.DBGUARD_HOOKS);
      await new Promise((done) => hooks.on('data', done).write(JSON.stringify({
        event: 'prompt', agent: 'claude-code', session: 's1', said: ['canary', 'prompt'].join(' '),
      }) + '\\n'));
      hooks.destroy();
      return attempt('delete from orders')`),
  );
  const [one] = await waiting();
  t.match(one?.preview, { askedFor: 'canary prompt, the agent says' }, 'the second person reads it');
  t.match(await lead.dbguard(['deny', one?.id ?? '']), { exitCode: 0 });
  const sid = sessionOf(String((await running).stderr));
  const entries = async (): Promise<string> => {
    const { stdout } = await lead.dbguard(['transcripts', 'show', sid, '--json']);
    return String(stdout);
  };
  const items = (await entries())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { n } = items.find(({ kind }) => kind === 'intent');
  const redacted = await lead.dbguard(['transcripts', 'redact', sid, '--entry', String(n), '--reason', 'x']);
  t.match(redacted, { exitCode: 0, stdout: /said of entry .*shown of entry/ }, String(redacted.stderr));
  t.notMatch(await entries(), 'canary prompt');
});

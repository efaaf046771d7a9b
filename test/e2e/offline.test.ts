/** `dbguard run` whose bucket goes away: what it says at its end, and how the transcript gets there later. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { stringify } from 'yaml';
import { startS3, testKey } from '../helpers/s3.js';
import { keys } from '../helpers/terminal.js';
import { developer, script, sessionOf } from './developer.js';

const s3 = await startS3('evidence');
const { run, workspace, terminal, config } = await developer(t, {
  config: { bucket: { url: 's3://evidence/team', endpoint: s3.endpoint } },
  env: { AWS_ACCESS_KEY_ID: testKey.id, AWS_SECRET_ACCESS_KEY: testKey.secret },
});
t.teardown(() => s3.close());
// a repository's bucket is asked about once
t.match(await workspace.dbguard(['trust', '--yes']), { exitCode: 0 });

const online = () => {
  s3.fault = () => undefined;
};
/** Refused once the opening entry is there. */
const goesAway = () => {
  s3.fault = ({ method, key }) =>
    method === 'PUT' && !key.endsWith('/00000000.jsonl.gz') ? { status: 503, code: 'ServiceUnavailable' } : undefined;
};
const work = script(`return attempt('select 1 as one')`);
const spool = () =>
  readdirSync(join(workspace.home, 'state', 'spool'), { recursive: true }).filter((name) =>
    String(name).endsWith('.jsonl'),
  );
const verify = (sid: string) => workspace.dbguard(['transcripts', 'verify', sid]);

t.afterEach(online);

t.test('whoever does not want to wait leaves with Ctrl-C; dbguard upload finishes', async (t) => {
  goesAway();
  const screen = terminal(['run', '--', ...work]);
  t.teardown(() => screen.kill());
  await screen.shows(
    /uploading the transcript: 0 of \d segments? \(Ctrl-C: later\)|uploading the transcript: \d of \d segments \(Ctrl-C: later\)/,
  );
  screen.type(keys.interrupt);
  t.match(await screen.exit, { code: 0 }, 'the exit code is the child’s');
  const said = screen.history().join('\n');
  t.match(said, /dbguard: 1 statement\b/);
  t.match(said, /\d segments? waits? on this machine; "dbguard upload" brings/);
  t.match(said, /cannot use the bucket s3:\/\/evidence\/team: ServiceUnavailable/, 'and why');
  const sid = sessionOf(said);
  t.ok(spool().length > 0);
  t.match((await verify(sid)).stdout, /\? whole +no final seal yet: it may still run/, 'from what the bucket has');
  const shown = await workspace.dbguard(['transcripts', 'show', sid]);
  t.match(shown.stdout, 'select 1 as one', 'what waits here can be read here');

  const away = await workspace.dbguard(['upload']);
  t.match(away, { exitCode: 1, stdout: /could not be uploaded and stays? here/ });
  online();
  const upload = await workspace.dbguard(['upload']);
  t.match(upload, { exitCode: 0, stdout: new RegExp(`${sid} {2}is in s3://evidence/team`) });
  t.strictSame(spool(), []);
  t.match(await verify(sid), { exitCode: 0, stdout: /PROVEN/ });
});

t.test('the next run brings it by itself, however short', async (t) => {
  goesAway();
  const first = run(work);
  await s3Refused(1);
  first.kill('SIGINT');
  const { stderr, exitCode } = await first;
  t.equal(exitCode, 0);
  t.match(stderr, /on this machine; "dbguard upload"/);
  online();
  const second = await run(['true']);
  t.match(second, { exitCode: 0, stderr: /transcript complete in the bucket/ });
  t.strictSame(spool(), []);
  for (const said of [stderr, second.stderr]) t.match(await verify(sessionOf(said)), { exitCode: 0 });
});

t.test('no bucket at the start: nothing runs, unless the policy lets it', async (t) => {
  s3.fault = () => 'cut';
  const file = join(workspace.home, 'offline.yaml');
  const bucket = { url: 's3://evidence/team', endpoint: s3.endpoint };
  writeFileSync(file, stringify({ version: 1, ...config, bucket, policy: { offline: 'allow' } }), { mode: 0o600 });
  const allowed = workspace.dbguard(['run', '--config', file, '--', 'echo', 'ran']);
  const [refused] = await Promise.all([run(['echo', 'ran']), saysSomething(allowed)]);
  t.equal(refused.exitCode, 69);
  t.equal(refused.stdout, '', 'the child was not even started');
  t.match(refused.stderr, /^dbguard: cannot use the bucket s3:\/\/evidence\/team: .*\n {2}\S/m);

  allowed.kill('SIGINT');
  const offline = await allowed;
  t.match(offline, { exitCode: 0, stdout: 'ran', stderr: /on this machine; "dbguard upload"/ });
  online();
  t.match(await workspace.dbguard(['upload']), { exitCode: 0 });
  t.match(await verify(sessionOf(offline.stderr)), { exitCode: 0 });
});

t.test('a store that cannot keep a transcript is no bad network: nothing runs, whatever the policy lets', async (t) => {
  t.teardown(() => {
    s3.conditions = 'honoured';
  });
  const file = join(workspace.home, 'offline-unsuitable.yaml');
  const bucket = { url: 's3://evidence/team', endpoint: s3.endpoint };
  writeFileSync(file, stringify({ version: 1, ...config, bucket, policy: { offline: 'allow' } }), { mode: 0o600 });
  for (const conditions of ['deaf', 'unable'] as const) {
    s3.conditions = conditions;
    for (const options of [[], ['--config', file]]) {
      const refused = await workspace.dbguard(['run', ...options, '--', 'echo', 'ran']);
      t.match(refused, { exitCode: 78, stdout: '' }, `${conditions} ${options}`);
      t.match(refused.stderr, conditions === 'deaf' ? /takes no notice of If-None-Match/ : /NotImplemented/);
      t.match(refused.stderr, /choose a store that has/);
      t.notMatch(refused.stderr, /network/);
    }
  }
});

async function s3Refused(times: number): Promise<void> {
  const from = s3.requests.length;
  while (
    s3.requests.slice(from).filter(({ method, key }) => method === 'PUT' && !key.endsWith('/00000000.jsonl.gz'))
      .length < times
  )
    await sleep(20);
  await sleep(200);
}

/** Its first line is out: the end of the run has begun. */
async function saysSomething(running: ReturnType<typeof run>): Promise<void> {
  await running.iterable()[Symbol.asyncIterator]().next();
  await sleep(500);
}

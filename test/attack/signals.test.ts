/**
 * Attack: every signal that a process of the same user can send, to each dbguard that stays. None ends it half way, none
 * leaves the terminal raw, and none keeps a person from answering.
 */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { signalsThat } from '../../src/io/terminal/signals.js';
import { developer, sessionOf } from '../e2e/developer.js';
import { dbguardProgram } from '../helpers/repository.js';
import { startS3, testKey } from '../helpers/s3.js';
import { Terminal } from '../helpers/terminal.js';

const s3 = await startS3('evidence');
const { workspace, postgres } = await developer(t, {
  config: { bucket: { url: 's3://evidence/team', endpoint: s3.endpoint } },
  env: { AWS_ACCESS_KEY_ID: testKey.id, AWS_SECRET_ACCESS_KEY: testKey.secret },
});
t.teardown(() => s3.close());
await postgres.query('CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 3)');
// a repository's bucket is asked about once
t.match(await workspace.dbguard(['trust', '--yes']), { exitCode: 0 });

const numbersOf = (treatment: Parameters<typeof signalsThat>[0]): number[] =>
  signalsThat(treatment).map((name) => constants.signals[name]);
/** By which people end a program: these may. */
const meant: ReadonlySet<number> = new Set(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'].map(numberOf));
/** 32 and 33 are the C library's own: no program can listen for them, or ignore them. */
const realTime = Array.from({ length: 31 }, (_, index) => 34 + index);
/** What ends nothing: it says what dbguard hears otherwise. */
const idle = [...numbersOf('ignored'), ...realTime];
const accidents = [...numbersOf('ends').filter((number) => !meant.has(number)), ...idle];

function numberOf(name: string): number {
  return constants.signals[name as NodeJS.Signals];
}

/** The installed program as the job of a shell; how the terminal was before and is after it goes to files. */
function started(t: Test, args: string): Terminal {
  const command = `stty -a > before; "$PROGRAM" ${args}; echo "over with $?."; stty -a > after; echo 'that was all'`;
  const screen = new Terminal('/bin/sh', ['-c', command], {
    cwd: workspace.project,
    env: { ...workspace.env, PROGRAM: dbguardProgram },
    columns: 140,
  });
  t.teardown(async () => {
    screen.kill();
    await screen.exit;
  });
  return screen;
}

/** dbguard: the shell's only child. */
function guardOf(screen: Terminal): number {
  return Number(readFileSync(`/proc/${screen.pid}/task/${screen.pid}/children`, 'utf8').trim().split(' ')[0]);
}

function send(pid: number, numbers: readonly number[], times = 1): void {
  for (let round = 0; round < times; round++) for (const number of numbers) process.kill(pid, number);
}

async function endsAsItWas(t: Test, screen: Terminal, code: string): Promise<void> {
  await screen.shows(code);
  await screen.shows('that was all');
  const [before, after] = ['before', 'after'].map((name) => readFileSync(join(workspace.project, name), 'utf8'));
  t.equal(after, before, 'the terminal is as it was');
}

/** An agent that takes no notice: what it gets is dbguard's to pass on. */
const deaf = `trap "" ${[...accidents, 1, 2, 3, 15].filter((number) => number !== numberOf('SIGCHLD')).join(' ')}`;

t.test('at the prompt: each of them, then ten thousand, and a person answers', async (t) => {
  const screen = started(t, `run -- sh -c '${deaf}; psql -c "DELETE FROM orders"'`);
  await screen.shows('No answer denies in');
  const guard = guardOf(screen);
  send(guard, accidents);
  send(guard, ['SIGCONT', 'SIGWINCH', 'SIGUSR2', 'SIGCHLD'].map(numberOf), 2500);
  // the frame is still drawn: it says when keys count, and the countdown goes on
  await screen.hides(/Keys count in a moment|Typing is ignored/);
  // a person's answer, not the end of the countdown
  await screen.press('d', 'Retrying the same statement will be refused');
  await endsAsItWas(t, screen, 'over with 1.');
  t.match(await postgres.query('SELECT count(*)::int AS left FROM orders'), [{ left: 3 }]);
});

t.test('while the transcript goes to the bucket at the end', async (t) => {
  s3.fault = ({ method, key }) =>
    method === 'PUT' && !key.endsWith('/00000000.jsonl.gz') ? { status: 503, code: 'ServiceUnavailable' } : undefined;
  const screen = started(t, `run -- sh -c 'psql -c "SELECT 1"; exit 7'`);
  await screen.shows('uploading the transcript');
  const guard = guardOf(screen);
  send(guard, accidents, 20);
  s3.fault = () => undefined;
  await endsAsItWas(t, screen, 'over with 7.');
  const verified = await workspace.dbguard(['transcripts', 'verify', sessionOf(screen.history().join('\n'))]);
  t.match(verified, { exitCode: 0, stdout: /PROVEN/ });
});

t.test('approvals stays, and ends with q', async (t) => {
  const screen = started(t, 'approvals');
  await screen.shows('No dbguard run is active yet');
  send(guardOf(screen), idle, 20);
  await screen.press('q', 'over with');
  await endsAsItWas(t, screen, 'over with 0.');
});

t.test('proxy stays, and whatever else would end it ends it in order', async (t) => {
  const screen = started(t, 'proxy');
  await screen.shows('Ctrl-C ends it');
  const guard = guardOf(screen);
  send(guard, idle, 20);
  send(guard, accidents, 20);
  await endsAsItWas(t, screen, 'over with 0.');
  t.match(screen.text(), 'transcript complete in the bucket');
});

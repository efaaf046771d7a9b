/** A program of the agent that looks like a run to `dbguard approvals`: it can annoy the person, and no more. */
import { mkdirSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseFromRun } from '../../src/approval/parse-from-run.js';
import { previewDigest, previewOf } from '../../src/approval/preview.js';
import { askedMessage } from '../../src/approval/protocol.js';
import { request } from '../approval/requests.js';
import { makeWorkspace } from '../helpers/workspace.js';

const asked = askedMessage({
  request: request({ expiresAt: Date.now() + 60_000 }),
  preview: previewOf(request()),
  digest: previewDigest(request()),
  dryRun: 'none',
  expiresAt: Date.now() + 60_000,
  sessionObstacle: undefined,
});
const hello = {
  type: 'hello',
  run: { sid: 'session-1', pid: 1, agent: 'claude', subject: 'anna', connection: 'shop' },
  pending: [asked],
};

/** Calls back as a run does, and says `lines`. */
async function falseRun(t: Test, lines: readonly string[], onLine: (line: string, socket: Socket) => void = () => {}) {
  const workspace = makeWorkspace();
  const runtime = join(workspace.home, 'run');
  mkdirSync(runtime, { mode: 0o700 });
  const server = createServer((caller) => {
    caller.on('error', () => {});
    caller.once('data', (bytes) => {
      const { socket } = JSON.parse(bytes.toString());
      const back = connect(join(runtime, socket), () => back.write(lines.map((line) => `${line}\n`).join('')));
      back.on('error', () => {});
      back.on('data', (answer) => onLine(answer.toString(), back));
    });
  });
  await new Promise<void>((resolve) => server.listen(join(runtime, 'ask-0123456789ab.sock'), resolve));
  t.teardown(() => {
    server.close();
    workspace.remove();
  });
  return workspace;
}

const tricks = '\u001b[2J\u001b]0;owned\u0007\u202e';

/** The same message with one field, at any depth, replaced. */
function* variants(value: unknown, junk: unknown): Generator<unknown> {
  yield junk;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    for (const changed of variants(inner, junk)) {
      yield Array.isArray(value) ? Object.assign([...value], { [key]: changed }) : { ...value, [key]: changed };
    }
  }
}

t.test('whatever stands in whichever field, nothing of it acts on a terminal', async (t) => {
  const control = /[\p{Cc}\p{Bidi_Control}]/u;
  const texts = (value: unknown): string[] =>
    typeof value === 'string' ? [value] : typeof value === 'object' && value ? Object.values(value).flatMap(texts) : [];
  let taken = 0;
  for (const message of [hello, asked, { type: 'settled', id: '1-1', decision: 'deny', by: 'anna' }]) {
    for (const junk of [tricks, 7, null, {}, [], [tricks], { text: tricks }]) {
      for (const changed of variants(message, junk)) {
        const parsed = parseFromRun(JSON.stringify(changed));
        if (parsed) taken++;
        const bad = texts(parsed).filter((text) => control.test(text.replaceAll('\n', '')));
        if (bad.length > 0) t.fail(JSON.stringify(bad));
      }
    }
  }
  t.ok(taken > 30, `${taken} were taken, sanitised`);
  t.strictSame(parseFromRun(JSON.stringify(hello)), hello, 'and what a run says comes through as it is');
});

t.test('junk in the place of messages ends the link, not the program', async (t) => {
  const incomplete = JSON.stringify({ ...hello, pending: [{}] });
  for (const junk of ['not json', 'null', '[]', '{"type":"hello"}', incomplete]) t.equal(parseFromRun(junk), undefined);
  const workspace = await falseRun(t, [incomplete]);
  const { exitCode, stdout, stderr } = await workspace.dbguard(['approvals', '--list']);
  t.equal(exitCode, 0, stderr);
  t.match(stdout, 'No dbguard run is active.');
});

t.test('a verdict that nobody confirms is no approval', async (t) => {
  const heard: string[] = [];
  const workspace = await falseRun(t, [JSON.stringify(hello)], (line) => heard.push(line));
  const { exitCode, stderr } = await workspace.dbguard(['approve', '1-1']);
  t.equal(exitCode, 66, stderr);
  t.match(heard.join(''), '"settle"', 'it was sent');
});

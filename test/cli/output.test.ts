/** Where the output of commands goes: pagers that are left early, readers that go, disks that are full. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import t from 'tap';
import { openBucket } from '../../src/io/bucket/open.js';
import { dbguardProgram } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';
import { makeWorkspace } from '../helpers/workspace.js';
import { clientId, issuerUrl, testIssuer } from '../transcript/people.js';
import { objectsOf, record } from '../transcript/recorded.js';

const workspace = makeWorkspace();
t.teardown(() => workspace.remove());
const issuer = await testIssuer();
const session = record(await issuer.login('ada'), { statements: 500 });
workspace.configure({ identity: { issuer: issuerUrl, client_id: clientId } });
writeFileSync(join(workspace.project, 'keys.json'), JSON.stringify(issuer.keys));
const bucket = await openBucket({ kind: 'file', path: workspace.bucket }, { env: {} });
for (const { key, bytes } of objectsOf(session, 0)) await bucket.create(key, bytes);

const less = existsSync('/usr/bin/less') || existsSync('/bin/less');
const show = ['transcripts', 'show', session.sid, '--keys', 'keys.json'];

/** With AND_THEN as a last command: what a program writes as it ends may be lost with its pty. */
function terminal(args: readonly string[], env: Record<string, string> = {}): Terminal {
  const script = 'unset NODE_OPTIONS; "$@"; code=$?; eval "$AND_THEN"; exit $code';
  return new Terminal('/bin/sh', ['-c', script, 'sh', process.execPath, dbguardProgram, ...args], {
    cwd: workspace.project,
    env: { ...workspace.env, ...env },
  });
}

/** A pager that notes how it was called, and reads as many lines as it is told. */
function pagerScript(lines: number): string {
  const path = join(workspace.project, `pager-${lines}`);
  const text = `#!/bin/sh\nprintf '%s\\n' "$LESS" "$*" > ${path}.args\nhead -n ${lines} | tee ${path}.text\n`;
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

const read = (path: string) => readFileSync(path, 'utf8');

t.test(
  'show on a terminal: less, coloured, left early without a word',
  { skip: !less && 'no less here' },
  async (t) => {
    const screen = terminal(show);
    t.teardown(() => screen.kill());
    await screen.shows(/#\d+ .*SELECT|SELECT \d+/);
    t.notMatch(screen.text(), 'PROVEN', 'the end is far below');
    t.match(screen.raw, '\x1b[2m');
    screen.type('\x03'); // less stays at Ctrl-C, and so must we
    // while it reads its input, less may take the key for a part of what is interrupted
    for (let tries = 0; tries < 50 && !screen.text().includes('✓ whole'); tries++) {
      screen.type('G');
      await sleep(200);
    }
    await screen.shows('✓ whole');
    screen.type('q');
    t.match(await screen.exit, { code: 0 });

    const early = terminal(show);
    t.teardown(() => early.kill());
    await early.shows(/SELECT \d+/);
    early.type('q');
    t.match(await early.exit, { code: 0 });
    t.notMatch(early.history().join('\n'), /dbguard:|EPIPE|rror/);
  },
);

t.test('PAGER and LESS are the person’s, colours go with NO_COLOR', async (t) => {
  const all = pagerScript(100_000);
  t.match(await terminal(show, { PAGER: `${all} -x`, NO_COLOR: '1' }).exit, { code: 0 });
  t.equal(read(`${all}.args`), 'FRX\n-x\n');
  t.match(read(`${all}.text`), /PROVEN\n {2}✓ who/);
  t.notMatch(read(`${all}.text`), '\x1b');
  await terminal(show, { PAGER: all, LESS: '-S' }).exit;
  t.equal(read(`${all}.args`), '-S\n\n');
  t.match(read(`${all}.text`), '\x1b');

  const three = pagerScript(3);
  const left = terminal(show, { PAGER: three });
  t.match(await left.exit, { code: 0 });
  t.equal(left.history().length, 3, 'nothing but what the pager showed');

  for (const PAGER of ['', 'cat']) {
    const plain = terminal(show, { PAGER, AND_THEN: 'read -r _' });
    await plain.shows('PROVEN');
    plain.type(keys.enter);
    t.match(await plain.exit, { code: 0 });
  }
});

t.test('a reader that leaves, as head does, is no error', async (t) => {
  const commands = [show, ['transcripts', 'list', '--json'], ['transcripts', 'search', 'select'], ['--help']];
  const program = `env -u NODE_OPTIONS "${process.execPath}" "${dbguardProgram}"`;
  for (const args of commands) {
    const quoted = args.map((arg) => `'${arg}'`).join(' ');
    // the reader is gone before the first byte is written
    const command = `{ sleep 0.3; ${program} ${quoted}; echo "code $?" >&2; } | true`;
    const { stderr } = await execa('sh', ['-c', command], { cwd: workspace.project, env: workspace.env });
    t.equal(stderr, 'code 0', args.join(' '));
  }
});

t.test('a full disk is one', { skip: process.platform !== 'linux' }, async (t) => {
  const program = `env -u NODE_OPTIONS "${process.execPath}" "${dbguardProgram}"`;
  for (const args of ['transcripts list', 'instructions']) {
    const command = `${program} ${args} > /dev/full; echo "code $?" >&2`;
    const { stderr } = await execa('sh', ['-c', command], { cwd: workspace.project, env: workspace.env });
    t.match(
      stderr,
      /^dbguard: the output cannot be written: no space left on device\n {2}Make room there, .*\ncode 74$/,
      args,
    );
  }
});

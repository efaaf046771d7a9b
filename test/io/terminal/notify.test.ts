import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { notifyDesktop } from '../../../src/io/terminal/notify.js';

const linux = process.platform === 'linux' ? false : 'notify-send is Linux’s';

test('a notification is given as arguments, its body as text', { skip: linux }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dbg-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const out = join(folder, 'out');
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" > '${out}.tmp'\nmv '${out}.tmp' '${out}'\n`;
  writeFileSync(join(folder, 'notify-send'), script, { mode: 0o755 });
  const env = { PATH: `${folder}:${process.env.PATH}`, DISPLAY: ':0' };
  notifyDesktop('--help', 'Delete <b>all</b> & $(reboot)', env);
  while (!existsSync(out)) await new Promise((resolve) => setTimeout(resolve, 10));
  const given = readFileSync(out, 'utf8').trim().split('\n');
  t.strictSame(given.slice(-3), ['--', '--help', 'Delete &lt;b&gt;all&lt;/b&gt; &amp; $(reboot)']);
});

test('no desktop, no program: nothing happens', (t) => {
  notifyDesktop('a', 'b', { PATH: '/nonexistent', DISPLAY: ':0' });
  notifyDesktop('a', 'b', { PATH: process.env.PATH });
  t.pass('nothing was thrown');
  t.end();
});

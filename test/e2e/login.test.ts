/** `dbguard login` in front of a person: what the terminal shows, what their keys do, and how each way of failing ends. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { dbguardProgram } from '../helpers/repository.js';
import { keys, Terminal } from '../helpers/terminal.js';
import { makeWorkspace } from '../helpers/workspace.js';
import { Browser, clientId, type ProviderOptions, startProvider } from '../identity/provider.js';
import { showsQrCode } from './qr-screen.js';

async function world(t: Test, options: ProviderOptions = {}) {
  const provider = await startProvider({ returnsDeviceNonce: true, ...options });
  const workspace = makeWorkspace();
  t.teardown(async () => {
    await provider.close();
    workspace.remove();
  });
  const opened = join(workspace.project, 'opened');
  const browser = join(workspace.project, 'browser');
  writeFileSync(browser, `#!/bin/sh\nprintf '%s\\n' "$@" > ${opened}.new; mv ${opened}.new ${opened}\n`, {
    mode: 0o755,
  });
  workspace.configure({ identity: { issuer: provider.issuer, client_id: clientId } });
  const login = (args: readonly string[] = [], env: Record<string, string> = {}) => {
    // a file that the person names is the person's own
    const DBGUARD_CONFIG = join(workspace.project, 'dbguard.yaml');
    const how = {
      cwd: workspace.project,
      env: { ...workspace.env, BROWSER: browser, DBGUARD_CONFIG, ...env },
      columns: 120,
    };
    const screen = new Terminal(
      '/usr/bin/env',
      ['-u', 'NODE_OPTIONS', process.execPath, dbguardProgram, 'login', ...args],
      how,
    );
    t.teardown(() => screen.kill());
    return screen;
  };
  return {
    provider,
    workspace,
    login,
    /** The page that the browser was told to open. */
    async openedPage(): Promise<string> {
      while (!existsSync(opened)) await sleep(20);
      return readFileSync(opened, 'utf8').trim();
    },
    opened: () => existsSync(opened),
  };
}

/** Logged in: the words of the prompts are left as they were made. An Enter that was typed before may have said so. */
async function ended(screen: Terminal): Terminal['exit'] {
  const asked = await screen.shows(/Your words:|Some were made for you/);
  if (!asked.includes('Some were made')) screen.type(keys.enter);
  return screen.exit;
}

function linkOn(text: string): string {
  return /\(or open {2}(\S+) \)/.exec(text)?.[1] ?? '';
}

t.test('device code: the card, Enter opens the browser, and what whoami says then', async (t) => {
  const { provider, login, openedPage, workspace } = await world(t);
  const screen = login();
  const card = await screen.shows('Press Enter to open the browser.');
  t.match(card, `  Open      ${provider.issuer}/device\n  and enter `);
  t.match(card, /and enter [A-Z]{4}-[A-Z]{4}$/m);
  t.match(card, 'Confirm only a code that you see here. It is good for 10 min.');
  screen.type(keys.enter);
  const page = await openedPage();
  t.equal(page, linkOn(card), 'the page with its code, and nothing else, is the argument');
  await new Browser().confirmDevice(page);
  t.match(await ended(screen), { code: 0 });
  t.match(screen.history().join('\n'), /Logged in as dev-1@example.test until .*\n {2}evidence {2}nonce: /);
  const { stdout } = await workspace.dbguard(['whoami']);
  t.match(stdout, /^dev-1@example\.test/);
  t.match(stdout, /kept in {3}encrypted file in/);
});

t.test('--no-open, and a browser that is not there', async (t) => {
  const { login, opened } = await world(t);
  const closed = login(['--no-open']);
  const card = await closed.shows('(or open');
  closed.type(keys.enter);
  await new Browser().confirmDevice(linkOn(card));
  t.match(await ended(closed), { code: 0 });
  t.notMatch(closed.history().join('\n'), 'Press Enter');
  t.notOk(opened());

  const missing = login([], { BROWSER: '/no/such/browser %s' });
  const link = linkOn(await missing.shows('Press Enter'));
  missing.type(keys.enter);
  await missing.shows('No browser could be started here: open the page by hand.');
  await new Browser().confirmDevice(link);
  t.match(await ended(missing), { code: 0 });
});

t.test('--qr: a camera reads the page with its code from the screen', async (t) => {
  const { login } = await world(t);
  const screen = login(['--qr', '--no-open'], { NO_COLOR: '1' });
  const link = linkOn(await screen.shows('Confirm only'));
  t.ok(showsQrCode(screen.history(), link), 'the code on the screen is the one of this link');
  await new Browser().confirmDevice(link);
  t.match(await ended(screen), { code: 0 });
});

t.test('denied, and a code that has run out', async (t) => {
  const { login, workspace } = await world(t);
  const denied = login();
  await new Browser().confirmDevice(linkOn(await denied.shows('Press Enter')), 'abort');
  t.match(await denied.exit, { code: 77 });
  t.match(denied.history().join('\n'), /^dbguard: .*(denied|refused|not confirmed)/m);
  t.match(await workspace.dbguard(['whoami']), { exitCode: 77, stderr: /dbguard login/ });

  const short = await world(t, { deviceCodeTtl: 1 });
  const expired = short.login();
  t.match(await expired.exit, { code: 77 });
  t.match(expired.history().join('\n'), /^dbguard: .*expired[\s\S]*^ {2}.*dbguard login/m);
});

t.test('the network goes while a person confirms, and comes back', async (t) => {
  const { login, provider } = await world(t);
  let cut = 0;
  provider.meddle = ({ path, status }) => (path === '/token' && status === 400 && cut++ < 2 ? 'hang-up' : undefined);
  const screen = login();
  const link = linkOn(await screen.shows('Press Enter'));
  await screen.shows('dbguard: the issuer cannot be reached, trying again');
  while (cut < 2) await sleep(20);
  await new Browser().confirmDevice(link);
  t.match(await ended(screen), { code: 0 });
  t.equal(screen.history().filter((line) => /cannot be reached/.test(line)).length, 1, 'said once');
});

t.test('no issuer at all, and Ctrl-C', async (t) => {
  const { login, provider } = await world(t);
  const waiting = login();
  await waiting.shows('Press Enter');
  waiting.type(keys.interrupt);
  t.match(await waiting.exit, { signal: constants.signals.SIGINT });
  await provider.close();
  const nobody = login();
  t.match(await nobody.exit, { code: 77 });
  t.match(nobody.history().join('\n'), /^dbguard: .*cannot be reached/m);
});

t.test(
  '--browser: the redirect comes back to this machine, and binds the key where a device code does not',
  async (t) => {
    const { login, openedPage } = await world(t, { returnsDeviceNonce: false });
    const screen = login(['--browser']);
    await screen.shows('Press Enter to open the browser.');
    screen.type(keys.enter);
    const { url, body } = await new Browser().go(await openedPage());
    t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/callback\?/);
    t.match(body, 'Close this window and go back to the terminal.');
    t.match(await ended(screen), { code: 0 });
    t.match(screen.history().join('\n'), 'evidence  nonce');
  },
);

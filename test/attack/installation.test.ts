/** Who has a hand in the installed files: none of it passes for what was released. Packed and signed as a release is. */
import type { KeyObject } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { installedFiles } from '../../src/cli/installation/installed-files.js';
import { listFile, parseSignedList, releaseKeyFrom, signatureFile } from '../../src/cli/installation/signed-list.js';
import { verifyInstallation } from '../../src/cli/installation/verify-installation.js';
import { newKeyPair } from '../helpers/keys.js';
import { repositoryRoot } from '../helpers/repository.js';

const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
const folder = t.testdir();
const keyOf = (name: string): { file: string; publicKey: KeyObject } => {
  const { privateKey, publicKey } = newKeyPair('ed25519');
  const file = join(folder, `${name}.pem`);
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(folder, `${name}-public.pem`), publicKey.export({ type: 'spki', format: 'pem' }));
  return { file, publicKey };
};
const project = keyOf('project');
const stranger = keyOf('stranger');

const env = { NODE_OPTIONS: '', DBGUARD_RELEASE_KEY: project.file };
await execa(join(repositoryRoot, '.ci/pack'), [folder], { env });
await execa('tar', ['-xzf', join(folder, `dbguard-${version}.tgz`), '-C', folder]);
const released = join(folder, 'package');
const signedList = join(repositoryRoot, '.ci/release/signed-list.mjs');

const sign = (root: string, key: string | undefined): unknown =>
  execa('node', [signedList, root, 'npm'], { env: { NODE_OPTIONS: '', DBGUARD_RELEASE_KEY: key ?? '' } });

/** A few of the files, signed for themselves: what is done to each attack's own copy. */
const few = join(folder, 'few');
for (const path of ['package.json', 'LICENSE', 'bin/dbguard', 'dist/bin/main.js', 'dist/bin/keychain-helper.js'])
  cpSync(join(released, path), join(few, path));
await sign(few, project.file);

let copies = 0;
function copy(): string {
  copies += 1;
  const root = join(folder, `copy-${copies}`);
  cpSync(few, root, { recursive: true });
  return root;
}

t.test('what was released is known again', async (t) => {
  t.match(verifyInstallation(released, version, project.publicKey), {
    verdict: 'released',
    list: { version, target: 'npm' },
  });
});

type Attack = (root: string) => unknown;
const edited =
  (path: string): Attack =>
  (root) =>
    appendFileSync(join(root, path), ' ');
const attacks: readonly [name: string, attack: Attack, expected: object][] = [
  [
    'a byte in the program',
    edited('dist/bin/main.js'),
    { doubt: 'other-files', differences: { changed: ['dist/bin/main.js'] } },
  ],
  [
    'a byte in the launcher',
    edited('bin/dbguard'),
    { doubt: 'other-files', differences: { changed: ['bin/dbguard'] } },
  ],
  [
    'a module beside the program',
    (root) => writeFileSync(join(root, 'dist/bin/more.js'), ''),
    { doubt: 'other-files', differences: { additional: ['dist/bin/more.js'] } },
  ],
  [
    'a hidden file at the root',
    (root) => writeFileSync(join(root, '.npmrc'), ''),
    { doubt: 'other-files', differences: { additional: ['.npmrc'] } },
  ],
  [
    'a module taken away',
    (root) => rmSync(join(root, 'dist/bin/keychain-helper.js')),
    { doubt: 'other-files', differences: { missing: ['dist/bin/keychain-helper.js'] } },
  ],
  [
    'the same bytes through a link, which can lead elsewhere a moment later',
    (root) => {
      rmSync(join(root, 'dist/bin/main.js'));
      symlinkSync(join(few, 'dist/bin/main.js'), join(root, 'dist/bin/main.js'));
    },
    { doubt: 'other-files', differences: { changed: ['dist/bin/main.js'] } },
  ],
  [
    'a folder in the place of a file',
    (root) => {
      rmSync(join(root, 'LICENSE'));
      mkdirSync(join(root, 'LICENSE'));
    },
    { doubt: 'other-files', differences: { missing: ['LICENSE'] } },
  ],
  [
    'a list that was made anew, under the old signature',
    async (root) => {
      const signature = readFileSync(join(root, signatureFile));
      edited('dist/bin/main.js')(root);
      await sign(root, undefined);
      writeFileSync(join(root, signatureFile), signature);
    },
    { verdict: 'altered', doubt: 'other-signature' },
  ],
  [
    'a list that somebody else signed',
    async (root) => {
      edited('dist/bin/main.js')(root);
      await sign(root, stranger.file);
    },
    { verdict: 'altered', doubt: 'other-signature' },
  ],
  [
    'a signature of nothing',
    (root) => writeFileSync(join(root, signatureFile), ''),
    { verdict: 'altered', doubt: 'other-signature' },
  ],
  [
    'the signature taken away',
    (root) => rmSync(join(root, signatureFile)),
    { verdict: 'unproven', doubt: 'no-signature' },
  ],
  [
    'list and signature taken away',
    (root) => {
      rmSync(join(root, signatureFile));
      rmSync(join(root, listFile));
    },
    { verdict: 'unproven', doubt: 'no-list' },
  ],
  [
    'the list of another release, which the project did sign',
    async (root) => {
      const manifest = readFileSync(join(root, 'package.json'), 'utf8');
      writeFileSync(join(root, 'package.json'), manifest.replace(version, '0.0.9'));
      await sign(root, project.file);
      writeFileSync(join(root, 'package.json'), manifest);
    },
    { verdict: 'altered', doubt: 'other-version' },
  ],
  [
    'other signed words of the project in the place of the list',
    async (root) => {
      const { signFile, releaseKey } = await import(signedList);
      writeFileSync(join(root, listFile), `${'0'.repeat(64)}  dbguard-${version}-linux-x64.tar.gz\n`);
      signFile(join(root, listFile), releaseKey(env));
    },
    { verdict: 'altered', doubt: 'not-a-list' },
  ],
];
for (const [name, attack, expected] of attacks)
  t.test(name, async (t) => {
    const root = copy();
    await attack(root);
    t.match(verifyInstallation(root, version, project.publicKey), expected);
    rmSync(root, { recursive: true });
  });

t.test('of all files, each is told when it is changed, and each when it is gone', async (t) => {
  const root = join(folder, 'whole');
  cpSync(released, root, { recursive: true });
  const all = [...installedFiles(root, true).keys()];
  t.ok(all.length > 200);
  for (const path of all) edited(path)(root);
  t.strictSame([...verifyInstallation(root, version, project.publicKey).differences.changed].sort(), all.sort());
  for (const path of all) rmSync(join(root, path));
  t.strictSame([...verifyInstallation(root, version, project.publicKey).differences.missing].sort(), all);
});

t.test('a list that says more than a list may', async (t) => {
  const head = `# dbguard ${version} npm: what is installed\n`;
  const line = (path: string): string => `${'0'.repeat(64)}  ${path}\n`;
  t.ok(parseSignedList(head + line('dist/bin/main.js')));
  for (const text of [
    '',
    head,
    line('dist/bin/main.js'),
    head + line('../main.js'),
    head + line('/etc/passwd'),
    head + line('dist//main.js'),
    head + line('dist\\main.js'),
    head + line('a') + line('a'),
    `${head}${line('a')}more\n`,
    `${head}${'0'.repeat(64)}  a`,
    `${head}${'0'.repeat(63)}  a\n`,
    head.replace('installed', 'offered') + line('a'),
  ])
    t.equal(parseSignedList(text), undefined, text);
});

t.test('the command says so, and ends so', async (t) => {
  const verify = (...args: string[]) =>
    execa(join(repositoryRoot, 'bin/dbguard'), ['version', '--verify', ...args], { reject: false });
  const key = ['--key', join(folder, 'project-public.pem')];
  const other = ['--key', join(folder, 'stranger-public.pem')];
  const good = await verify('--folder', released, ...key);
  t.match(good, { exitCode: 0, stdout: /AS RELEASED/ });
  t.match(await verify('--folder', released, ...other), {
    exitCode: 1,
    stdout: /NOT AS RELEASED[\s\S]*not signed by this key/,
  });
  t.match(await verify(), { exitCode: 2, stdout: /NOT PROVEN[\s\S]*development build/ });
  const root = copy();
  edited('dist/bin/main.js')(root);
  writeFileSync(join(root, 'dist/bin/x\u001b[2J.js'), '');
  const bad = await verify('--folder', root, ...key);
  t.match(bad, { exitCode: 1, stdout: /changed +dist\/bin\/main\.js/ });
  t.notMatch(bad.stdout, '\u001b');
  const told = JSON.parse((await verify('--json', '--folder', root, ...key)).stdout);
  t.match(told, {
    verdict: 'altered',
    doubt: 'other-files',
    changed: ['dist/bin/main.js'],
    additional: ['dist/bin/x\u001b[2J.js'],
  });
  t.match(await verify('--folder', folder), { exitCode: 64, stderr: /cannot read|not installed/ });
  t.match(
    await verify('--folder', root, '--key', join(folder, 'project.pem')),
    { exitCode: 64 },
    'a private key is for nobody',
  );
});

t.test('only a public Ed25519 key is one', async (t) => {
  for (const kind of ['ec', 'rsa'] as const)
    t.throws(() => releaseKeyFrom(newKeyPair(kind).publicKey.export({ type: 'spki', format: 'pem' }).toString()));
  t.throws(() => releaseKeyFrom('A'.repeat(42)));
});

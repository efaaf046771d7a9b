/** What a release is put together from, without a network: the launcher, formulas, changelog, archives, one version. */
import { mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { repositoryRoot } from '../helpers/repository.js';

const part = (name: string) => import(join(repositoryRoot, `.ci/release/${name}.mjs`));
const { version, description, license } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));

t.test(
  'the launcher starts with the runtime beside it, also through links, and with no other in the PATH',
  async (t) => {
    const { launcher } = await part('tree');
    const root = t.testdir({ installed: { bin: {}, runtime: { bin: {} } }, elsewhere: {} });
    const program = join(root, 'installed/bin/dbguard');
    writeFileSync(program, launcher(readFileSync(join(repositoryRoot, 'bin/dbguard'), 'utf8')), { mode: 0o755 });
    writeFileSync(join(root, 'installed/bin/package.json'), '{"type":"commonjs"}');
    symlinkSync(process.execPath, join(root, 'installed/runtime/bin/node'));
    for (const same of ['dist', 'node_modules', 'package.json'])
      symlinkSync(join(repositoryRoot, same), join(root, 'installed', same));
    symlinkSync('../installed/bin/dbguard', join(root, 'elsewhere/link'));
    symlinkSync('link', join(root, 'elsewhere/dbguard'));
    const env = { PATH: '/usr/bin:/bin', DBGUARD_HOME: root };
    for (const started of [program, join(root, 'elsewhere/dbguard')]) {
      const { stdout } = await execa(started, ['--version'], { env, extendEnv: false });
      t.equal(stdout, version, started);
    }
    const bare = await execa('sh', ['dbguard', '--version'], {
      env,
      extendEnv: false,
      cwd: join(root, 'installed/bin'),
    });
    t.equal(bare.stdout, version, 'by its bare name');
    t.throws(() => launcher('#!/bin/sh\nexec node "$0"\n'), 'one that it does not know is left alone');
  },
);

t.test('formulas name every archive of their platforms by its digest, and none without', async (t) => {
  const { homebrew, scoop } = await part('formulas');
  const { targets } = await part('targets');
  const files = Object.keys(targets).map(
    (name) => `dbguard-${version}-${name}.${name.startsWith('win32') ? 'zip' : 'tar.gz'}`,
  );
  const digests = new Map(files.map((file, index) => [file, String(index).repeat(64)]));
  const about = { version, description, license, address: 'https://releases.example.com', digests };
  const both = homebrew(about) + scoop(about);
  for (const file of files.filter((one) => !one.includes('musl'))) {
    t.ok(both.includes(`https://releases.example.com/${file}`), file);
    t.ok(both.includes(digests.get(file) ?? 'none'), file);
  }
  t.equal(JSON.parse(scoop(about)).version, version);
  t.match(homebrew(about), `version "${version}"`);
  t.throws(() => homebrew({ ...about, digests: new Map() }), /there is no/);
});

t.test('each change stands in the first group that takes it', async (t) => {
  const { changelog } = await part('changelog');
  const groups = [
    { title: 'Protection', regexp: '(?i)\\bdenied\\b' },
    { title: 'Evidence', regexp: '(?i)\\bseal\\b' },
    { title: 'Else' },
  ];
  const subjects = ['A seal is Denied', 'A word', 'A seal'];
  const text = changelog({ version, date: '2026-11-30', subjects, groups });
  t.equal(
    text,
    `## dbguard ${version}, 2026-11-30\n\n### Protection\n\n- A seal is Denied\n\n### Evidence\n\n- A seal\n\n### Else\n\n- A word\n`,
  );
});

t.test('the same files make the same archives, whenever and however they were written', async (t) => {
  const { tarball, zip, deb } = await part('archives');
  const makers: Record<string, (folder: string, out: string, work: string) => string> = {
    tar: tarball,
    zip,
    'dpkg-deb': (folder, out, work) => deb(folder, 'x64', out, work),
  };
  t.testdir({});
  for (const [program, make] of Object.entries(makers)) {
    const there = await execa(program, ['--version'], { reject: false });
    if (there.code === 'ENOENT') {
      t.comment(`${program} is not installed`);
      continue;
    }
    const made = [0, 1].map((later) => {
      const work = join(t.testdirName, `${program}-${later}`);
      const folder = join(work, 'tree');
      const out = join(work, 'out');
      for (const one of ['tree/completions', 'tree/dist/bin', 'out']) mkdirSync(join(work, one), { recursive: true });
      const files = [
        'completions/dbguard.bash',
        'dist/licences.txt',
        'dist/bin/dbguard.1',
        'completions/_dbguard',
        'completions/dbguard.fish',
      ];
      for (const file of later ? files.reverse() : files) {
        writeFileSync(join(folder, file), file, { mode: later ? 0o600 : 0o664 });
        utimesSync(join(folder, file), later, 1e9 + later);
      }
      return readFileSync(make(folder, out, work));
    });
    t.strictSame(made[0], made[1], program);
  }
});

t.test('everything says the same version, and one that says another ends the release', async (t) => {
  const { versionsSaid, insistOnOneVersion } = await part('versions');
  for (const [place, said] of versionsSaid()) t.equal(said, version, place);
  const out = t.testdir({ 'CHANGELOG.md': '## dbguard 9.9.9, 2026-11-30\n' });
  t.throws(() => insistOnOneVersion(out), /CHANGELOG\.md says 9\.9\.9/);
});

t.test('the parts of the bundle are named, with a licence each', async (t) => {
  const { bundledPackages, installedPackages, licences, sbom } = await part('components');
  const parts: string[] = [...bundledPackages(), ...installedPackages()];
  for (const name of ['ink', 'jose', 'yaml', 'keytar', '@lydell/node-pty', '@aws-sdk/client-s3'])
    t.ok(parts.includes(`node_modules/${name}`), name);
  t.notOk(parts.some((one) => /typescript|esbuild|tap$/.test(one)));
  const document = JSON.parse(sbom(parts, 'npm'));
  t.match(document, { bomFormat: 'CycloneDX', specVersion: '1.5' });
  for (const { name, licenses } of document.components) t.ok(licenses?.length, name);
  t.equal(sbom(parts, 'npm'), sbom(parts, 'npm'), 'the same again');
  t.notMatch(licences(parts), 'undefined');
  t.ok(statSync(join(repositoryRoot, 'dist/bundle.json')).size > 0);
});

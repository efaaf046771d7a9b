/** The release description says what is really packed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { parse } from 'yaml';
import { commandEntries } from '../../src/cli/table.js';
import { repositoryRoot } from '../helpers/repository.js';

const read = (name: string): string => readFileSync(join(repositoryRoot, name), 'utf8');
const release = parse(read('.goreleaser-style.yml'));
const manifest = JSON.parse(read('package.json'));
const [archive] = release.archives;

const folder = t.testdir();
const tarball = join(folder, archive.name_template.replace('{{ .Version }}', manifest.version));
await execa(join(repositoryRoot, archive.command), [folder], { env: { NODE_OPTIONS: '' } });

t.test('the package is as described', async (t) => {
  const { stdout } = await execa('tar', ['-tzf', tarball]);
  const paths = stdout.split('\n').map((path) => path.replace(/^package\//, ''));
  const matches = (path: string, pattern: string): boolean => {
    const [folder = '', end] = pattern.split('**');
    return end === undefined ? path === pattern : path.startsWith(folder) && path.endsWith(end.replace('/*', ''));
  };
  for (const pattern of archive.files)
    t.ok(
      paths.some((path) => matches(path, pattern)),
      `has ${pattern}`,
    );
  t.strictSame(
    paths.filter((path) => !archive.files.some((pattern: string) => matches(path, pattern))),
    [],
    'nothing that is not described',
  );
  for (const pattern of archive.forbidden)
    t.notOk(
      paths.some((path) => matches(path, pattern)),
      `no ${pattern}`,
    );
});

t.test('what is loaded later has its names', async (t) => {
  const files = readdirSync(join(repositoryRoot, 'dist/bin'));
  t.ok(files.includes('main.js'));
  // what import() of a CommonJS package becomes: Node finds the names of what it exports, the bundle has none of them
  for (const file of files) if (/^export default require_/m.test(read(`dist/bin/${file}`))) t.fail(file);
});

t.test('the registry gets a README of its own', async (t) => {
  const file = async (path: string): Promise<string> =>
    (await execa('tar', ['-xOzf', tarball, `package/${path}`], { stripFinalNewline: false })).stdout;
  const readme = await file('README.md');
  t.equal(readme, read('.ci/registry-readme.md'));
  t.ok(readme.includes(`${manifest.description}.`), 'it says what the package says');
  t.notMatch(readme, /\b(DROP|DELETE|TRUNCATE|ALTER|GRANT|UPDATE)\b/, 'no SQL that a scanner takes for an attack');
  const known = ['help', ...commandEntries.map(({ path }) => path)];
  for (const [, command = ''] of readme.matchAll(/(?:^ {4}|`)dbguard (\w+)/gm)) t.ok(known.includes(command), command);
  for (const path of ['package.json', 'LICENSE', 'bin/dbguard', 'src/policy/README.md'])
    t.equal(await file(path), read(path), path);
});

t.test('every platform that is made is described', async (t) => {
  const { targets } = await import(join(repositoryRoot, '.ci/release/targets.mjs'));
  t.strictSame(release.archives[1].targets, Object.keys(targets));
});

t.test('builds, hooks and changelog', async (t) => {
  const [build] = release.builds;
  t.equal(release.project_name, manifest.name);
  t.strictSame(manifest.bin, { [manifest.name]: build.main });
  t.equal(build.engines, `node ${manifest.engines.node}`);
  for (const command of [build.command, ...release.before.hooks]) {
    const script = /^npm (?:run )?(\w+)$/.exec(command)?.[1] ?? '';
    t.ok(script === 'ci' || script in manifest.scripts, command);
  }
  const groups: { title: string; regexp?: string }[] = release.changelog.groups;
  for (const { regexp } of groups) if (regexp) t.doesNotThrow(() => new RegExp(regexp.replace('(?i)', ''), 'i'));
  t.equal(groups.at(-1)?.regexp, undefined, 'the last group takes the rest');
});

/** What the documents say about the code, held to it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { chapters, chapterText, topicOf } from '../../src/cli/chapters.js';
import { commandTable } from '../../src/cli/table.js';
import { exitCodes } from '../../src/errors.js';
import { parseConfig } from '../../src/policy/config.js';
import { configKeys } from '../../src/policy/config-keys.js';
import { repositoryRoot } from '../helpers/repository.js';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const below = (folder: string, ends: RegExp): string[] =>
  readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => ends.test(path))
    .map((path) => join(folder, path));

t.test('README.md is short enough to be read, and its dbguard.yaml is one', (t) => {
  const readme = read('README.md');
  t.ok(Buffer.byteLength(readme) <= 12_288, `${Buffer.byteLength(readme)} bytes`);
  const yaml = /^```yaml\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? '';
  const config = parseConfig(yaml, 'README.md');
  t.ok(yaml.split('\n').length <= 14);
  t.ok(config.connections.size > 0 && config.bucket && config.mask.length > 0);
  t.end();
});

t.test('every dependency has a reason', (t) => {
  const reasons = /^## Dependencies$([\s\S]*?)^## /m.exec(read('.github/CONTRIBUTING.md'))?.[1] ?? '';
  const listed = [...reasons.matchAll(/^\| (`.*?) \| \S/gm)].flatMap(([, names = '']) => names.match(/[^`, ]+/g) ?? []);
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = JSON.parse(read('package.json'));
  const all = { ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies };
  t.same(listed.sort(), Object.keys(all).sort());
  t.end();
});

t.test('README.md names every command', (t) => {
  const readme = read('README.md');
  for (const { path } of commandTable) t.ok(readme.includes(path.split(' ').at(-1) ?? path), path);
  t.end();
});

t.test('links between documents lead somewhere', (t) => {
  for (const path of ['README.md', '.github/CONTRIBUTING.md', ...below('src', /\.md$/), ...below('test', /\.md$/)]) {
    for (const [, target = ''] of read(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target)) continue;
      t.ok(existsSync(join(repositoryRoot, dirname(path), target)), `${path}: ${target}`);
    }
  }
  t.end();
});

t.test('the reference has every key, variable and exit code', (t) => {
  const reference = read('src/io/README.md');
  for (const [section, keys] of Object.entries(configKeys)) {
    for (const key of Object.keys(keys)) t.match(reference, new RegExp(`\`${key}[\`:]`), `${section}.${key}`);
  }
  const sources = below('src', /\.tsx?$/)
    .map(read)
    .join('\n');
  for (const [name] of sources.matchAll(/\bDBGUARD_[A-Z_]+/g)) {
    const known = name.startsWith('DBGUARD_CHILD_') ? 'DBGUARD_CHILD_' : name;
    if (!reference.includes(`\`${known}\``)) t.fail(`${name} is not in src/io/README.md`);
  }
  for (const [error, code] of Object.entries(exitCodes)) t.match(reference, new RegExp(`[| ]${code}[, ]`), error);
  t.end();
});

t.test('every chapter can be read in the terminal, and hides no command', (t) => {
  const files = Object.values(chapters).map(({ file }) => file);
  t.same(
    files.sort(),
    below('src', /\.md$/)
      .filter((path) => path !== join('src', 'README.md'))
      .sort(),
  );
  for (const topic of Object.keys(chapters)) {
    t.notOk(
      commandTable.some(({ path }) => path.split(' ')[0] === topic),
      topic,
    );
    const text = chapterText(topic);
    t.ok(text.startsWith('# '), topic);
    t.notMatch(text, /\]\(|<!--/, topic);
  }
  for (const other of ['constructor', 'nope', '../../package.json', '']) t.equal(topicOf(other), undefined, other);
  t.end();
});

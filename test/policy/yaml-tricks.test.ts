/** Attack: what YAML can make a reader believe. Each text is refused with its line, or says exactly what it seems to say. */
import t from 'tap';
import { checkConfig } from '../../src/policy/config.js';
import { configKeys } from '../../src/policy/config-keys.js';

/** Text after `version: 1`, the line that is named, and what is said of it. */
const refused: Readonly<Record<string, readonly [text: string, line: number, says: RegExp]>> = {
  'a merge key with an alias': ['connections:\n  main: &m\n    url: postgresql://a/\n  <<: *m', 5, /aliases/],
  'a merge key that is written out': ['connections:\n  main:\n    <<: {url: postgresql://evil/}', 4, /unknown key/],
  'the same key twice': ['bucket: file:a\nbucket: file:b', 3, /must be unique/],
  'the same key, escaped': ['connections: {main: {url: postgresql://a/, "\\x75rl": postgresql://b/}}', 2, /unique/],
  'the same key with a tag': ['bucket: file:a\n!!str bucket: file:b', 3, /unique/],
  'the same key with an anchor': ['bucket: file:a\n&x bucket: file:b', 3, /unique/],
  'an alias as a value': ['bucket: &b file:a\nconnections: {main: {url: *b}}', 3, /aliases/],
  'an alias as a key': ['bucket: &b file:a\n*b : x', 3, /aliases/],
  'a binary': ['bucket: !!binary ZmlsZTph', 2, /expected/],
  'a set for a mapping': ['connections: !!set {main}', 2, /expected/],
  'a second document': ['---\nversion: 1\nbucket: file:x', 2, /multiple documents/],
  'a key with a Cyrillic letter': ['bu\u0441ket: file:x', 2, /unknown key/],
  'a key in capitals': ['Bucket: file:x', 2, /unknown key/],
  'a name with a character that nobody sees': ['connections: {"main\u200b": {url: postgresql://a/}}', 2, /invisible/],
  'a name with a blank at its end': ['connections: {"main ": {url: postgresql://a/}}', 2, /blanks/],
  'the prototype': ['__proto__: {bucket: file:x}', 2, /unknown key/],
  'a list as a key': ['? [a, b]\n: x', 2, /expected a name/],
  'a nesting that no stack holds': [`mask: ${'['.repeat(100_000)}`, 2, /not valid YAML/],
};

for (const [name, [text, line, says]] of Object.entries(refused)) {
  t.test(name, async (t) => {
    const { config, problems } = checkConfig(`version: 1\n${text}\n`, 'dbguard.yaml');
    t.equal(config, undefined);
    t.match(problems[0], { place: { line }, message: says });
  });
}

t.test('YAML 1.1 by directive brings no merge keys back', async (t) => {
  const text = '%YAML 1.1\n---\nversion: 1\nconnections:\n  main:\n    <<: {url: postgresql://evil/}\n';
  const { config, problems } = checkConfig(text, 'dbguard.yaml');
  t.equal(config, undefined);
  t.match(problems[0], { place: { line: 6 } });
});

t.test('what a key says is the same however it is written, and every key is found with its standing', async (t) => {
  const said = (text: string) =>
    checkConfig(text, 'dbguard.yaml').config?.keys.map(({ section, key, standing, said }) => [
      section,
      key,
      standing,
      said,
    ]);
  const plain = said('version: 1\nbucket: {url: s3://bkt/x, region: eu-west-1}\n');
  t.strictSame(plain, said('version: 1\nbucket:\n  "url": &x "s3://bkt/x" # here\n  region: \'eu-west-1\'\n'));
  t.strictSame(plain?.slice(1), [
    ['', 'bucket', 'bound', '[["region","eu-west-1"],["url","s3://bkt/x"]]'],
    ['bucket', 'url', 'bound', '"s3://bkt/x"'],
    ['bucket', 'region', 'bound', '"eu-west-1"'],
  ]);
});

t.test('no key of the table is one that a mapping has by itself', async (t) => {
  const names = Object.values(configKeys).flatMap((table) => Object.keys(table));
  for (const name of names) t.notOk(name in {}, name);
});

t.test('a region cannot become another host', async (t) => {
  for (const region of ['evil.example/#', 'evil.example', 'eu-west-1/', 'eu west', '@evil', '-a', 'EU']) {
    const { problems } = checkConfig(
      `version: 1\nbucket: {url: s3://bkt/x, region: ${JSON.stringify(region)}}\n`,
      'dbguard.yaml',
    );
    t.match(problems[0]?.message, /AWS region/, region);
  }
});

t.test('a key of its writer’s does not draw on the terminal', async (t) => {
  const { problemText } = await import('../../src/policy/yaml-source.js');
  const { problems } = checkConfig('version: 1\n"\\e[2Jurl": x\n', 'dbguard.yaml');
  const [problem] = problems;
  t.ok(problem);
  if (problem) t.notOk(problemText(problem).includes(String.fromCharCode(27)));
});

/** Help: topics under every word that people try, on any terminal; the man page; what is not there. */
import t from 'tap';
import { chapters, chapterText, topicOf } from '../../src/cli/chapters.js';
import { helpText } from '../../src/cli/help-text.js';
import { manPage } from '../../src/cli/man-page.js';
import { renderMarkdown } from '../../src/cli/print/markdown.js';
import { commandEntries } from '../../src/cli/table.js';
import { textWidth } from '../../src/ui/character-width.js';
import { makeWorkspace } from '../helpers/workspace.js';

const plain = { style: (_: string, text: string) => text };
const words = (text: string): string[] => text.match(/[\p{L}\d]{3,}/gu) ?? [];

t.test('a chapter fits any terminal, and loses no word', async (t) => {
  for (const topic of Object.keys(chapters)) {
    const text = chapterText(topic);
    const known = renderMarkdown(text, { width: 80, ...plain }).replace(/\s/g, '');
    for (const width of [60, 80, 200]) {
      const wide = renderMarkdown(text, { width, ...plain })
        .split('\n')
        .filter((line) => textWidth(line) > width);
      t.strictSame(wide, [], `${topic} at ${width}`);
    }
    // headers of tables with one column of text are the only words that are left out
    const lost = words(text.replace(/^\|.*\|\n(?=\|[\s:|-]+\|$)|^ *```.*$/gm, '')).filter(
      (word) => !known.includes(word),
    );
    t.strictSame(lost.slice(0, 3), [], topic);
  }
});

t.test('topics are found by other words, commands lead to theirs, and a slip is guessed', async (t) => {
  const asked = { masks: 'masking', fence: 'sandbox', agents: 'sandbox', identity: 'providers', rules: 'policies' };
  for (const [word, topic] of Object.entries(asked)) t.equal(topicOf(word), topic);
  const all = Object.values(chapters).flatMap(({ words: more = [] }) => more);
  t.equal(new Set([...all, ...Object.keys(chapters)]).size, all.length + Object.keys(chapters).length, 'each once');
  const names = new Set(commandEntries.flatMap(({ path }) => [path, path.split(' ')[0]]));
  for (const { commands = [] } of Object.values(chapters)) for (const name of commands) t.ok(names.has(name), name);
  for (const word of [...all, ...Object.keys(chapters)]) t.notOk(names.has(word), `${word} hides no command`);

  const workspace = makeWorkspace();
  t.teardown(() => workspace.remove());
  t.match(await workspace.dbguard(['help', 'masks']), { exitCode: 0, stdout: /^# Mask/ });
  t.match(await workspace.dbguard(['help', 'gatway']), { exitCode: 64, stderr: /Did you mean "dbguard help gateway"/ });
  t.match(await workspace.dbguard(['policy', 'lint', '--help']), { stdout: /More: dbguard help configuration/ });
  t.match(await workspace.dbguard(['help', '--man']), { exitCode: 0, stdout: /^\.TH DBGUARD 1/ });
});

t.test('the man page has every command and option, and nothing that troff would take for its own', async (t) => {
  const page = manPage(commandEntries);
  for (const { path, options = [] } of commandEntries) {
    t.ok(page.includes(`.SS "dbguard ${path.replaceAll('-', '\\-')}`), path);
    for (const { flags } of options) t.ok(page.includes(flags.replaceAll('-', '\\-')), flags);
  }
  t.match(page, /\.B 64\nthe command line is wrong/);
  const requests = page.split('\n').flatMap((line) => /^[.'](\S*)/.exec(line)?.[1] ?? []);
  t.strictSame([...new Set(requests)].sort(), ['B', 'BR', 'PP', 'RI', 'SH', 'SS', 'TH', 'TP', 'fi', 'nf']);
  t.notMatch(page, /[^\n\x20-\x7e]/);
});

t.test('other help is commander’s', async (t) => {
  const context = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {}, cwd: '.' };
  for (const given of [[], ['run'], ['policy', 'test'], ['--help'], ['help']])
    t.equal(helpText(given, context), undefined);
});

/** Every command's help has examples, and each is a line that this very command line takes: also of commands to come. */
import { CommanderError } from 'commander';
import t from 'tap';
import { buildProgram } from '../../src/cli/program.js';
import { commandEntries } from '../../src/cli/table.js';

/** The dbguard lines in a shell line, without what follows them, as the shell would cut them into words. */
function invocations(line: string): string[][] {
  const found = line.matchAll(/(?:^|[(|;&] ?|-- )dbguard(?= |$|\))((?:"[^"]*"|'[^']*'|[^"'|;&<>)])*)/g);
  return [...found].map(([, rest = '']) => {
    const [words = ''] = rest.split(/ {3,}/);
    return [...words.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replace(/["']/g, ''));
  });
}

async function parsed(words: readonly string[]): Promise<string> {
  let found = '';
  const program = buildProgram(async (path) => {
    found = path;
  });
  program.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  for (const command of [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)])
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.message;
    throw error;
  }
  return found;
}

t.test('every command has examples of itself, and they parse', async (t) => {
  for (const { path, examples = [] } of commandEntries) {
    t.ok(examples.length > 0, `${path} has no example`);
    for (const example of examples) {
      const lines = invocations(example);
      t.ok(lines.length > 0, `${path}: no dbguard in ${example}`);
      for (const words of lines) {
        const wanted = words.length === 0 ? 'status' : path;
        t.equal(words.length === 0 ? 'status' : await parsed(words), wanted, example);
      }
    }
  }
});

t.test('what is no line of it does not parse here either', async (t) => {
  for (const words of [['doctor', '--nope'], ['nope'], ['approve'], ['run', '--sandbox=1', 'x']])
    t.match(await parsed(words), /error:/, words.join(' '));
  t.strictSame(invocations('PGPASSWORD=$(dbguard token) psql "x"'), [['token']]);
  t.strictSame(invocations('dbguard explain "a | b"   words | words'), [['explain', 'a | b']]);
});

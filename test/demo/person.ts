/** Sits at the terminal where nobody else does: reads the real prompt on a real pty and presses real keys. */
import { keys, Terminal, type TerminalOptions } from '../helpers/terminal.js';

/** Shown when keys count. */
const prompt = /deny, say why[\s\S]*^ No answer denies in/m;

/** Runs a program and denies whatever it asks. Resolves to its exit code; `show` gets what the person saw. */
export async function playPerson(
  program: string,
  args: readonly string[],
  options: TerminalOptions,
  show: (text: string) => void,
): Promise<number> {
  const terminal = new Terminal(program, args, options);
  let told = 0;
  const tell = () => {
    const lines = terminal.history();
    show(lines.slice(told).join('\n'));
    told = lines.length;
  };
  const answers = ['a WHERE is missing, name the orders', 'we keep our customers'];
  for (;;) {
    const screen = await Promise.race([
      terminal.shows(prompt).catch(() => undefined),
      terminal.exit.then(() => undefined),
    ]);
    if (screen === undefined) break;
    tell();
    const reason = answers.shift() ?? 'no';
    show(`${framed(screen)}\n(the demo presses r, writes "${reason}" and presses Enter)\n`);
    terminal.type('r');
    await terminal.shows('Why not?');
    terminal.type(reason);
    await terminal.shows(reason);
    terminal.type(keys.enter);
    await terminal.hides('Why not?');
  }
  const { code } = await terminal.exit;
  tell();
  return code;
}

function framed(screen: string): string {
  const lines = screen.split('\n').filter((line, at, all) => line !== '' || all[at - 1] !== '');
  return ['', ...lines.map((line) => `  | ${line}`), ''].join('\n');
}

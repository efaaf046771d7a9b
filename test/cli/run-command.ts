/** Runs a command of the table in this process, on streams of the test's own. */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { Command } from 'commander';
import type { CommandContext } from '../../src/cli/command.js';
import { modules } from '../../src/cli/modules.js';
import { type CommandPath, commandEntries } from '../../src/cli/table.js';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  /** Columns of a terminal; absent: no terminal. */
  readonly terminal?: number;
  /** stdin is a terminal too: each line is typed when the question before it has been asked. */
  readonly interactive?: boolean;
}

/** Parses `args` as the command line does; rejects with what the command throws. */
export async function runCommand(path: string, args: readonly string[], given: Surroundings): Promise<Ran> {
  const entry = commandEntries.find((one) => one.path === path);
  if (entry === undefined) throw new Error(`no command ${path}`);
  const command = new Command('test').exitOverride();
  for (const word of (entry.arguments ?? '').split(' ').filter((one) => one !== '')) command.argument(word);
  for (const option of entry.options ?? []) command.option(option.flags, option.description);
  command.action(() => undefined);
  await command.parseAsync([...args], { from: 'user' });
  const stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
  const stdout: PassThrough & { isTTY?: boolean; columns?: number } = new PassThrough();
  const stderr = new PassThrough();
  if (given.terminal !== undefined) Object.assign(stdout, { isTTY: true, columns: given.terminal });
  if (given.interactive) {
    stdin.isTTY = true;
    typeLines(given.stdin ?? '', stdin, stdout);
  } else {
    stdin.end(given.stdin ?? '');
  }
  const context: CommandContext = { stdin, stdout, stderr, env: given.env ?? {}, cwd: given.cwd };
  const written = [text(stdout), text(stderr)];
  const { run } = await modules[entry.path as CommandPath]();
  const code = await run(context, command.args, command.opts()).finally(() => [stdout.end(), stderr.end()]);
  const [out = '', err = ''] = await Promise.all(written);
  return { code, stdout: out, stderr: err };
}

/** A question ends in a blank without a line break. */
function typeLines(lines: string, stdin: PassThrough, stdout: PassThrough): void {
  const left = lines.split('\n').slice(0, -1);
  stdout.on('data', (chunk: Buffer) => {
    if (!/[:\]] $/.test(stripVTControlCharacters(chunk.toString('utf8')))) return;
    const line = left.shift();
    if (line === undefined) stdin.end();
    else stdin.write(`${line}\n`);
  });
}

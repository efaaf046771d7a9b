/**
 * A wrong situation, produced for real, and what a person reads then: an exit code, a sentence that names the thing, and a
 * next step. None has a stack trace, a password or a word of our own in it, and on a narrow terminal no word is cut.
 */
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { folded } from '../../src/cli/print/text.js';
import { runCli } from '../../src/cli/run-cli.js';
import { textWidth } from '../../src/ui/character-width.js';
import type { Workspace } from '../helpers/workspace.js';

export interface Stumble {
  readonly args?: readonly string[];
  /** What is different in dbguard.yaml; a text replaces it; null: there is none. */
  readonly config?: Readonly<Record<string, unknown>> | string | null;
  /** Further files of the folder. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly at?: Workspace;
  readonly exitCode: number;
  /** Each line on stderr. */
  readonly says: readonly (string | RegExp)[];
  readonly prints?: string | RegExp;
}

export interface Stumbling {
  readonly workspace: Workspace;
  /** Of dbguard.yaml, unless a row says otherwise. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What must stand nowhere. */
  readonly secrets: readonly string[];
}

/** Words of the program's own, of Node or of the system, which tell nobody what to do. */
const ourOwn =
  /^ {4}at |[Ii]nternal error|\bundefined\b|\[object |\bNaN\b|\bE[A-Z]{4,}\b|errno|\bnull\b|TypeError|node:|[Aa]ssert|[Ee]xception/m;

export function stumbleOver(t: Test, stumbles: Readonly<Record<string, Stumble>>, stumbling: Stumbling): void {
  for (const [name, stumble] of Object.entries(stumbles)) {
    t.test(name, async (t) => {
      const { at = stumbling.workspace, args = ['run', '--', 'true'], env = {}, exitCode, says, prints = '' } = stumble;
      const folder = folderOf(stumble, at, stumbling.config);
      const {
        exitCode: code,
        stdout,
        stderr,
      } = isStarted(args, env)
        ? await at.dbguard(args, { env, cwd: folder })
        : await inThisProcess(args, { ...at.env, ...env }, folder);
      t.equal(code, exitCode, stderr);
      const lines = stderr === '' ? [] : stderr.split('\n');
      t.equal(lines.length, says.length, stderr);
      for (const [number, said] of says.entries()) {
        if (typeof said === 'string') t.equal(lines[number], said);
        else t.match(lines[number], said);
      }
      if (typeof prints === 'string') t.equal(stdout, prints);
      else t.match(stdout, prints);
      for (const secret of stumbling.secrets) t.notMatch(stderr + stdout, secret, 'no password');
      t.notMatch(stderr, ourOwn);
      if (exitCode !== 0) t.match(stderr, /\n {2}\S/, 'what to do next');
      t.strictSame(tooWide(stderr, 60), []);
    });
  }
}

/** Commands that start processes, take signals or wait for somebody. */
const starts = ['run', 'proxy', 'login'];

/** The client of S3 looks into the environment of its process. */
function isStarted([first = '']: readonly string[], env: Readonly<Record<string, string>>): boolean {
  return starts.includes(first) || Object.keys(env).some((name) => name.startsWith('AWS_'));
}

async function inThisProcess(args: readonly string[], env: NodeJS.ProcessEnv, cwd: string) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end();
  const written = [text(stdout), text(stderr)];
  const exitCode = await runCli(args, { stdin, stdout, stderr, env, cwd });
  stdout.end();
  stderr.end();
  const [said = '', complained = ''] = await Promise.all(written);
  return { exitCode, stdout: said.replace(/\n$/, ''), stderr: complained.replace(/\n$/, '') };
}

/** But for words that are longer than the line: an address must stay one. */
function tooWide(text: string, columns: number): string[] {
  const rows = folded(text, { isTTY: true, columns }).split('\n');
  return rows.filter((row) => textWidth(row) > columns && /\S\s+\S/.test(row.trim()) && !/\S{40}/.test(row));
}

function folderOf({ config, files = {} }: Stumble, at: Workspace, usual: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(dirname(at.project), 'stumble-'));
  writeFileSync(join(folder, 'plain.txt'), 'text\n');
  chmodSync(join(folder, 'plain.txt'), 0o644);
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  if (config === null) return folder;
  const whole = { version: 1, bucket: `file:${at.bucket}`, ...usual, ...(config as object) };
  writeFileSync(join(folder, 'dbguard.yaml'), typeof config === 'string' ? config : stringify(whole));
  return folder;
}

/** Agents' CLIs as they are published, installed once for this machine into the user's cache. */
import { existsSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

export interface Published {
  /** On npm. */
  readonly name: string;
  readonly version: string;
  readonly program: string;
  /** The package's own script that completes it; npm asks before it runs one. */
  readonly script?: string;
}

/** The folder that has the program in it; undefined where it cannot be had, or does not start. */
export async function installPublished(what: Published): Promise<string | undefined> {
  if (process.platform === 'win32') return undefined;
  const cache = existsSync(join(homedir(), '.cache')) ? join(homedir(), '.cache') : tmpdir();
  const folder = join(cache, `dbguard-test-${what.program}-${what.version}`);
  const bin = join(folder, 'node_modules', '.bin');
  if (await answers(bin, what)) return bin;
  mkdirSync(folder, { recursive: true });
  const options = { cwd: folder, reject: false, timeout: 90_000 } as const;
  await execa(
    'npm',
    ['install', '--no-audit', '--no-fund', '--prefix', folder, `${what.name}@${what.version}`],
    options,
  );
  const script = join(folder, 'node_modules', what.name, what.script ?? '');
  if (what.script && existsSync(script)) await execa(process.execPath, [script], options);
  return (await answers(bin, what)) ? bin : undefined;
}

async function answers(bin: string, { program, version }: Published): Promise<boolean> {
  const path = join(bin, program);
  if (!existsSync(path)) return false;
  const { stdout } = await execa(path, ['--version'], { reject: false, timeout: 20_000, env: { HOME: tmpdir() } });
  return String(stdout).includes(version);
}

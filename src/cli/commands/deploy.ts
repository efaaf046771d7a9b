/** `dbguard deploy`: files that put a gateway, or a CI job's guarded way, where they belong. Printed, or written with `--to`. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import type { CommandContext } from '../command.js';
import { deployKinds } from '../deploy/deploy-kinds.js';
import type { DeployedFile } from '../deploy/deployed-file.js';
import { deployments } from '../deploy/kinds.js';
import { textOption } from '../options.js';
import { shown } from '../print/untrusted-text.js';
import type { OptionsOf } from '../table.js';
import { dbguardVersion } from '../version.js';

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'deploy'>,
): Promise<number> {
  const kind = deployKinds.find((one) => one === args[0]);
  if (kind === undefined || args.length > 1) {
    throw new DbguardError('usage', `deploy what? ${deployKinds.join(', ')}`, {
      hint: 'It prints the files; --to FOLDER writes them.',
    });
  }
  const image = textOption(options, 'image') ?? `dbguard:${dbguardVersion}`;
  if (!/^[\w./:@-]+$/.test(image)) throw new DbguardError('usage', `${image} is no reference of an image`);
  const files = deployments[kind]({ version: dbguardVersion, image });
  const folder = textOption(options, 'to');
  if (folder === undefined) {
    if (options.force === true) throw new DbguardError('usage', '--force goes with --to');
    for (const { path, text } of files)
      context.stdout.write(files.length === 1 ? text : `# ==> ${path} <==\n${text}\n`);
    return 0;
  }
  writeFiles(resolve(context.cwd, folder), files, options.force === true);
  for (const { path } of files) context.stdout.write(`${shown(join(folder, path))}\n`);
  return 0;
}

/** All of them or, where one is there already, none. */
function writeFiles(folder: string, files: readonly DeployedFile[], force: boolean): void {
  const there = files.filter(({ path }) => existsSync(join(folder, path)));
  if (there.length > 0 && !force) {
    throw new DbguardError('usage', `${there.map(({ path }) => path).join(', ')}: already there`, {
      hint: 'Give another folder, or --force to replace.',
    });
  }
  for (const { path, text, executable } of files) {
    const file = join(folder, path);
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      if (executable === true) chmodSync(file, 0o755);
    } catch (error) {
      throw new DbguardError('output-failed', `cannot write ${file}: ${reasonOf(error)}`, { cause: error });
    }
  }
}

/**
 * `dbguard version`: which dbguard this is and, with `--verify`, whether its files are the released ones. Exit code 0 as
 * released, 1 changed, 2 nothing that proves it.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DbguardError, reasonOf } from '../../errors.js';
import { counted } from '../../words.js';
import type { CommandContext } from '../command.js';
import { pinnedReleaseKey } from '../installation/release-key.js';
import { keyWords, releaseKeyFrom } from '../installation/signed-list.js';
import { type Doubt, type InstallationReport, verifyInstallation } from '../installation/verify-installation.js';
import { textOption } from '../options.js';
import { outputStyleFor } from '../print/text.js';
import { shown } from '../print/untrusted-text.js';
import type { OptionsOf } from '../table.js';
import { installedFile } from '../version.js';

type Options = OptionsOf<'version'>;

const exitCodes = { released: 0, altered: 1, unproven: 2 } as const;

const doubtWords: Readonly<Record<Doubt, string>> = {
  'no-list': 'a development build: it has no list of what was released, so nothing proves its files',
  'no-signature': 'a development build: its files are as its list says, but nobody signed that list',
  'no-key': 'its files are as its list says; this build has no key of the project to check the signature with',
  'not-a-list': 'its list of files is none',
  'other-signature': 'its list of files is not signed by this key',
  'other-version': 'its list of files is of another release',
  'other-files': 'its files are not those that were released',
};

export async function run(context: CommandContext, _args: readonly string[], options: Options): Promise<number> {
  const folder = textOption(options, 'folder');
  const keyFile = textOption(options, 'key');
  if (options.verify !== true && (folder ?? keyFile) !== undefined)
    throw new DbguardError('usage', '--folder and --key go with --verify');
  const root = folder === undefined ? fileURLToPath(installedFile('.')) : resolve(context.cwd, folder);
  const version = versionAt(root);
  const about = { version, node: process.version, platform: process.platform, arch: process.arch, installed: root };
  if (options.verify !== true) {
    const { node, platform, arch } = about;
    context.stdout.write(
      options.json === true
        ? `${JSON.stringify(about, undefined, 2)}\n`
        : `dbguard ${version} on Node.js ${node}, ${platform} ${arch}\n`,
    );
    return 0;
  }
  const pinned = keyFile === undefined ? pinnedReleaseKey : fileText(resolve(context.cwd, keyFile));
  const key = pinned === undefined ? undefined : releaseKeyFrom(pinned);
  const report = verifyInstallation(root, version, key);
  const { verdict, doubt, list, differences } = report;
  const signedBy = key === undefined ? undefined : keyWords(key);
  if (options.json === true) {
    const rest = { verdict, doubt, target: list?.target, files: list?.files.size, key: signedBy, ...differences };
    context.stdout.write(`${JSON.stringify({ version, installed: root, ...rest }, undefined, 2)}\n`);
  } else {
    context.stdout.write(`${inWords(context, version, root, report, signedBy)}\n`);
  }
  return exitCodes[verdict];
}

/** More would hide the first ones. */
const shownPaths = 20;

function inWords(
  context: CommandContext,
  version: string,
  root: string,
  report: InstallationReport,
  key: string | undefined,
): string {
  const { fold, style } = outputStyleFor(context);
  const { verdict, doubt, list, differences } = report;
  const title = `dbguard ${version} in ${shown(root)}`;
  if (verdict === 'released' && list !== undefined) {
    const beside = list.target === 'npm' ? ' The packages that npm installed beside them are npm’s to check.' : '';
    const what = `${counted(list.files.size, 'file')} for ${list.target}, as the project’s key ${key} signed them.${beside}`;
    return `${title}\n${style('green', 'AS RELEASED')}\n${fold(`  ${what}`, 2)}`;
  }
  const word = verdict === 'altered' ? style('red', 'NOT AS RELEASED') : style('magenta', 'NOT PROVEN');
  const named = Object.entries(differences).flatMap(([kind, paths]: [string, readonly string[]]) => {
    const first = paths.slice(0, shownPaths).map((path) => `    ${kind.padEnd(10)} ${shown(path)}`);
    const left = paths.length - first.length;
    return left > 0 ? [...first, `    ${kind.padEnd(10)} and ${left} more`] : first;
  });
  const reason = `${doubt === undefined ? '' : doubtWords[doubt]}${key === undefined ? '' : ` (key ${key})`}.`;
  const advice =
    verdict === 'altered' ? [fold('  Install the release again before a session is opened with it.', 2)] : [];
  return [title, word, fold(`  ${reason}`, 2), ...named, ...advice].join('\n');
}

function versionAt(root: string): string {
  const text = fileText(join(root, 'package.json'));
  const [, version] = /^\{\n {2}"name": "dbguard",\n {2}"version": "([\w.+-]{1,64})",$/m.exec(text) ?? [];
  if (version !== undefined) return version;
  throw new DbguardError('usage', `dbguard is not installed in ${root}`, {
    hint: 'Give the folder that has bin, dist and package.json in it.',
  });
}

function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new DbguardError('usage', `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

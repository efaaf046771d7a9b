/** `dbguard policy lint`: everything wrong with the files, or with one that is named. Exit code 1 when anything is. */
import { resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import { configPaths, loadOrganisation, readIfThere, shortPath } from '../../io/files/config-files.js';
import { parseConninfo } from '../../io/upstream/conninfo.js';
import { combineConfigs, type PolicySource } from '../../policy/combine.js';
import { type Config, checkConfig } from '../../policy/config.js';
import { lintPolicy } from '../../policy/lint.js';
import type { Place } from '../../policy/yaml-source.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { outputStyleFor } from '../print/text.js';
import type { OptionsOf } from '../table.js';

interface Line {
  readonly place?: Place;
  readonly about: string;
  readonly message: string;
}

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'policy lint'>,
): Promise<number> {
  const files = args.length > 0 ? namedFiles(args, context.cwd) : usedFiles(context, options);
  if (files.length === 0) {
    throw new DbguardError('config-missing', 'there is no dbguard.yaml here or in a folder above', {
      hint: 'Write one with "dbguard init", or name a file.',
    });
  }
  const lines: Line[] = [];
  const sources: PolicySource[] = [];
  for (const { level, path } of files) {
    const text = readIfThere(path);
    if (text === undefined) throw new DbguardError('config-missing', `there is no file ${path}`);
    const { config, problems } = checkConfig(text, shortPath(path, context.cwd));
    lines.push(...problems.map(({ place, path, message }) => ({ place, about: path, message })));
    if (!config) continue;
    sources.push({ level, config });
    const unsigned = problemOf(() => {
      const organisation = loadOrganisation({ level, path, config }, context);
      if (organisation) sources.push(organisation);
    });
    if (unsigned !== undefined) lines.push({ about: 'organisation', message: unsigned });
    lines.push(...connectionProblems(config));
  }
  lines.push(...lintPolicy(sources), ...combineProblems(sources));
  report(context, options, lines, files.length);
  return lines.length > 0 ? 1 : 0;
}

type File = Pick<PolicySource, 'level'> & { readonly path: string };

/** Judged as the user's own, alone. */
function namedFiles(args: readonly string[], cwd: string): File[] {
  return args.map((path) => ({ level: 'user', path: resolve(cwd, path) }));
}

function usedFiles({ cwd, env }: CommandContext, options: OptionsOf<'policy lint'>): File[] {
  return configPaths({ cwd, env, named: textOption(options, 'config') });
}

/** Connection strings, read with libpq's rules; nothing is connected to. */
function connectionProblems(config: Config): Line[] {
  return [...config.connections].flatMap(([name, { url, place }]) => {
    const message = url === undefined ? undefined : problemOf(() => parseConninfo(url));
    return message === undefined ? [] : [{ place, about: `connections.${name}.url`, message }];
  });
}

function problemOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof DbguardError) return error.message;
    throw error;
  }
}

function combineProblems(sources: readonly PolicySource[]): Line[] {
  const message = problemOf(() => combineConfigs(sources));
  return message === undefined ? [] : [{ about: '', message }];
}

function report(
  context: CommandContext,
  options: OptionsOf<'policy lint'>,
  lines: readonly Line[],
  files: number,
): void {
  if (options.json === true) {
    for (const { place, about, message } of lines) {
      context.stdout.write(`${JSON.stringify({ ...place, about, message })}\n`);
    }
    return;
  }
  const output = outputStyleFor(context);
  for (const { place, about, message } of lines) {
    const where = place ? `${place.file}:${place.line}:${place.column}: ` : '';
    context.stdout.write(`${output.fold(`${output.style('bold', where)}${about ? `${about}: ` : ''}${message}`, 4)}\n`);
  }
  const found = lines.length === 0 ? 'nothing to complain about' : `${lines.length} to look at`;
  context.stdout.write(`${files === 1 ? '1 file' : `${files} files`}: ${found}\n`);
}

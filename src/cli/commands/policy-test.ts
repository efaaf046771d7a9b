/**
 * `dbguard policy test`: which statements of these files would need a person. Exit code 1 when any would, and when anything
 * could not be read: a gate that is passed has seen everything.
 */
import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { shortPath } from '../../io/files/config-files.js';
import { sanitise } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { countDecisions, type Judge, withJudge } from '../judge/judging.js';
import { type Found, readText, regularFile, sqlFilesOf } from '../judge/sql-files.js';
import { type Include, PsqlVariables, type Tested, testText } from '../judge/tested-file.js';
import { type OutputStyle, outputStyleFor, wrap } from '../print/text.js';
import type { OptionsOf } from '../table.js';

/** Files that others name by `\i` and `\ir`. */
const mostIncluded = 1000;

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'policy test'>,
): Promise<number> {
  const named = args.flatMap((path) => sqlFilesOf(path, context.cwd));
  if (named.length === 0) throw new DbguardError('usage', 'there is no .sql file in what was given');
  return withJudge(context, options, async (judge) => {
    const { tested, files } = testFiles(named, context.cwd, judge);
    const stopped = tested.filter(stops);
    if (options.json === true) {
      for (const one of tested) context.stdout.write(`${JSON.stringify(asJson(one))}\n`);
    } else {
      const output = outputStyleFor(context);
      for (const one of tested)
        if (one.note !== undefined || stops(one)) context.stdout.write(`${asText(one, output)}\n`);
      context.stdout.write(`${output.fold(`${sum(tested, files)} (${judge.policy.name})`, 2)}\n`);
    }
    return stopped.length > 0 ? 1 : 0;
  });
}

function stops({ ruling, unread, note }: Tested): boolean {
  return note === undefined && (unread !== undefined || ruling?.decision !== 'allow');
}

/** Each file once, however often it is named: a circle of `\i` ends by itself. */
function testFiles(named: readonly Found[], cwd: string, judge: Judge) {
  const variables = new PsqlVariables();
  const seen = new Set(named.map(({ path }) => identity(path)));
  const tested: Tested[] = [];
  let included = 0;
  const follow = (found: Found): void => {
    const file = shortPath(found.path, cwd);
    const result = testFile(found, file, judge, variables);
    for (const one of result.tested) tested.push(one);
    for (const include of result.includes) {
      const next = includedFile(include, found.path, cwd);
      if (next.problem === undefined && seen.has(identity(next.path))) continue;
      const problem =
        next.problem ?? (included++ < mostIncluded ? undefined : `more than ${mostIncluded} files follow`);
      const { line, sql } = include;
      if (problem !== undefined)
        tested.push({ file, line, sql, unread: `The file it names was not read: ${problem}.` });
      else {
        seen.add(identity(next.path));
        follow(next);
      }
    }
  };
  for (const one of named) follow(one);
  return { tested, files: named.length + Math.min(included, mostIncluded) };
}

function testFile(found: Found, file: string, judge: Judge, variables: PsqlVariables) {
  try {
    if (found.problem !== undefined) throw new Error(found.problem);
    return testText(file, readText(found.path), judge, variables);
  } catch (error) {
    if (error instanceof DbguardError) throw error;
    const tested: Tested[] = [{ file, line: 1, sql: '', unread: `The file was not read: ${reasonOf(error)}.` }];
    return { tested, includes: [] };
  }
}

/** psql reads `\i` from the folder it was started in. */
function includedFile({ name, relative }: Include, from: string, cwd: string): Found {
  if (name === '' || /[\\:`'"|\s]/.test(name)) return { path: from, problem: 'its name is not known from the text' };
  return regularFile(resolve(relative ? dirname(from) : cwd, name));
}

function identity(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function sum(tested: readonly Tested[], files: number): string {
  const judged = tested.flatMap((one) => (one.ruling ? [one.ruling.decision] : []));
  const unread = tested.filter((one) => one.unread !== undefined).length;
  const where = files === 1 ? '1 file' : `${files} files`;
  const rest = unread > 0 ? `; ${unread} could not be read` : '';
  return `${judged.length} ${judged.length === 1 ? 'statement' : 'statements'} in ${where}: ${countDecisions(judged) || 'none'}${rest}`;
}

function asJson({ file, line, sql, ruling, unread, note }: Tested) {
  if (note !== undefined) return { file, line, sql, decision: 'note', reason: note };
  if (ruling === undefined) return { file, line, sql, decision: 'unread', reason: unread };
  const { decision, rule, origin, reason, covers } = ruling;
  return {
    ...{ file, line, sql, decision, rule, origin, reason: unread ?? reason },
    ...(covers ? { covers } : {}),
    ...(unread === undefined ? {} : { unread: true }),
  };
}

function asText({ file, line, sql, ruling, unread, note }: Tested, output: OutputStyle): string {
  const start = sanitise(sql.replace(/\s+/g, ' ').trim()).text;
  const room = output.width - 2;
  const shown = start.length > room ? `${start.slice(0, room - 3)}...` : start;
  const place = output.style('bold', sanitise(`${file}:${line}`).text);
  const head = ruling
    ? `${output.decision(ruling.decision)}  ${output.style('dim', `${ruling.rule}, ${ruling.origin}`)}`
    : note === undefined
      ? output.style('magenta', 'not read')
      : output.style('dim', 'note');
  return [
    `${place}  ${head}`,
    ...(shown === '' ? [] : [`  ${shown}`]),
    `${wrap(sanitise(note ?? unread ?? ruling?.reason ?? '').text, output.width, 2)}`,
    '',
  ].join('\n');
}

/** `dbguard policy test`: which statements of these files would need a person. Exit code 1 when any would. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { shortPath } from '../../io/files/config-files.js';
import type { Ruling } from '../../policy/decision.js';
import { rulingOf } from '../../policy/engine.js';
import { sanitise } from '../../untrusted-text.js';
import type { CommandContext, OptionValues } from '../command.js';
import { countDecisions, type Judge, withJudge } from '../judge/judging.js';
import { behindComments, lineAt, plainSql } from '../judge/sql-file.js';
import { type Paper, paperFor, wrap } from '../print/text.js';

interface Tested {
  readonly file: string;
  readonly line: number;
  readonly sql: string;
  readonly ruling: Ruling;
}

export async function run(context: CommandContext, args: readonly string[], options: OptionValues): Promise<number> {
  const files = args.flatMap((path) => sqlFiles(path, context.cwd));
  if (files.length === 0) throw new DbguardError('usage', 'there is no .sql file in what was given');
  return withJudge(context, options, async (judge) => {
    const tested = files.flatMap((file) => testFile(file, context.cwd, judge));
    const stopped = tested.filter((one) => one.ruling.decision !== 'allow');
    if (options.json === true) {
      for (const one of tested) context.stdout.write(`${JSON.stringify(asJson(one))}\n`);
    } else {
      const paper = paperFor(context);
      for (const one of stopped) context.stdout.write(`${asText(one, paper)}\n`);
      const counts = countDecisions(tested.map((one) => one.ruling.decision)) || 'none';
      const where = files.length === 1 ? '1 file' : `${files.length} files`;
      context.stdout.write(`${tested.length} statements in ${where}: ${counts} (${judge.policy.name})\n`);
    }
    return stopped.length > 0 ? 1 : 0;
  });
}

/** A file is taken whatever its name; a folder gives its *.sql files, deep, in order of name. */
function sqlFiles(path: string, cwd: string): string[] {
  const full = resolve(cwd, path);
  try {
    if (!statSync(full).isDirectory()) return [full];
    return readdirSync(full, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.sql') && !name.split(/[\\/]/).includes('node_modules'))
      .sort()
      .map((name) => join(full, name));
  } catch (error) {
    throw new DbguardError('usage', `cannot read ${path}: ${reasonOf(error)}`);
  }
}

function testFile(path: string, cwd: string, judge: Judge): Tested[] {
  const file = shortPath(path, cwd);
  let text: string;
  try {
    text = plainSql(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new DbguardError('usage', `cannot read ${file}: ${reasonOf(error)}`);
  }
  const { facts, judgements, ruling } = judge.judge(text);
  const tested = facts.statements.flatMap((statement, index): Tested[] => {
    // What an EXECUTE of this file runs is appended behind the file's own statements.
    if (statement.end === statement.start) return [];
    const start = behindComments(text, statement.start);
    const sql = text.slice(start, statement.end);
    const its = judgements.filter((one) => one.statement === index);
    return [{ file, line: lineAt(text, start), sql, ruling: rulingOf(its) }];
  });
  if (facts.unparseable) {
    const at = (facts.unparseable.position ?? 1) - 1;
    const said = `${ruling.reason} (${facts.unparseable.message})`;
    tested.push({ file, line: lineAt(text, at), sql: lineOf(text, at), ruling: { ...ruling, reason: said } });
  }
  return tested;
}

function lineOf(text: string, position: number): string {
  return text.slice(text.lastIndexOf('\n', position - 1) + 1).split('\n', 1)[0] ?? '';
}

function asJson({ file, line, sql, ruling }: Tested) {
  const { decision, rule, origin, reason, covers } = ruling;
  return { file, line, sql, decision, rule, origin, reason, ...(covers ? { covers } : {}) };
}

function asText({ file, line, sql, ruling }: Tested, paper: Paper): string {
  const start = sanitise(sql.replace(/\s+/g, ' ').trim()).text;
  const room = paper.width - 2;
  const shown = start.length > room ? `${start.slice(0, room - 3)}...` : start;
  const place = paper.style('bold', `${file}:${line}`);
  return [
    `${place}  ${paper.decision(ruling.decision)}  ${paper.style('dim', `${ruling.rule}, ${ruling.origin}`)}`,
    `  ${shown}`,
    `${wrap(sanitise(ruling.reason).text, paper.width, 2)}`,
    '',
  ].join('\n');
}

/** One SQL file against the policy: what each statement would meet, and what of the file cannot be judged from its text. */
import type { Ruling } from '../../policy/decision.js';
import { rulingOf } from '../../policy/engine.js';
import { foreignTo, psqlVariables, variableWords } from './foreign-sql.js';
import type { Judge, Judged } from './judging.js';
import { psqlEffect } from './psql-commands.js';
import { behindComments, blank, lineAt, type PsqlCommand, readSqlFile, type Span, type SqlFile } from './sql-file.js';

/** `line` is 1-based; `sql` is as the file has it. `unread` says why nothing can be promised about it. */
export interface Tested {
  readonly file: string;
  readonly line: number;
  readonly sql: string;
  readonly ruling?: Ruling;
  readonly unread?: string;
}

export interface Include {
  readonly line: number;
  readonly sql: string;
  /** As written, without quotes. */
  readonly name: string;
  readonly relative: boolean;
}

/** What psql has in mind from one file to the next: `\set` gives a name, `\gset` and others any name. */
export class PsqlVariables {
  readonly #names = new Set<string>();
  #any = false;

  learn({ name, rest }: PsqlCommand): void {
    if (name === 'set') this.#names.add(rest.trim().split(/\s/, 1)[0] ?? '');
    if (name === 'gset' || name === 'prompt' || name === 'getenv') this.#any = true;
  }

  mayHold(name: string): boolean {
    return this.#any || this.#names.has(name);
  }
}

export function testText(file: string, text: string, judge: Judge, variables: PsqlVariables) {
  const whole = readSqlFile(text, (name, rest) => sendsStatement(name, rest));
  const { tested, includes } = testCommands(file, text, whole, variables);
  let sql = whole.sql;
  for (const { start, end } of whole.statements) {
    const names = psqlVariables(text.slice(start, end), whole.bare.slice(start, end));
    const held = names.find((name) => variables.mayHold(name));
    if (held === undefined) continue;
    tested.push({ ...placeOf({ file, text, read: whole }, start, end), unread: variableWords(held) });
    sql = `${sql.slice(0, start)}${blank(sql.slice(start, end))}${sql.slice(end)}`;
  }
  const places = { file, text, read: { ...whole, sql } };
  const judged = judge.judge(sql);
  if (judged.facts.unparseable === undefined) tested.push(...testStatements(places, judged));
  else tested.push(...testPieces(places, judge));
  return { tested: tested.sort((a, b) => a.line - b.line), includes };
}

interface Places {
  readonly file: string;
  readonly text: string;
  readonly read: SqlFile;
}

function sendsStatement(name: string, rest: string): boolean {
  return name === 'gexec' || name === 'g' || name === 'gx' || psqlEffect(name, rest).kind === 'ends';
}

function testCommands(file: string, text: string, read: SqlFile, variables: PsqlVariables) {
  const tested: Tested[] = [];
  const includes: Include[] = [];
  for (const command of read.commands) {
    variables.learn(command);
    const effect = psqlEffect(command.name, command.rest);
    const place = { file, line: lineAt(text, command.start), sql: text.slice(command.start, command.end).trimEnd() };
    if (effect.kind === 'unread') tested.push({ ...place, unread: effect.why });
    if (effect.kind === 'include') includes.push({ ...place, name: fileName(command.rest), relative: effect.relative });
  }
  return { tested, includes };
}

function fileName(rest: string): string {
  const name = rest.trim();
  return /^'[^'\\]*'$/.test(name) ? name.slice(1, -1) : name;
}

/** Around what no grammar reads, the rest is judged as one text, in which a transaction may reach over statements. */
function testPieces(places: Places, judge: Judge): Tested[] {
  const { file, text, read } = places;
  const unread: Tested[] = [];
  const readable: string[] = [];
  for (const { start, end } of read.statements.flatMap((span) => piecesOf(span, read, judge))) {
    const sql = read.sql.slice(start, end);
    const { facts, ruling } = judge.judge(sql);
    readable.push(facts.unparseable ? blank(sql) : sql);
    if (facts.unparseable === undefined) continue;
    const { position, message } = facts.unparseable;
    const at = position === undefined ? behindComments(read.sql, start) : start + position - 1;
    const foreign = foreignTo(text.slice(start, end), read.bare.slice(start, end));
    const why = `${ruling.reason} (${message})${foreign === undefined ? '' : ` ${foreign}`}`;
    unread.push({ file, line: lineAt(text, at), sql: lineOf(text, at), ruling, unread: why });
  }
  const judged = judge.judge(readable.join(''));
  const { unparseable } = judged.facts;
  if (unparseable === undefined) return [...unread, ...testStatements(places, judged)];
  const why = `${judged.ruling.reason} (${unparseable.message})`;
  return [...unread, { ...placeOf(places, 0, text.length), ruling: judged.ruling, unread: why }];
}

/** A parenthesis or a body that nothing closes would hide what follows: such a statement is cut at every semicolon. */
function piecesOf({ start, end }: Span, { sql, bare }: SqlFile, judge: Judge): Span[] {
  if (judge.judge(sql.slice(start, end)).facts.unparseable === undefined) return [{ start, end }];
  let at = start;
  return bare
    .slice(start, end)
    .split(/(?<=;)/)
    .map((piece) => {
      const from = at;
      at += piece.length;
      return { start: from, end: at };
    });
}

function testStatements(places: Places, { facts, judgements }: Judged): Tested[] {
  return facts.statements.flatMap(({ start, end }, index): Tested[] => {
    // What an EXECUTE of this file runs is appended behind the file's own statements.
    if (end === start) return [];
    return [{ ...placeOf(places, start, end), ruling: rulingOf(judgements.filter((one) => one.statement === index)) }];
  });
}

function placeOf({ file, text, read }: Places, from: number, end: number) {
  const start = behindComments(read.sql, from);
  return { file, line: lineAt(text, start), sql: text.slice(start, end) };
}

function lineOf(text: string, position: number): string {
  return text.slice(text.lastIndexOf('\n', position - 1) + 1).split('\n', 1)[0] ?? '';
}

/** One SQL file against the policy: what each statement would meet, and what of the file cannot be judged from its text. */
import type { Ruling } from '../../policy/decision.js';
import { type Judgement, rulingOf } from '../../policy/engine.js';
import { foreignTo, psqlVariables, templateInLiteral, templateNote, variableWords } from './foreign-sql.js';
import type { Judge, Judged } from './judging.js';
import { Lines, partsOf } from './parts.js';
import { psqlEffect } from './psql-commands.js';
import { behindComments, blank, type PsqlCommand, readSqlFile, type Span, type SqlFile } from './sql-file.js';

/** `line` is 1-based; `sql` is as the file has it. `unread` says why nothing can be promised about it. */
export interface Tested {
  readonly file: string;
  readonly line: number;
  readonly sql: string;
  readonly ruling?: Ruling;
  readonly unread?: string;
  /** Something to know that stops nobody; such an entry has no ruling. */
  readonly note?: string;
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
  const read = readSqlFile(text, (name, rest) => sendsStatement(name, rest));
  const places = { file, text, read, lines: new Lines(text) };
  const { tested, includes } = testCommands(places, variables);
  const known: Span[] = [];
  const held: Span[] = [];
  for (const span of read.statements) {
    const { start, end } = span;
    const names = psqlVariables(text.slice(start, end), read.bare.slice(start, end));
    const name = names.find((one) => variables.mayHold(one));
    (name === undefined ? known : held).push(span);
    const literal = templateInLiteral(read.sql.slice(start, end));
    if (literal !== undefined) {
      const at = start + literal;
      tested.push({ file, line: places.lines.at(at), sql: lineOf(text, at), note: templateNote });
    }
    if (name !== undefined) tested.push({ ...placeOf(places, start, end), unread: variableWords(name) });
  }
  const sql = withBlanks(read.sql, held);
  for (const part of partsOf(sql, known)) {
    const judged = judge.judge(textOf(sql, part));
    const fits = judged.facts.unparseable === undefined;
    for (const one of fits ? testStatements(places, judged, startOf(part)) : testPieces(places, sql, part, judge))
      tested.push(one);
  }
  return { tested: tested.sort((a, b) => a.line - b.line), includes };
}

interface Places {
  readonly file: string;
  readonly text: string;
  readonly read: SqlFile;
  readonly lines: Lines;
}

function sendsStatement(name: string, rest: string): boolean {
  return name === 'gexec' || name === 'g' || name === 'gx' || psqlEffect(name, rest).kind === 'ends';
}

function testCommands({ file, text, read, lines }: Places, variables: PsqlVariables) {
  const tested: Tested[] = [];
  const includes: Include[] = [];
  for (const command of read.commands) {
    variables.learn(command);
    const effect = psqlEffect(command.name, command.rest);
    const place = { file, line: lines.at(command.start), sql: text.slice(command.start, command.end).trimEnd() };
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
function testPieces(places: Places, sql: string, part: readonly Span[], judge: Judge): Tested[] {
  const { file, text, read, lines } = places;
  const tested: Tested[] = [];
  const readable: Span[] = [];
  const unreadable: Span[] = [];
  for (const piece of part.flatMap((span) => piecesOf(span, sql, read.bare, judge))) {
    const { start, end } = piece;
    const { facts, ruling } = judge.judge(sql.slice(start, end));
    (facts.unparseable ? unreadable : readable).push(piece);
    if (facts.unparseable === undefined) continue;
    const { position, message } = facts.unparseable;
    const at = position === undefined ? behindComments(sql, start) : start + position - 1;
    const foreign = foreignTo(text.slice(start, end), read.bare.slice(start, end));
    const why = `${ruling.reason} (${message})${foreign === undefined ? '' : ` ${foreign}`}`;
    tested.push({ file, line: lines.at(at), sql: lineOf(text, at), ruling, unread: why });
  }
  const rest = withBlanks(sql, unreadable);
  for (const group of partsOf(rest, readable)) {
    const judged = judge.judge(textOf(rest, group));
    const { unparseable } = judged.facts;
    if (unparseable === undefined) {
      for (const one of testStatements(places, judged, startOf(group))) tested.push(one);
    } else {
      const why = `${judged.ruling.reason} (${unparseable.message})`;
      const place = placeOf(places, startOf(group), group.at(-1)?.end ?? text.length);
      tested.push({ ...place, ruling: judged.ruling, unread: why });
    }
  }
  return tested;
}

function startOf(part: readonly Span[]): number {
  return part[0]?.start ?? 0;
}

function textOf(sql: string, part: readonly Span[]): string {
  return sql.slice(startOf(part), part.at(-1)?.end);
}

/** `spans` in order. */
function withBlanks(sql: string, spans: readonly Span[]): string {
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end } of spans) {
    pieces.push(sql.slice(at, start), blank(sql.slice(start, end)));
    at = end;
  }
  return pieces.join('') + sql.slice(at);
}

/** A parenthesis or a body that nothing closes would hide what follows: such a statement is cut at every semicolon. */
function piecesOf({ start, end }: Span, sql: string, bare: string, judge: Judge): Span[] {
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

function testStatements(places: Places, { facts, judgements }: Judged, base: number): Tested[] {
  const ofStatement: Judgement[][] = facts.statements.map(() => []);
  for (const one of judgements) if (one.statement !== undefined) ofStatement[one.statement]?.push(one);
  return facts.statements.flatMap(({ start, end }, index): Tested[] => {
    // What an EXECUTE of this file runs is appended behind the file's own statements.
    if (end === start) return [];
    return [{ ...placeOf(places, base + start, base + end), ruling: rulingOf(ofStatement[index] ?? []) }];
  });
}

function placeOf({ file, text, read, lines }: Places, from: number, end: number) {
  const start = behindComments(read.sql, from);
  return { file, line: lines.at(start), sql: text.slice(start, end) };
}

function lineOf(text: string, position: number): string {
  return text.slice(text.lastIndexOf('\n', position - 1) + 1).split('\n', 1)[0] ?? '';
}

/**
 * SQL files as psql reads them (psqlscan.l), made plain SQL: positions stay, what is not SQL becomes blanks. Knows literals,
 * comments, psql's commands and variables and the rows behind COPY; must not know what a statement means.
 */
import { copiesFromClient, createsRoutine, endOfToken, tokenAt } from './sql-tokens.js';

export interface Span {
  /** UTF-16 code units. */
  readonly start: number;
  readonly end: number;
}

export interface PsqlCommand extends Span {
  /** Without the backslash. */
  readonly name: string;
  readonly rest: string;
}

export interface SqlFile {
  /** As long as the file: without psql's commands and the rows of COPY. */
  readonly sql: string;
  /** As `sql`, with blanks for comments and literals too. */
  readonly bare: string;
  readonly statements: readonly Span[];
  readonly commands: readonly PsqlCommand[];
}

export type CommandEnds = (name: string, rest: string) => boolean;

export function readSqlFile(text: string, endsStatement: CommandEnds): SqlFile {
  return new Reading(text, endsStatement).whole();
}

class Reading {
  readonly #text: string;
  readonly #endsStatement: CommandEnds;
  readonly #sql: string[] = [];
  readonly #bare: string[] = [];
  readonly #statements: Span[] = [];
  readonly #commands: PsqlCommand[] = [];
  #at = 0;
  #start = 0;
  /** Of the statement that is being read: its text outside of parentheses, open parentheses, open BEGIN ... END. */
  #outer = '';
  #depth = 0;
  #blocks = 0;
  /** COPY ... FROM STDIN of the statements since the last one that was sent. */
  #copies = 0;
  #rowsDue = 0;

  constructor(text: string, endsStatement: CommandEnds) {
    this.#text = text;
    this.#endsStatement = endsStatement;
  }

  whole(): SqlFile {
    while (this.#at < this.#text.length) this.#next();
    this.#endStatement(this.#at);
    return {
      sql: this.#sql.join(''),
      bare: this.#bare.join(''),
      statements: this.#statements,
      commands: this.#commands,
    };
  }

  #next(): void {
    const kind = tokenAt(this.#text, this.#at);
    const end = endOfToken(this.#text, this.#at, kind);
    const token = this.#text.slice(this.#at, end);
    if (kind === 'command') this.#command();
    else if (kind === 'quoted' || kind === 'comment') this.#take(end, token, blank(token));
    else if (kind === 'name') this.#take(end, token, token.replace(/[^\n]/g, 'x'));
    else this.#take(end, token, token);
    if (kind === 'word') this.#word(token.toLowerCase());
    if (token === '(') this.#depth++;
    if (token === ')') this.#depth = Math.max(0, this.#depth - 1);
    if (token === ';' && this.#depth === 0 && this.#blocks === 0) this.#send();
    if (token === '\n' && this.#rowsDue > 0) this.#rows();
  }

  /** psql counts the BEGIN and END of a routine's body in standard SQL, whose semicolons end nothing. */
  #word(word: string): void {
    if (word === 'begin' && createsRoutine.test(this.#outer)) this.#blocks++;
    else if (word === 'case' && this.#blocks > 0) this.#blocks++;
    else if (word === 'end' && this.#blocks > 0) this.#blocks--;
  }

  #take(end: number, sql: string, bare: string): void {
    this.#sql.push(sql);
    this.#bare.push(bare);
    if (this.#depth === 0) this.#outer += bare;
    this.#at = end;
  }

  #blankTo(end: number): void {
    const blanks = blank(this.#text.slice(this.#at, end));
    this.#take(end, blanks, blanks);
  }

  #endStatement(end: number): void {
    if (copiesFromClient.test(this.#outer)) this.#copies++;
    this.#statements.push({ start: this.#start, end });
    this.#start = end;
    this.#outer = '';
    this.#depth = 0;
    this.#blocks = 0;
  }

  #send(): void {
    this.#endStatement(this.#at);
    this.#rowsDue += this.#copies;
    this.#copies = 0;
  }

  /** Rows that no `\.` ends are no rows for whoever reads the file without psql: they stay SQL. */
  #rows(): void {
    for (; this.#rowsDue > 0; this.#rowsDue--) {
      const last = /^\\\.[ \t\r]*$/gm;
      last.lastIndex = this.#at;
      if (last.exec(this.#text) === null) break;
      this.#blankTo(last.lastIndex);
    }
    this.#rowsDue = 0;
  }

  #command(): void {
    const start = this.#at;
    const escaped = this.#text[start + 1];
    if (escaped === ';' || escaped === ':') {
      this.#take(start + 2, ` ${escaped}`, ` ${escaped}`);
      if (escaped === ';') this.#endStatement(this.#at);
      return;
    }
    const name = /[^\s\\]*/y;
    name.lastIndex = start + 1;
    const called = name.exec(this.#text)?.[0] ?? '';
    const end = this.#endOfArguments(start + 1 + called.length, called);
    const rest = this.#text.slice(start + 1 + called.length, end);
    this.#commands.push({ start, end, name: called, rest });
    if (this.#endsStatement(called, rest)) {
      this.#take(start + 1, ';', ';');
      this.#send();
    }
    // `\\` ends a command; SQL follows
    this.#blankTo(called !== '' && this.#text.startsWith('\\\\', end) ? end + 2 : Math.max(end, start + 1));
  }

  /** A command ends with its line or before the next backslash; some take the whole line (psqlscanslash.l, OT_WHOLE_LINE). */
  #endOfArguments(start: number, name: string): number {
    const wholeLine = wholeLineCommands.has(name) || name.startsWith('!');
    const rest = wholeLine || /^[^\S\n]*\|/.test(this.#text.slice(start, start + 200)) ? /[^\n]*/y : commandArguments;
    rest.lastIndex = start;
    return start + (rest.exec(this.#text)?.[0].length ?? 0);
  }
}

const wholeLineCommands: ReadonlySet<string> = new Set(['copy', 'h', 'help', 'sf', 'sf+', 'sv', 'sv+', 'ef', 'ev']);
const commandArguments = /(?:[^\n\\'"`]|'(?:[^\n\\']|\\[^\n]|'')*'?|"[^\n"]*"?|`[^\n`]*`?)*/y;

export function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/** Where a statement begins behind the comments that stand before it. */
export function behindComments(text: string, start: number): number {
  let at = start;
  for (;;) {
    const kind = tokenAt(text, at);
    if (!/\s/.test(text[at] ?? '') && kind !== 'comment') return at;
    at = endOfToken(text, at, kind);
  }
}

/**
 * What a model reads: rows as compact JSON, refusals as what was refused, by whom, why, and what to do. What would let a
 * refused statement through is never named: whoever may use that knows it.
 */
import { DbguardError } from '../../errors.js';
import type { StatementOutcome } from '../../io/upstream/run-statement.js';
import { waitingFor } from '../../proxy/statement/denial.js';
import type { ResponseFields } from '../../wire/backend.js';
import { cellValue, typeName } from '../../wire/type-names.js';

/** A tool's result. */
export interface Said {
  readonly text: string;
  /** Nothing came of the call. */
  readonly failed?: true;
}

/** Of one answer: what most clients let through as a whole is some 25,000 tokens. */
const longestAnswer = 60_000;
const longestCell = 4000;

export function outcomeWords(outcome: StatementOutcome, limit: number | undefined): Said {
  const { error, copy, tag, status } = outcome;
  if (copy) return failure('COPY to or from the client cannot be used here. Use SELECT and INSERT.');
  if (error) return limit === undefined ? errorWords(error, outcome) : timeWords(limit, error);
  if (status !== 'I') {
    return failure(
      `Undone: a transaction does not outlast a call here, so nothing came of ${tag ?? 'this'}. Each statement is a transaction of its own; put what belongs together into one statement (WITH ... AS).`,
    );
  }
  return { text: JSON.stringify(resultOf(outcome)) };
}

function resultOf({ columns, rows, more, tag, notices }: StatementOutcome) {
  const result: Record<string, unknown> = {};
  let cut = 0;
  if (columns !== undefined) {
    result.columns = columns.map(({ name, typeOid }) => `${name} ${typeName(typeOid)}`);
    const { shown, cells } = fitting(columns, rows);
    cut = cells;
    result.rows = shown;
    if (more || shown.length < rows.length) {
      result.more = `There are more rows than these ${shown.length}. Narrow it down, aggregate, or page with ORDER BY a key and WHERE key > the last one.`;
    }
  }
  if (tag !== undefined) result.done = tag;
  if (cut > 0)
    result.shortened = `${cut} long values end with "…": select a part of them, such as substr(column, 1, 1000).`;
  if (tag === 'SET' || tag === 'LISTEN' || tag === 'PREPARE')
    result.note = 'This ended with the call: sessions are not kept.';
  const { masked, said } = spoken(notices);
  if (masked.length > 0) result.masked = masked;
  if (said.length > 0) result.notices = said;
  return result;
}

function fitting(columns: NonNullable<StatementOutcome['columns']>, rows: StatementOutcome['rows']) {
  const shown: unknown[][] = [];
  let room = longestAnswer;
  let cells = 0;
  for (const row of rows) {
    const long = row.filter((text) => text !== null && text.length > longestCell).length;
    const values = row.map((text, at) => cellValue(shortened(text), columns[at]?.typeOid ?? 0));
    room -= JSON.stringify(values).length + 1;
    if (room < 0) break;
    cells += long;
    shown.push(values);
  }
  return { shown, cells };
}

function shortened(text: string | null): string | null {
  return text !== null && text.length > longestCell ? `${text.slice(0, longestCell)}…` : text;
}

/** What is masked, and what else the server or dbguard said. Hints of dbguard's are for people. */
function spoken(notices: readonly ResponseFields[]): { masked: string[]; said: string[] } {
  const masked: string[] = [];
  const said: string[] = [];
  for (const notice of notices) {
    const text = notice.get('M') ?? '';
    const column = isOwn(notice) && text.startsWith(maskWords) ? text.slice(maskWords.length) : undefined;
    if (column !== undefined) masked.push(column);
    else if (waitsFor(notice) === undefined) said.push([text, notice.get('D')].filter(Boolean).join(' '));
  }
  return { masked, said: said.map((text) => text.slice(0, 1000)).slice(0, 20) };
}

const maskWords = 'dbguard masks ';

/** The routine that an error or notice names: a server's are named otherwise. */
function isOwn(fields: ResponseFields): boolean {
  return fields.get('R') === 'dbguard';
}

/** Why a statement waits, where the notice says that it does. */
export function waitsFor(notice: ResponseFields): string | undefined {
  const message = notice.get('M') ?? '';
  return isOwn(notice) && message.startsWith(waitingFor) ? message.slice(waitingFor.length) : undefined;
}

function errorWords(error: ResponseFields, { notices }: StatementOutcome): Said {
  const [message = '', detail = '', hint = ''] = ['M', 'D', 'H'].map((field) => error.get(field));
  const state = error.get('C') ?? '';
  if (isOwn(error)) return failure([message, withoutOrigin(detail), hint].filter(Boolean).join('\n'));
  const position = error.get('P');
  const { masked } = spoken(notices);
  return failure(
    [
      `PostgreSQL refused it (SQLSTATE ${state}): ${message}${position === undefined ? '' : ` (at character ${position})`}`,
      detail,
      hint && `Hint: ${hint}`,
      masked.length > 0 ? `Masked: ${masked.join('; ')}` : '',
    ]
      .filter(Boolean)
      .join('\n'),
  );
}

/** Which file or profile a rule stands in is no business of the model's. */
function withoutOrigin(detail: string): string {
  return detail.replace(/( rule \S+) \([^()]*\)/, '$1');
}

function timeWords(seconds: number, error: ResponseFields): Said {
  const stopped = error.get('C') === '57014';
  return failure(
    stopped
      ? `Stopped after ${seconds} s, and undone. Narrow it down, look at its plan with explain, or give it more time with timeout_seconds.`
      : `It did not end within ${seconds} s, and failed: ${error.get('M') ?? ''}`,
  );
}

export function waitingWords(ticket: string, why: string): Said {
  return {
    text: [
      `Not run yet: it waits for ${why}`,
      `Tell the person you work for what you want to run and why; they answer outside of this conversation. Then call query again with exactly the same sql and values and "ticket": "${ticket}". That asks nothing anew: it waits on, and brings the outcome. Until then you can go on with other statements.`,
    ].join('\n'),
  };
}

export const lateWords = 'This is the outcome of the statement that you sent before; it did not run a second time.';

const refusals = {
  'unknown-ticket':
    'Nothing ran: there is no such ticket, or its outcome has been given already. Tickets come from query, for the statement that they were given for; without one the statement is sent anew.',
  'other-statement':
    'Nothing ran: this ticket is for another statement. It is for exactly the sql and values that it was given for; send another statement without it.',
  'too-many':
    'Nothing ran: too many statements are under way. Wait until some have ended; status lists those that wait.',
} as const;

export function refusalWords(kind: keyof typeof refusals): Said {
  return failure(refusals[kind]);
}

/** What dbguard itself says of why there is no connection. */
export function troubleWords(error: unknown): Said {
  if (!(error instanceof DbguardError))
    return failure('dbguard could not do this: an error of its own. Tell the person you work for.');
  const hint = error.hint === undefined ? '' : `\nTell the person you work for. dbguard says to them: ${error.hint}`;
  return failure(`Nothing ran. dbguard: ${error.message}${hint}`);
}

export const severalWords = 'Nothing ran: there are several statements in this text. Send one at a time.';

export function failure(text: string): Said {
  return { text, failed: true };
}

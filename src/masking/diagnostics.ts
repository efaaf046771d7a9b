/**
 * ErrorResponse and NoticeResponse of a statement that touches masked data, without anything that may be a value.
 * What stays is what the server's code or the schema says: severity, SQLSTATE, names, source position, routine.
 */
import { backend, headerBytes } from '../wire/messages.js';
import { decodeRawFields } from '../wire/server-messages.js';

/** S V C: severity, SQLSTATE. P: position in the client's own text. s t c d n: names. F L R: place in the source. */
const keptFields = new Set([...'SVCPstcdnFLR']);

/** Texts that hold names of existing things only. */
const harmless: ReadonlySet<string> = new Set([
  '08P01', // protocol violation: how many parameters Bind gave
  '26000', // no such prepared statement
  '34000', // no such portal
  '42P03', // duplicate portal
  '42P05', // duplicate prepared statement
  '25P02', // current transaction is aborted
  '25006', // read-only transaction
  '40001', // serialization failure
  '40P01', // deadlock
  '42501', // insufficient privilege
  '42P07', // duplicate table
  '57014', // query canceled
  '57P01', // admin shutdown
  '55P03', // lock not available
]);

/**
 * What the parser, its analysis and the rewriter say (field F) is said of the client's own words before any row is read.
 * In a body that runs meanwhile the words may be values; such errors say where they come from (W or q).
 */
const beforeRows = /^(gram\.y|scan\.l|analyze\.c|parser\.c|parse_\w+\.c|rewrite\w+\.c)$/;

/** DETAIL of unique keys and foreign keys: columns, their values, and of exclusion constraints both once more. */
const keyOf =
  /^Key \((?<columns>[\w, ]+)\)=\([\s\S]*\) (?:already exists\.|is duplicated\.|is not present in table "\w+"\.|conflicts with existing key \((?<others>[\w, ]+)\)=\([\s\S]*\)\.)$/;
/** There it is a key of the table that is written to, although the error is of the table that refers to it. */
const referenced =
  /^update or delete on table "(?<table>\w+)" violates (?:RESTRICT setting of )?foreign key constraint "[^"]*" on table "[^"]*"$/;
const referencedKey = /^Key \((?<columns>[\w, ]+)\)=\([\s\S]*\) is (?:still )?referenced from table "\w+"\.$/;

/** Nothing that is masked stands in these columns. @param schema undefined: of any relation that is called so */
export type CleanColumns = (schema: string | undefined, table: string, columns: readonly string[]) => boolean;

/**
 * Texts of PostgreSQL's own that name things of the schema and hold no value: values stand in the DETAIL, which is left
 * out. In other languages than English they are replaced.
 */
const namesOnly: ReadonlyMap<string, RegExp> = new Map([
  ['23502', /^null value in column "[^"]*" of relation "[^"]*" violates not-null constraint$/],
  [
    '23503',
    /^(insert or update|update or delete) on table "[^"]*" violates foreign key constraint "[^"]*"( on table "[^"]*")?$/,
  ],
  ['23505', /^(duplicate key value violates unique constraint|could not create unique index) "[^"]*"$/],
  [
    '23514',
    /^(new row for relation "[^"]*" violates check constraint "[^"]*"|check constraint "[^"]*" of relation "[^"]*" is violated by some row)$/,
  ],
  ['23P01', /^conflicting key value violates exclusion constraint "[^"]*"$/],
  ['22001', /^value too long for type [a-z ]+\(\d+\)$/],
  [
    '22003',
    /^((smallint|integer|bigint) out of range|numeric field overflow|value out of range: (overflow|underflow))$/,
  ],
  ['22012', /^division by zero$/],
]);

/** What is left of a text when the value behind it is taken out. */
const beforeValue: ReadonlyMap<string, RegExp> = new Map([
  ['22P02', /^invalid input (syntax for type [a-z ]+|value for enum [\w."]+)(?=: ")/],
  ['22007', /^invalid input syntax for type [a-z ]+(?=: ")/],
  ['22008', /^date\/time field value out of range(?=: ")/],
  ['22003', /^value(?= "[^"]*" is out of range for type [a-z ]+$)/],
]);

const generic: ReadonlyMap<string, string> = new Map([
  ['23502', 'a column that must not be null would be'],
  ['23503', 'a foreign key is violated'],
  ['23505', 'a unique constraint is violated'],
  ['23514', 'a check constraint is violated'],
  ['23P01', 'an exclusion constraint is violated'],
  ['22P02', 'a value is not valid for its type'],
  ['22003', 'a number is out of range'],
  ['22012', 'division by zero'],
  ['22001', 'a value is too long for its type'],
]);

const nothingClean: CleanColumns = () => false;

/** One whole message in, one whole message out. */
export function maskDiagnostics(
  bytes: Buffer,
  start: number,
  end: number,
  isClean: CleanColumns = nothingClean,
): Buffer {
  const fields = decodeRawFields(bytes, start, end);
  const text = (code: string): string => fields.find((one) => one.code === code)?.text.toString('latin1') ?? '';
  const sqlstate = text('C');
  // PL/pgSQL's RAISE can use any SQLSTATE and name anything it likes.
  const raised = text('R') === 'exec_stmt_raise';
  const has = (code: string): boolean => fields.some((one) => one.code === code);
  // Inside a function the text that failed may have been made of values.
  const own = !raised && !has('W') && !has('q');
  const analysed = own && beforeRows.test(text('F'));
  const trusted = own && (harmless.has(sqlstate) || analysed);
  const constraint = raised ? '' : text('n');
  const whole = text('M');
  const kept = own ? beforeValue.get(sqlstate)?.exec(whole)?.[0] : undefined;
  const asIs = trusted || (own && namesOnly.get(sqlstate)?.test(whole) === true);
  const message = kept
    ? `${kept}; the value is masked`
    : `${generic.get(sqlstate) ?? 'the server reported a problem'}${constraint ? ` ("${constraint}")` : ''}; its text is masked`;
  const parts: Buffer[] = [];
  const add = (code: string, value: Buffer): void => {
    parts.push(Buffer.from(code, 'latin1'), value, Buffer.from([0]));
  };
  for (const field of fields) {
    const said = analysed && 'DH'.includes(field.code);
    if (said || (field.code === 'D' && own && isCleanKey(text, isClean))) add(field.code, field.text);
    else if (field.code === 'M') add('M', asIs ? field.text : Buffer.from(message, 'latin1'));
    else if (keptFields.has(field.code) && !(raised && 'stcdn'.includes(field.code))) add(field.code, field.text);
  }
  const body = Buffer.concat([...parts, Buffer.from([0])]);
  const out = Buffer.allocUnsafe(headerBytes + body.length);
  out[0] = bytes[start] ?? backend.errorResponse;
  out.writeInt32BE(body.length + 4, 1);
  body.copy(out, headerBytes);
  return out;
}

/** The DETAIL names a key of which no column is masked. */
function isCleanKey(text: (code: string) => string, isClean: CleanColumns): boolean {
  if (!/^23(503|505|P01)$/.test(text('C'))) return false;
  const columnsOf = (listed = ''): string[] => listed.split(', ').filter((name) => name !== '');
  const own = keyOf.exec(text('D'))?.groups;
  if (own !== undefined) {
    return isClean(text('s'), text('t'), [...columnsOf(own.columns), ...columnsOf(own.others)]);
  }
  const columns = columnsOf(referencedKey.exec(text('D'))?.groups?.columns);
  const table = referenced.exec(text('M'))?.groups?.table;
  return table !== undefined && columns.length > 0 && isClean(undefined, table, columns);
}

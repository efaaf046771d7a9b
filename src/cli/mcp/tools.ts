/**
 * What a model is told of the tools, and the arguments that come back. Every word here is paid for in each of its
 * conversations: test/cli/mcp/tools.test.ts holds the whole to a bound.
 */
import type { Tool } from '@modelcontextprotocol/sdk/types.js';

export const instructions =
  'PostgreSQL behind dbguard: everything is recorded and signed; what is dangerous waits for a person. A refusal is a decision: do what its reason says, never work around it.';

const sql = { type: 'string', description: 'One statement' } as const;
const values = {
  type: 'array',
  items: { type: ['string', 'number', 'boolean', 'null'] },
  description: 'For $1, $2, ...',
} as const;

export const tools: readonly Tool[] = [
  {
    name: 'query',
    description:
      'Run one SQL statement, in a transaction and session of its own. If a person has to approve it you get a ticket: repeat the call unchanged with the ticket until there is an outcome.',
    inputSchema: {
      type: 'object',
      properties: {
        sql,
        values,
        ticket: { type: 'string', description: 'Of the same statement, if you were given one' },
        max_rows: { type: 'integer', description: 'Default 100, at most 1000' },
        timeout_seconds: { type: 'integer', description: 'Default 30, at most 600' },
      },
      required: ['sql'],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  },
  {
    name: 'explain',
    description: 'What a statement would do, whether it would wait for a person, and its plan. Runs nothing.',
    inputSchema: { type: 'object', properties: { sql, values }, required: ['sql'], additionalProperties: false },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: 'status',
    description: 'Who you work for, on which database, and what waits.',
    inputSchema: { type: 'object', properties: {}, additionalProperties: false },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
];

export interface QueryArguments {
  readonly sql: string;
  readonly values: readonly (string | null)[];
  readonly ticket: string | undefined;
  readonly maxRows: number;
  readonly timeoutSeconds: number;
}

/** Of another shape than the tool's, or what cannot be sent as it was meant. `message` is for the model. */
export class ArgumentsError extends Error {}

const longestSql = 1 << 20;
const mostValues = 65_535;

/** Throws ArgumentsError. */
export function readQuery(given: Readonly<Record<string, unknown>> = {}): QueryArguments {
  refuseUnknown(given, ['sql', 'values', 'ticket', 'max_rows', 'timeout_seconds']);
  const { ticket } = given;
  if (ticket !== undefined && typeof ticket !== 'string') throw new ArgumentsError('ticket is a string');
  return {
    ...readStatement(given),
    ticket: ticket === '' ? undefined : ticket,
    maxRows: whole(given, 'max_rows', 100, 1000),
    timeoutSeconds: whole(given, 'timeout_seconds', 30, 600),
  };
}

/** Throws ArgumentsError. */
export function readExplain(given: Readonly<Record<string, unknown>> = {}): Pick<QueryArguments, 'sql' | 'values'> {
  refuseUnknown(given, ['sql', 'values']);
  return readStatement(given);
}

function readStatement({ sql: text, values: list = [] }: Readonly<Record<string, unknown>>) {
  if (typeof text !== 'string' || text.trim() === '') throw new ArgumentsError('sql is a text with one statement');
  if (text.includes('\0')) throw new ArgumentsError('sql contains a NUL character, which no statement can');
  if (text.length > longestSql) throw new ArgumentsError(`sql is longer than ${longestSql} characters`);
  if (!Array.isArray(list) || list.length > mostValues) throw new ArgumentsError('values is a list');
  return { sql: text, values: list.map(textOf) };
}

/** As PostgreSQL reads it: every value is sent as text, and the server takes it for the type that stands in the statement. */
function textOf(value: unknown, at: number): string | null {
  if (value === null) return null;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value))) return String(value);
  if (typeof value === 'string' && !value.includes('\0')) return value;
  throw new ArgumentsError(
    typeof value === 'number'
      ? `value $${at + 1} is a number that JSON does not carry exactly: give it as a string`
      : `value $${at + 1} is a string without NUL, a number, true, false or null: give anything else as PostgreSQL's text for it`,
  );
}

function whole(given: Readonly<Record<string, unknown>>, name: string, otherwise: number, most: number): number {
  const value = given[name] ?? otherwise;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new ArgumentsError(`${name} is a whole number from 1 to ${most}`);
}

function refuseUnknown(given: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new ArgumentsError(`there is no argument ${unknown[0]}: there are ${known.join(', ')}`);
}

/**
 * What clients were shown, put together from the lines of a recording: results of statements, each with its columns, rows and
 * messages, up to what was recorded. Lines come from the session's own writer, who may have lied in any of them.
 */
import { isRecord } from '../transcript/line.js';
import type { RecordedMessage } from '../transcript/recording.js';
import { typeName } from '../wire/type-names.js';
import { binaryText } from './binary-values.js';

export interface ShownColumn {
  readonly name: string;
  /** `int4`, `text`, or `type 16423` where the type is not one of PostgreSQL's own. */
  readonly type: string;
}

export interface ShownResult {
  /** Microseconds since 1970 UTC. */
  readonly t: number;
  /** Undefined where nobody described it, and for COPY. */
  readonly columns: readonly ShownColumn[] | undefined;
  /** As PostgreSQL writes them; null is NULL. Bytes that nobody can read are `\x` and hex. */
  readonly rows: (readonly (string | null)[])[];
  /** Data of COPY, a message each. */
  readonly copied: string[];
}

export interface ShownAnswer {
  /** Number of the `statement` entry. */
  readonly of: number;
  readonly results: ShownResult[];
  readonly messages: RecordedMessage[];
  /** What came behind the recorded rows was left out: too many rows, or too many bytes. */
  cut: 'rows' | 'bytes' | undefined;
}

interface Open {
  readonly answer: ShownAnswer;
  types: readonly number[];
  binary: ReadonlySet<unknown>;
}

/** Takes the lines of chunks, in order; `answers` by the number of the statement. */
export class ShownAnswers {
  readonly #open = new Map<number, Open>();

  /** Lines of another form say nothing. */
  add(lines: readonly unknown[]): void {
    for (const line of lines) if (isRecord(line) && typeof line.of === 'number') this.#line(line.of, line);
  }

  of(statement: number): ShownAnswer | undefined {
    return this.#open.get(statement)?.answer;
  }

  get all(): readonly ShownAnswer[] {
    return [...this.#open.values()].map(({ answer }) => answer);
  }

  #line(of: number, line: Readonly<Record<string, unknown>>): void {
    const open = this.#opened(of);
    const { answer } = open;
    if (typeof line.t === 'number') {
      const columns = Array.isArray(line.columns) ? line.columns.filter(isColumn) : undefined;
      open.types = columns?.map(([, type]) => type) ?? [];
      open.binary = new Set(Array.isArray(line.binary) ? line.binary : []);
      const shown = columns?.map(([name, type]) => ({ name, type: typeName(type) }));
      answer.results.push({ t: line.t, columns: shown, rows: [], copied: [] });
    } else if (isRecord(line.message)) answer.messages.push(messageOf(line.message));
    else if (line.cut === 'rows' || line.cut === 'bytes') answer.cut = line.cut;
    const last = answer.results.at(-1);
    if (last === undefined) return;
    if (Array.isArray(line.rows))
      for (const row of line.rows)
        if (Array.isArray(row)) last.rows.push(row.map((cell, at) => textOf(cell, open, at)));
    if (Array.isArray(line.lines)) for (const data of line.lines) last.copied.push(textOf(data, open, -1) ?? '');
  }

  #opened(of: number): Open {
    let open = this.#open.get(of);
    if (open === undefined) {
      open = { answer: { of, results: [], messages: [], cut: undefined }, types: [], binary: new Set() };
      this.#open.set(of, open);
    }
    return open;
  }
}

function isColumn(value: unknown): value is [name: string, type: number] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number';
}

function textOf(cell: unknown, { types, binary }: Open, at: number): string | null {
  if (typeof cell === 'string') return cell;
  if (!isRecord(cell) || typeof cell.hex !== 'string') return null;
  return (binary.has(at) ? binaryText(Buffer.from(cell.hex, 'hex'), types[at] ?? 0) : undefined) ?? `\\x${cell.hex}`;
}

function messageOf(said: Readonly<Record<string, unknown>>): RecordedMessage {
  const { severity, code, message, detail, hint } = said;
  return {
    severity: String(severity ?? ''),
    code: String(code ?? ''),
    message: String(message ?? ''),
    ...(typeof detail === 'string' ? { detail } : {}),
    ...(typeof hint === 'string' ? { hint } : {}),
  };
}

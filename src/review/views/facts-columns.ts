/** What the parser read of a statement, as lists: the facts stand in the transcript for people, and are attacker-controlled. */
import { kindsWith } from '../../sql/effect-traits.js';
import { isRecord } from '../../transcript/line.js';

export interface FactsSummary {
  /** Command words of each statement of the text. */
  readonly commands: readonly string[];
  /** Kinds of effects, each once. */
  readonly effects: readonly string[];
  /** What effects that only read are about. */
  readonly reads: readonly string[];
  /** What effects that write rows are about. */
  readonly writes: readonly string[];
  /** What effects are about whose targets may be tables: reads and writes, and what makes, changes, locks or drops them. */
  readonly tables: readonly string[];
  readonly functions: readonly string[];
  /** An update or a delete without a condition that restricts it. */
  readonly unbounded: boolean;
  readonly opaque: boolean;
  /** Why the text was not understood. */
  readonly unparseable?: string;
}

const nothing: FactsSummary = {
  ...{ commands: [], effects: [], reads: [], writes: [], tables: [], functions: [] },
  ...{ unbounded: false, opaque: false },
};

export function summariseFacts(facts: unknown): FactsSummary | undefined {
  if (isRecord(facts)) return { ...nothing, unparseable: String(facts.unparseable) };
  if (!Array.isArray(facts)) return undefined;
  const statements = facts.filter(isRecord);
  const effects = statements.flatMap((one) => records(one.effects));
  const targetsOf = (meant: (kind: string) => boolean): string[] =>
    once(effects.flatMap(({ kind, targets }) => (meant(String(kind)) ? strings(targets) : [])));
  return {
    commands: statements.flatMap(({ command }) => (typeof command === 'string' ? [command] : [])),
    effects: once(effects.map(({ kind }) => String(kind))),
    reads: targetsOf((kind) => kind === 'read'),
    writes: targetsOf((kind) => writing.has(kind)),
    tables: targetsOf((kind) => naming.has(kind)),
    functions: once(statements.flatMap((one) => strings(one.functions))),
    unbounded: effects.some(({ unbounded }) => unbounded === true),
    opaque: effects.some(({ opaque }) => opaque === true),
  };
}

const writing: ReadonlySet<string> = kindsWith('writes-rows');
const naming: ReadonlySet<string> = kindsWith('names-tables');

function once(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** What shell completions need to know of the command table; one generator per shell builds on it. */
import type { CommandEntry, CommandOption } from '../command.js';
import type { LiveValues } from '../completion-words.js';

/** What stands behind an option or as an operand. */
export type ValueKind =
  | { readonly kind: 'none' }
  | { readonly kind: 'file' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Words that dbguard prints when it is asked (values.ts). */
  | { readonly kind: 'live'; readonly what: LiveValues }
  | { readonly kind: 'other'; readonly name: string };

export interface CompletionOption {
  /** `--json`, and `-j` where there is a short form. */
  readonly names: readonly string[];
  readonly description: string;
  readonly value: ValueKind;
}

export interface CompletionNode {
  /** `policy test`; empty for dbguard itself. */
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletionOption[];
  readonly operand: ValueKind;
  /** What follows is another program's command line. */
  readonly passThrough: boolean;
  readonly children: readonly CompletionNode[];
}

const helpOption: CompletionOption = { names: ['--help', '-h'], description: 'show help', value: { kind: 'none' } };
const versionOption: CompletionOption = {
  names: ['--version', '-V'],
  description: 'show the version',
  value: { kind: 'none' },
};

export function completionTree(
  table: readonly CommandEntry[],
  groupSummaries: Readonly<Record<string, string>>,
): CompletionNode {
  const children = new Map<string, CompletionNode>();
  for (const entry of table) {
    const [first = '', second] = entry.path.split(' ');
    if (second === undefined) {
      children.set(first, leaf(entry, first));
      continue;
    }
    const group = children.get(first) ?? branch(first, first, groupSummaries[first] ?? '', [], [helpOption]);
    children.set(first, { ...group, children: [...group.children, leaf(entry, second)] });
  }
  return branch('', 'dbguard', '', [...children.values()], [helpOption, versionOption]);
}

/** The tree as a list, parents first. */
export function allNodes(node: CompletionNode): CompletionNode[] {
  return [node, ...node.children.flatMap(allNodes)];
}

function branch(
  path: string,
  name: string,
  summary: string,
  children: readonly CompletionNode[],
  options: readonly CompletionOption[],
): CompletionNode {
  return { path, name, summary, options, operand: { kind: 'none' }, passThrough: false, children };
}

function leaf(entry: CommandEntry, name: string): CompletionNode {
  return {
    path: entry.path,
    name,
    summary: entry.summary,
    options: [...(entry.options ?? []).map(optionOf), helpOption],
    operand: valueKind(entry.arguments ?? '', entry.argumentChoices, liveOperand(entry)),
    passThrough: entry.passThrough ?? false,
    children: [],
  };
}

/** What is called so means the same in every command. */
const liveOptions: Readonly<Record<string, LiveValues>> = {
  '--connection': 'connections',
  '--session': 'sessions',
  '--profile': 'logins',
};

function liveOperand({ path, arguments: operands = '' }: CommandEntry): LiveValues | undefined {
  if (!/[<[]ids?\b/.test(operands)) return undefined;
  return path === 'approve' || path === 'deny' ? 'questions' : 'sessions';
}

function optionOf(option: CommandOption): CompletionOption {
  const [first = ''] = option.flags.split(' ');
  return {
    names: [...option.flags.matchAll(/(?:^|[ ,])(--?[\w-]+)/g)].flatMap((match) => match[1] ?? []),
    description: option.description,
    value: valueKind(/[<[].*$/.exec(option.flags)?.[0] ?? '', option.choices, liveOptions[first]),
  };
}

/** By the placeholder's name: `<file>` and its kin are paths. */
function valueKind(
  placeholder: string,
  choices: readonly string[] | undefined,
  live: LiveValues | undefined,
): ValueKind {
  const name = /[<[]([\w-]+)/.exec(placeholder)?.[1];
  if (name === undefined) return { kind: 'none' };
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (live !== undefined) return { kind: 'live', what: live };
  if (['file', 'files', 'path', 'paths', 'folder', 'dir'].includes(name)) return { kind: 'file' };
  return { kind: 'other', name };
}

/** Completions for fish 3 and later. */
import { allNodes, type CompletionNode, type CompletionOption } from './tree.js';

export function fishCompletions(root: CompletionNode): string {
  const lines = allNodes(root).flatMap((node) => [
    ...node.children.map((child) => line(within(node), `-a ${child.name}`, child.summary)),
    ...node.options.map((option) => line(within(node), flags(option), option.description)),
    ...operandLines(node),
  ]);
  return `# fish completion for dbguard, generated from its command table.
# dbguard completions fish > ~/.config/fish/completions/dbguard.fish
complete -c dbguard -f
${lines.join('\n')}
`;
}

function line(condition: string, what: string, description: string): string {
  return `complete -c dbguard -n ${quote(condition)} ${what} -d ${quote(description)}`;
}

/** True where the words so far lead to this node and not to a child of it. */
function within(node: CompletionNode): string {
  const words = node.path.split(' ').filter((word) => word !== '');
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
  const children = node.children.map((child) => child.name).join(' ');
  return [...seen, ...(children ? [`not __fish_seen_subcommand_from ${children}`] : [])].join('; and ');
}

function flags(option: CompletionOption): string {
  const names = option.names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  switch (option.value.kind) {
    case 'none':
      return names.join(' ');
    case 'file':
      return `${names.join(' ')} -r -F`;
    case 'words':
      return `${names.join(' ')} -x -a ${quote(option.value.words.join(' '))}`;
    case 'live':
      return `${names.join(' ')} -x -a ${quote(asked(option.value.what))}`;
    case 'other':
      return `${names.join(' ')} -x`;
  }
}

function operandLines(node: CompletionNode): string[] {
  const condition = quote(within(node));
  if (node.passThrough) return [`complete -c dbguard -n ${condition} -x -a '(__fish_complete_subcommand)'`];
  if (node.operand.kind === 'file') return [`complete -c dbguard -n ${condition} -F`];
  if (node.operand.kind === 'live')
    return [`complete -c dbguard -n ${condition} -x -a ${quote(asked(node.operand.what))}`];
  if (node.operand.kind !== 'words') return [];
  return [`complete -c dbguard -n ${condition} -x -a ${quote(node.operand.words.join(' '))}`];
}

function asked(what: string): string {
  return `(dbguard completions --values ${what} 2>/dev/null)`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Completions for bash 4 and later, without the bash-completion package. */
import { allNodes, type CompletionNode } from './tree.js';

export function bashCompletions(root: CompletionNode): string {
  const nodes = allNodes(root);
  const steps = nodes.flatMap((node) =>
    node.children.map((child) => `      '${node.path}:${child.name}') path='${child.path}' ;;`),
  );
  const through = nodes.filter((node) => node.passThrough).map((node) => `'${node.path}'`);
  const values = nodes.flatMap((node) => node.options.flatMap((option) => valueCase(node, option)));
  const words = nodes.map((node) => `    '${node.path}') ${wordsOf(node)} ;;`);
  return `# bash completion for dbguard, generated from its command table.
# dbguard completions bash > /etc/bash_completion.d/dbguard
_dbguard() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local path='' options='' operands='' files='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
${passThroughCheck(through)}    case "$path:\${COMP_WORDS[index]}" in
${steps.join('\n')}
    esac
  done
  case "$path $previous" in
${values.join('\n')}
  esac
  case "$path" in
${words.join('\n')}
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    COMPREPLY=($(compgen -W "$operands" -- "$word"))
    if [[ $files ]]; then
      compopt -o filenames 2>/dev/null
      COMPREPLY+=($(compgen -f -- "$word"))
    fi
  fi
}
complete -F _dbguard dbguard
`;
}

/** Behind the first operand or \`--\` another program's words begin. */
function passThroughCheck(paths: readonly string[]): string {
  if (paths.length === 0) return '';
  return `    case "$path" in
      ${paths.join(' | ')})
        if [[ \${COMP_WORDS[index]} == -- ]]; then
          if ((index + 1 == COMP_CWORD)); then
            COMPREPLY=($(compgen -c -- "$word"))
          else
            compopt -o filenames 2>/dev/null
            COMPREPLY=($(compgen -f -- "$word"))
          fi
          return
        fi
        ;;
    esac
`;
}

function valueCase(node: CompletionNode, option: CompletionNode['options'][number]): string[] {
  const patterns = option.names.map((name) => `'${node.path} ${name}'`).join(' | ');
  switch (option.value.kind) {
    case 'none':
      return [];
    case 'file':
      return [`    ${patterns}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;`];
    case 'words':
      return [`    ${patterns}) COMPREPLY=($(compgen -W '${option.value.words.join(' ')}' -- "$word")); return ;;`];
    case 'live':
      return [`    ${patterns}) COMPREPLY=($(compgen -W "$(${asked(option.value.what)})" -- "$word")); return ;;`];
    case 'other':
      return [`    ${patterns}) return ;;`];
  }
}

function wordsOf(node: CompletionNode): string {
  const options = node.options.flatMap((option) => option.names).join(' ');
  const children = node.children.map((child) => child.name);
  const operands = node.operand.kind === 'words' ? node.operand.words : children;
  const parts = [`options='${options}'`];
  if (operands.length > 0) parts.push(`operands='${operands.join(' ')}'`);
  if (node.operand.kind === 'file') parts.push('files=1');
  if (node.operand.kind === 'live') parts.push(`operands=$(${asked(node.operand.what)})`);
  return parts.join('; ');
}

/** Nothing but plain words comes back: compgen expands what it is given. */
function asked(what: string): string {
  return `dbguard completions --values ${what} 2>/dev/null`;
}

/** Completions for zsh: one function per command, dispatched by _arguments ("zshcompsys"). */
import { allNodes, type CompletionNode, type CompletionOption, type ValueKind } from './tree.js';

export function zshCompletions(root: CompletionNode): string {
  return `#compdef dbguard
# zsh completion for dbguard, generated from its command table.
# dbguard completions zsh > "\${fpath[1]}/_dbguard"

${allNodes(root).map(functionOf).join('\n\n')}

if [[ $funcstack[1] == _dbguard ]]; then
  _dbguard "$@"
else
  compdef _dbguard dbguard
fi
`;
}

function functionName(node: CompletionNode): string {
  return ['_dbguard', ...node.path.split(' ').filter((word) => word !== '')].join('_').replaceAll('-', '_');
}

function functionOf(node: CompletionNode): string {
  return `${functionName(node)}() {\n${node.children.length > 0 ? groupBody(node) : leafBody(node)}\n}`;
}

function groupBody(node: CompletionNode): string {
  const described = node.children.map((child) => `    ${quote(`${child.name}:${child.summary}`)}`);
  const cases = node.children.map((child) => `        ${child.name}) ${functionName(child)} ;;`);
  return `  local curcontext=$curcontext state line
  local -a commands=(
${described.join('\n')}
  )
  _arguments -C \\
${node.options.map((option) => `    ${specOf(option)} \\`).join('\n')}
    '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
${cases.join('\n')}
      esac
      ;;
  esac`;
}

function leafBody(node: CompletionNode): string {
  const operand = node.passThrough ? "'*:: :_normal'" : operandOf(node.operand);
  const specs = [...node.options.map(specOf), ...(operand === undefined ? [] : [operand])];
  return `  _arguments \\\n${specs.map((spec) => `    ${spec}`).join(' \\\n')}`;
}

function operandOf(value: ValueKind): string | undefined {
  return value.kind === 'none' ? undefined : quote(`*:${actionOf(value)}`);
}

function specOf(option: CompletionOption): string {
  const description = `[${option.description.replace(/[[\]\\]/g, '\\$&')}]`;
  const value = option.value.kind === 'none' ? '' : `:${actionOf(option.value)}`;
  const [only, ...others] = option.names;
  if (others.length === 0) return quote(`${only}${description}${value}`);
  return `${quote(`(${option.names.join(' ')})`)}{${option.names.join(',')}}${quote(`${description}${value}`)}`;
}

/** `message:action` */
function actionOf(value: ValueKind): string {
  switch (value.kind) {
    case 'none':
      return ':';
    case 'file':
      return 'file:_files';
    case 'words':
      return `word:(${value.words.join(' ')})`;
    case 'live':
      return `${value.what}:{compadd -- $(dbguard completions --values ${value.what} 2>/dev/null)}`;
    case 'other':
      return `${value.name}: `;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Completions for PowerShell 5.1 and later, on every system: about_Functions_Argument_Completion, Register-ArgumentCompleter -Native. */
import { asciiSigns } from '../print/printable-output.js';
import { allNodes, type CompletionNode, type CompletionOption, type ValueKind } from './tree.js';

export function powershellCompletions(root: CompletionNode): string {
  return `# PowerShell completion for dbguard, generated from its command table.
# dbguard completions powershell >> $PROFILE
Register-ArgumentCompleter -Native -CommandName dbguard -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $tree = @{
${allNodes(root).map(nodeOf).join('\n')}
  }
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
      Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text })
  $path = ''
  foreach ($word in $words) {
    # behind it another program's words begin
    if ($word -ceq '--') { return }
    $next = "$path $word".TrimStart()
    if ($tree.ContainsKey($next)) { $path = $next }
  }
  $node = $tree[$path]
  $values = $node.Operand
  if ($words.Count -gt 0 -and $node.Values.ContainsKey($words[-1])) { $values = $node.Values[$words[-1]] }
  elseif ($wordToComplete.StartsWith('-')) { $values = $node.Options }
  # no list: file names, which PowerShell offers by itself
  if ($null -eq $values) { return }
  if ($values -is [string]) {
    $values = @(& dbguard completions --values $values 2>$null | ForEach-Object { , @($_, $_) })
  }
  $values | Where-Object { $_[0].StartsWith($wordToComplete, [StringComparison]::OrdinalIgnoreCase) } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
  }
}
`;
}

function nodeOf(node: CompletionNode): string {
  const children = node.children.map(({ name, summary }) => pair(name, summary));
  const values = node.options.flatMap((option) => option.names.flatMap((name) => valuesOf(name, option)));
  const operand = node.children.length > 0 ? list(children) : (wordsOf(node.operand) ?? '$null');
  return `    ${quote(node.path)} = @{
      Options = ${list(node.options.flatMap((option) => option.names.map((name) => pair(name, option.description))))}
      Values  = @{ ${values.join('; ')} }
      Operand = ${operand}
    }`;
}

function valuesOf(name: string, { value }: CompletionOption): string[] {
  if (value.kind === 'none') return [];
  return [`${quote(name)} = ${wordsOf(value) ?? '$null'}`];
}

/** A list of words, the name of a list that dbguard prints, or undefined for files and free text. */
function wordsOf(value: ValueKind): string | undefined {
  if (value.kind === 'words') return list(value.words.map((word) => pair(word, word)));
  return value.kind === 'live' ? quote(value.what) : undefined;
}

/** Each statement puts out one pair: the comma in front keeps it whole. */
function list(pairs: readonly string[]): string {
  return `@(${pairs.map((one) => `,${one}`).join('; ')})`;
}

function pair(word: string, description: string): string {
  return `@(${quote(word)}, ${quote(description || word)})`;
}

/** ASCII: PowerShell 5.1 reads a file without a mark in the code page of the system, and takes typographic quotes for quotes. */
function quote(text: string): string {
  const plain = asciiSigns(text);
  return `'${plain.replaceAll("'", "''")}'`;
}

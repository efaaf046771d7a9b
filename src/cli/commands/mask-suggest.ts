/** `dbguard mask suggest`: columns that look like somebody's data, as rules for dbguard.yaml. Values are read, never shown. */
import { join, resolve } from 'node:path';
import { isSeq, parseDocument } from 'yaml';
import { readColumns } from '../../io/catalog/column-samples.js';
import { ControlConnection } from '../../io/catalog/control-connection.js';
import {
  changeConfigFile,
  configFileName,
  findRepositoryFile,
  loadConfigsOrFail,
  shortPath,
} from '../../io/files/config-files.js';
import { connectUpstream } from '../../io/upstream/connect.js';
import { type Suggestion, suggestMasks } from '../../masking/suggest/suggest.js';
import { parseConfig } from '../../policy/config.js';
import { compilePolicy } from '../../policy/engine.js';
import { matchName } from '../../policy/name-pattern.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { chooseConnection, upstreamOf } from '../settings/connection.js';
import { ensureTrusted } from '../settings/trusted.js';
import { databaseUse } from '../settings/uses.js';
import type { OptionsOf } from '../table.js';

const longestReason = 300;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: OptionsOf<'mask suggest'>,
): Promise<number> {
  const { env, cwd, stdout, stderr } = context;
  const named = textOption(options, 'config');
  const sources = loadConfigsOrFail({ cwd, env, named });
  const { config } = compilePolicy(sources);
  const { name, connection } = chooseConnection({ config }, textOption(options, 'connection'));
  const upstream = upstreamOf(connection, name, env);
  await ensureTrusted(context, sources, [await databaseUse(name, connection, upstream)]);
  const control = new ControlConnection(() =>
    connectUpstream(upstream, new Map([['application_name', 'dbguard mask suggest']])),
  );
  try {
    const { columns, unread } = await readColumns((sql, values, timeoutMs) => control.ask(sql, values, timeoutMs), {
      sample: options.sample !== false,
      isDecided: (column) => config.mask.some((one) => matchName(one.column, column) === 'yes'),
    });
    const suggestions = suggestMasks(columns);
    const tables = unread.length === 1 ? unread[0] : `${unread.length} tables`;
    if (unread.length > 0) stderr.write(`No values of ${singleLine(tables ?? '', 200)} could be read: names decide.\n`);
    if (options.json === true) stdout.write(`${JSON.stringify(suggestions)}\n`);
    else if (options.write === true) write(context, named, suggestions);
    else if (suggestions.length > 0) stdout.write(`mask:\n${suggestions.map(lineOf).join('')}`);
    if (suggestions.length === 0) stderr.write('No column that is not masked looks like personal data.\n');
    return 0;
  } finally {
    await control.close();
  }
}

/** A rule as people write it, with its reasons behind it. */
function lineOf(suggestion: Suggestion): string {
  return `  - ${ruleText(suggestion)}  # ${becauseOf(suggestion)}\n`;
}

function ruleText({ column, rule }: Suggestion): string {
  return flow({ column: patternOf(column), ...rule });
}

/** YAML in one line. */
function flow(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, one]) => `${key}: ${flow(one)}`)
      .join(', ')} }`;
  }
  return typeof value === 'string' && !/^[\w.$]+$/.test(value) ? JSON.stringify(value) : String(value);
}

function becauseOf({ reasons }: Suggestion): string {
  return singleLine(reasons.join('; '), longestReason);
}

/** Dots and wildcards in a name stand for any character. */
function patternOf(column: string): string {
  return /^[\w$]+\.[\w$]+\.[\w$]+$/.test(column) ? column : column.replace(/[^\w$.]/g, '?');
}

function write({ cwd, stdout }: CommandContext, named: string | undefined, suggestions: readonly Suggestion[]): void {
  if (suggestions.length === 0) return;
  const path = named === undefined ? (findRepositoryFile(cwd) ?? join(cwd, configFileName)) : resolve(cwd, named);
  changeConfigFile(path, (before) => withRules(before, suggestions));
  const count = suggestions.length === 1 ? '1 rule' : `${suggestions.length} rules`;
  stdout.write(`Wrote ${count} to ${shortPath(path, cwd)}. Read them, then run dbguard mask check.\n`);
}

/** Comments and the order of the file stay. */
function withRules(before: string, suggestions: readonly Suggestion[]): string {
  const document = parseDocument(before);
  if (!isSeq(document.get('mask'))) document.set('mask', document.createNode([]));
  const list = document.get('mask');
  if (isSeq(list)) list.flow = false;
  for (const suggestion of suggestions) {
    const node = document.createNode({ column: patternOf(suggestion.column), ...suggestion.rule }, { flow: true });
    node.comment = ` ${becauseOf(suggestion)}`;
    document.addIn(['mask'], node);
  }
  const text = document.toString({ lineWidth: 0 });
  parseConfig(text, configFileName);
  return text;
}

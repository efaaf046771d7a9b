/** PostgreSQL's own functions that read what their text says: a statement, or a table by its name. */
import type { FuncCall } from 'libpg-query';
import { as, type Node, names, stringConstant } from '../grammar/tree.js';
import type { Flow } from './catalog.js';
import { union } from './flow.js';
import type { LineageWalk } from './walk.js';

/** What comes out of them has the values of those rows, in whatever form; undefined where it cannot be told which rows. */
export function textRows(name: string, { args = [] }: FuncCall, walk: LineageWalk): Flow | undefined {
  const texts = constantTexts(name, args, walk);
  if (texts === undefined || texts.some((one) => one === undefined)) return undefined;
  if (readsTable.has(name)) {
    const range = /^(?:([a-z_]\w*)\.)?([a-z_]\w*)$/.exec(texts[0] ?? '');
    if (range === null) return undefined;
    return walk.tableShape({ relname: range[2] ?? '', ...(range[1] === undefined ? {} : { schemaname: range[1] }) })
      .all;
  }
  return union(
    texts.map((text) => {
      const { walk: inner, rows } = walk.knowledge.textFlow(text ?? '', walk.knowledge.callPath);
      walk.adopt(inner);
      return rows;
    }),
  );
}

const readsTable: ReadonlySet<string> = new Set(['table_to_xml', 'table_to_xml_and_xmlschema']);

function constantTexts(
  name: string,
  args: readonly Node[],
  { knowledge }: LineageWalk,
): readonly (string | undefined)[] | undefined {
  const [first, second] = args.map((one) => stringConstant(uncast(one)));
  if (readsTable.has(name)) return [first];
  const { sqlArgument, ownRows } = knowledge.functions.behaviour(name) ?? {};
  if (sqlArgument !== 0) return undefined;
  // crosstab(sql, sql); the number in the place of the second is of old
  const isNumber = as(args[1], 'A_Const')?.ival !== undefined;
  return ownRows && args.length > 1 && !isNumber ? [first, second] : [first];
}

/** 'people'::regclass and 'SELECT 1'::text are what they say. */
function uncast(node: Node): Node {
  const cast = as(node, 'TypeCast');
  const type = names(cast?.typeName?.names).at(-1);
  return cast?.arg !== undefined && (type === 'text' || type === 'regclass') ? cast.arg : node;
}

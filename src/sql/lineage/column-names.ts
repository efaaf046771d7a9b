/** The name that PostgreSQL gives a column that has none of its own: FigureColname() in parse_target.c. */
import { as, type Node, names, type Tag, tagOf } from '../grammar/tree.js';

/** By kind of expression. */
const fixed: Partial<Readonly<Record<Tag, string>>> = {
  A_ArrayExpr: 'array',
  CoalesceExpr: 'coalesce',
  GroupingFunc: 'grouping',
  RowExpr: 'row',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
};

/** Undefined where the rule is not followed here. */
export function columnName(node: Node | undefined): string | undefined {
  return named(node)?.name;
}

/** `weak`: a cast around it gives its own name instead. */
function named(node: Node | undefined): { readonly name: string; readonly weak: boolean } | undefined {
  if (node === undefined) return undefined;
  const tag = tagOf(node);
  const own = fixed[tag];
  if (own !== undefined) return { name: own, weak: false };
  switch (tag) {
    case 'FuncCall':
      return strong(names(as(node, 'FuncCall')?.funcname).at(-1));
    case 'ColumnRef':
      return strong(names(as(node, 'ColumnRef')?.fields).at(-1));
    case 'A_Indirection': {
      const indirection = as(node, 'A_Indirection');
      const field = names(indirection?.indirection).at(-1);
      return field === undefined ? named(indirection?.arg) : strong(field);
    }
    case 'CollateClause':
      return named(as(node, 'CollateClause')?.arg);
    case 'A_Const':
    case 'ParamRef':
      return { name: '?column?', weak: true };
    case 'A_Expr':
      return as(node, 'A_Expr')?.kind === 'AEXPR_NULLIF' ? strong('nullif') : { name: '?column?', weak: true };
    case 'TypeCast': {
      const cast = as(node, 'TypeCast');
      const inner = named(cast?.arg);
      if (inner === undefined || !inner.weak) return inner;
      const type = names(cast?.typeName?.names).at(-1);
      return type === undefined ? undefined : { name: type, weak: true };
    }
    case 'CaseExpr': {
      const otherwise = as(node, 'CaseExpr')?.defresult;
      const inner = otherwise === undefined ? undefined : named(otherwise);
      if (otherwise !== undefined && inner === undefined) return undefined;
      return inner === undefined || inner.weak ? { name: 'case', weak: true } : inner;
    }
    case 'SubLink': {
      const kind = as(node, 'SubLink')?.subLinkType;
      if (kind === 'EXISTS_SUBLINK') return strong('exists');
      return kind === 'ARRAY_SUBLINK' ? strong('array') : undefined;
    }
    default:
      return undefined;
  }
}

function strong(name: string | undefined): { readonly name: string; readonly weak: boolean } | undefined {
  return name === undefined ? undefined : { name, weak: false };
}

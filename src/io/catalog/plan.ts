/** What EXPLAIN (VERBOSE, FORMAT JSON) says of the rows that a statement changes ("Using EXPLAIN" in the PostgreSQL manual). */

interface PlanNode {
  readonly 'Node Type'?: string;
  readonly Operation?: string;
  readonly 'Conflict Resolution'?: string;
  readonly 'Parent Relationship'?: string;
  readonly 'Relation Name'?: string;
  readonly Schema?: string;
  readonly 'Plan Rows'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** One part of a plan that changes rows. */
export interface Modification {
  /** `Insert` that does something about conflicts may update. */
  readonly operation: 'Update' | 'Delete' | 'Merge' | 'Insert';
  readonly relation: string;
  /** With its schema, as an SQL name. */
  readonly name: string;
  readonly rows: number;
}

export interface ReadPlan {
  readonly modifications: readonly Modification[];
  /** Every relation in it, with its schema, as SQL names. */
  readonly relations: readonly string[];
  /** Rows that the plan as a whole gives or changes. */
  readonly rows: number | undefined;
}

export function readPlan(json: string): ReadPlan {
  const [explained] = JSON.parse(json) as readonly { readonly Plan?: PlanNode }[];
  const modifications: Modification[] = [];
  const relations = new Set<string>();
  const visit = (node: PlanNode): void => {
    const name = nameOf(node);
    if (name !== undefined) relations.add(name);
    if (node['Node Type'] === 'ModifyTable' && name !== undefined) {
      const operation = (node.Operation ?? 'Update') as Modification['operation'];
      modifications.push({ operation, relation: node['Relation Name'] ?? '', name, rows: inputRows(node) });
    }
    for (const one of node.Plans ?? []) visit(one);
  };
  const root = explained?.Plan;
  if (root) visit(root);
  const rows = root?.['Node Type'] === 'ModifyTable' ? inputRows(root) : root?.['Plan Rows'];
  return { modifications, relations: [...relations], rows };
}

/** Plans of CTEs and of subqueries stand beside the one that feeds it. */
function inputRows({ Plans = [] }: PlanNode): number {
  const inputs = Plans.filter(
    (one) => one['Parent Relationship'] === 'Outer' || one['Parent Relationship'] === 'Member',
  );
  return inputs.reduce((sum, one) => sum + (one['Plan Rows'] ?? 0), 0);
}

function nameOf({ Schema: schema, 'Relation Name': name }: PlanNode): string | undefined {
  if (name === undefined) return undefined;
  const quoted = (one: string): string => `"${one.replaceAll('"', '""')}"`;
  return schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`;
}

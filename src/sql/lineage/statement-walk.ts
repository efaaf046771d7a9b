/** The walk that statements are followed by, put together out of its parts. */
import type { RangeVar, WithClause } from 'libpg-query';
import type { Node } from '../grammar/tree.js';
import { callShape } from './calls.js';
import type { CatalogRelation } from './catalog.js';
import { columnOf } from './expressions.js';
import { fromItem } from './from-items.js';
import { bindWith, queryShape, targetShape } from './queries.js';
import { boundRelation, tableShape } from './relations.js';
import type { FromItem, LineageScope } from './scope.js';
import type { Column, Shape } from './shape.js';
import { LineageWalk } from './walk.js';

export class StatementWalk extends LineageWalk {
  query(node: Node | undefined, outer: LineageScope | undefined = this.knowledge.scope): Shape {
    return queryShape(node, this, outer);
  }

  targetList(list: readonly Node[], scope: LineageScope): Shape {
    return targetShape(list, this, scope);
  }

  with(clause: WithClause | undefined, scope: LineageScope): void {
    bindWith(clause, this, scope);
  }

  fromItem(node: Node, scope: LineageScope): FromItem {
    return fromItem(node, this, scope);
  }

  value(node: Node | undefined, scope: LineageScope): Column {
    return columnOf(node, this, scope);
  }

  callShape(node: Node, scope: LineageScope): Shape {
    return callShape(node, this, scope);
  }

  relation(range: RangeVar): CatalogRelation | undefined {
    return boundRelation(range, this);
  }

  tableShape(range: RangeVar): Shape {
    return tableShape(range, this);
  }
}

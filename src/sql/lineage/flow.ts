/** Sets of base columns. */
import { type BaseColumn, type Flow, noFlow } from './catalog.js';

export function union(flows: Iterable<Flow>): Flow {
  let result: Flow = noFlow;
  for (const flow of flows) {
    if (flow.size === 0 || flow === result) continue;
    result = result.size === 0 ? flow : new Set([...result, ...flow]);
  }
  return result;
}

export function sameFlow(a: Flow, b: Flow): boolean {
  return a === b || (a.size === b.size && [...a].every((column) => b.has(column)));
}

export function without(flow: Flow, column: BaseColumn): Flow {
  return flow.has(column) ? new Set([...flow].filter((one) => one !== column)) : flow;
}

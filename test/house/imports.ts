/** Who imports whom in src/, read from the sources; imports of types count. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { repositoryRoot } from '../helpers/repository.js';

/** File (from src/, as `proxy/statement/gate`) to the files that it imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

export function readImports(): ImportGraph {
  const root = join(repositoryRoot, 'src');
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx?$/.test(path));
  return new Map(
    sources.map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const found = [...text.matchAll(/(?:from |import |import\()'(\.[^']+)'/g)];
      return [bare(path), found.map((match) => bare(normalize(join(dirname(path), match[1] as string))))];
    }),
  );
}

/** A folder of the graph as one node: what `of` says that a file belongs to. */
export function contract(graph: ImportGraph, of: (file: string) => string | undefined): ImportGraph {
  const rooms = new Map<string, Set<string>>();
  for (const [file, imported] of graph) {
    const from = of(file);
    if (from === undefined) continue;
    const targets = rooms.get(from) ?? new Set();
    rooms.set(from, targets);
    for (const other of imported) {
      const to = of(other);
      if (to !== undefined && to !== from) targets.add(to);
    }
  }
  return new Map([...rooms].map(([room, targets]) => [room, [...targets]]));
}

/** The circles: groups of nodes that reach each other (Tarjan's strongly connected components of two and more). */
export function circles(graph: ImportGraph): readonly (readonly string[])[] {
  const found: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const visit = (node: string): number => {
    const own = index.size;
    index.set(node, own);
    low.set(node, own);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) low.set(node, Math.min(low.get(node) ?? own, visit(next)));
      else if (stack.includes(next)) low.set(node, Math.min(low.get(node) ?? own, index.get(next) ?? own));
    }
    if (low.get(node) === own) {
      const members = stack.splice(stack.indexOf(node));
      if (members.length > 1 || graph.get(node)?.includes(node)) found.push(members.sort());
    }
    return low.get(node) ?? own;
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
}

const bare = (path: string): string => path.replace(/\.(d\.ts|tsx?|js)$/, '');

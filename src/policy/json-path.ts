/**
 * Paths into JSON, the part of jsonpath that names fields: `$.a.b`, `$.items[*].price`, `$..ssn`. As PostgreSQL's own in
 * its lax mode they lead through arrays, whether `[*]` says so or not.
 */

/** The field of a name, every field (`*`), or any number of fields (`..`). */
export type JsonStep = { readonly name: string } | 'any' | 'deep';

export interface JsonPath {
  readonly text: string;
  readonly steps: readonly JsonStep[];
}

const maxSteps = 32;

/** Undefined when it is not such a path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (!text.startsWith('$') || text.length > 500) return undefined;
  const step = /(\.\.?)(?:([^\s.[\]"'*]+)|(\*))|\[\*\]|\[(?:"([^"\\]+)"|'([^'\\]+)')\]/y;
  const steps: JsonStep[] = [];
  step.lastIndex = 1;
  while (step.lastIndex < text.length) {
    const match = step.exec(text);
    if (match === null) return undefined;
    const [, dots, plain, , double, single] = match;
    if (match[0] === '[*]') continue;
    if (dots === '..') steps.push('deep');
    const name = plain ?? double ?? single;
    steps.push(name === undefined ? 'any' : { name });
  }
  return steps.length > 0 && steps.length <= maxSteps ? { text, steps } : undefined;
}

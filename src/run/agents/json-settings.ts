/** Settings as JSON, one over the other. */

export type JsonObject = { readonly [name: string]: unknown };

/** Undefined for what is no JSON, or no object. Comments and commas at the end are taken as agents take them (JSONC). */
export function jsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(withoutComments(text));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Objects become one, lists follow each other, of all else `over` counts. */
export function merged(under: JsonObject, over: JsonObject): JsonObject {
  const result: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const below = result[name];
    if (isObject(below) && isObject(value)) result[name] = merged(below, value);
    else if (Array.isArray(below) && Array.isArray(value)) result[name] = [...below, ...value];
    else result[name] = value;
  }
  return result;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Strings first: what looks like a comment in one is none. */
const outsideStrings = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*[\]}])/g;

function withoutComments(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(outsideStrings, (found) => (found.startsWith('"') ? found : ''));
}

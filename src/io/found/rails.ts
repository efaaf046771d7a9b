/** Rails: config/database.yml. Of ERB only lookups of variables are understood, as text; anything else leaves its value out. */
import { parse } from 'yaml';
import type { Project, Raw } from './found.js';

const path = 'config/database.yml';
const environments = ['development', 'staging', 'production'] as const;

export function rails(project: Project): Raw[] {
  const text = project.read(path);
  if (text === undefined) return [];
  let file: unknown;
  try {
    file = parse(withoutErb(project, text), { merge: true, maxAliasCount: 100, logLevel: 'silent' });
  } catch {
    return [];
  }
  return environments.flatMap((environment) => {
    const entry = field(file, environment);
    // several databases: the one called primary counts
    const one = field(entry, 'primary') ?? entry;
    const url = said(one, 'url');
    const adapter = said(one, 'adapter');
    if (adapter === undefined && url === undefined) return [];
    if (adapter !== undefined && !/^post/.test(adapter)) return [];
    const parts = {
      host: said(one, 'host') ?? '',
      port: said(one, 'port') ?? '',
      dbname: said(one, 'database') ?? '',
      user: said(one, 'username') ?? '',
      password: said(one, 'password') ?? '',
    };
    const where = { says: `${environment} in ${path}`, source: path, file: path, parts };
    return url !== undefined ? [{ ...where, text: url }] : parts.dbname === '' ? [] : [where];
  });
}

/** `<%= ENV["X"] %>`, `ENV.fetch("X") { "default" }`, `ENV.fetch("X", "default")`, `ENV["X"] || "default"`. */
function withoutErb(project: Project, text: string): string {
  return text.replace(/<%=?\s*([\s\S]*?)\s*-?%>/g, (_whole, code: string) => {
    const lookup =
      /^ENV(?:\.fetch\(\s*|\[\s*)["'](\w+)["']\s*(?:,\s*["']?([^"')]*)["']?\s*)?[)\]]\s*(?:(?:\{\s*|\|\|\s*)["']?([^"'}]*?)["']?\s*\}?)?$/.exec(
        code,
      );
    if (!lookup) return '';
    const [, name = '', given, otherwise] = lookup;
    return JSON.stringify(project.variable(name)?.value ?? given ?? otherwise ?? '');
  });
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function said(value: unknown, name: string): string | undefined {
  const found = field(value, name);
  return typeof found === 'number' || (typeof found === 'string' && found !== '') ? String(found) : undefined;
}

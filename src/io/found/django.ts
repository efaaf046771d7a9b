/**
 * Django: DATABASES of the settings, read as text and never executed. Plain literals and lookups of variables are
 * understood; a setting that is computed in any other way is left out.
 */
import type { Project, Raw } from './found.js';

const names = [
  'settings.py',
  'settings/local.py',
  'settings/development.py',
  'settings/dev.py',
  'settings/base.py',
  'settings/__init__.py',
];

export function django(project: Project): Raw[] {
  const folders = [
    '',
    ...project
      .list('')
      .filter((name) => !name.startsWith('.') && !name.includes('node_modules'))
      .slice(0, 100)
      .map((name) => `${name}/`),
  ];
  const named = /DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']/.exec(project.read('manage.py') ?? '')?.[1];
  const first = named === undefined ? [] : [`${named.replaceAll('.', '/')}.py`];
  const paths = new Set([...first, ...folders.flatMap((folder) => names.map((name) => folder + name))]);
  return [...paths].flatMap((path) => {
    const text = project.read(path)?.replace(/(^|\n)\s*#[^\n]*/g, '$1');
    return text?.includes('DATABASES') ? fromSettings(project, path, text) : [];
  });
}

function fromSettings(project: Project, path: string, text: string): Raw[] {
  const begin = /\bDATABASES\s*(?::[^=]*)?=\s*\{/.exec(text);
  if (!begin) return [];
  const block = text.slice(begin.index, begin.index + 4000);
  const where = { says: `DATABASES in ${path}`, source: path, file: path };
  const whole =
    /["']default["']\s*:\s*(?:dj_database_url\.(?:config|parse)|env\.(?:db|dj_db_url|db_url))\s*\(([^)]*)\)/.exec(
      block,
    );
  if (whole) {
    const given = /default\s*=\s*["']([^"']+)["']/.exec(whole[1] ?? '')?.[1];
    const literal = /^\s*["']([^"']*:\/\/[^"']*)["']/.exec(whole[1] ?? '')?.[1];
    const variable = /["']([A-Z]\w*)["']/.exec(whole[1] ?? '')?.[1] ?? 'DATABASE_URL';
    const found = project.variable(variable);
    if (found) return [{ ...where, text: found.value, says: `${where.says} (${variable})`, file: found.file ?? path }];
    const own = literal ?? given;
    return own === undefined ? [] : [{ ...where, text: own }];
  }
  const inner = /["']default["']\s*:\s*\{([\s\S]*?)\}/.exec(block)?.[1];
  if (inner === undefined || !/["']ENGINE["']\s*:[^\n]*(?:postgres|postgis)/.test(inner)) return [];
  const get = (key: string): string =>
    valueIn(project, new RegExp(`["']${key}["']\\s*:\\s*([^\\n]*)`).exec(inner)?.[1]) ?? '';
  const parts = {
    host: get('HOST'),
    port: get('PORT'),
    dbname: get('NAME'),
    user: get('USER'),
    password: get('PASSWORD'),
  };
  return parts.dbname === '' ? [] : [{ ...where, parts }];
}

/** `"shop"`, `5432`, `os.environ["X"]`, `os.environ.get("X", "d")`, `os.getenv(...)`, `env("X", default="d")`, `config(...)`. */
function valueIn(project: Project, code: string | undefined): string | undefined {
  const text = code?.trim() ?? '';
  const literal = /^(?:"([^"\\]*)"|'([^'\\]*)'|(\d+))\s*(?:,|$|#)/.exec(text);
  if (literal) return literal[1] ?? literal[2] ?? literal[3];
  const lookup =
    /^(?:os\.environ(?:\.get)?|os\.getenv|getenv|environ(?:\.get)?|env(?:\.str|\.int)?|config)\s*[([]\s*["'](\w+)["']\s*(?:,\s*(?:default\s*=\s*)?(?:["']([^"']*)["']|(\d+)))?/.exec(
      text,
    );
  if (!lookup) return undefined;
  return project.variable(lookup[1] ?? '')?.value ?? lookup[2] ?? lookup[3];
}

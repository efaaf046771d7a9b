/** Why a text is no SQL of PostgreSQL yet: variables of psql, templates, other databases. Guesses for people, who decide nothing by them. */

import { endOfToken, tokenAt } from './sql-tokens.js';

/** In order: what only one database has stands in front of what several have. */
const signs: readonly (readonly [sign: RegExp, words: string])[] = [
  [/\{\{|\{%|\$\{|<%|%>|#\{|%\(\w+\)s/, 'It looks like a template: test the SQL that it renders.'],
  [
    /\bon\s+cluster\b|mergetree\b|\bmaterialize\s+(?:index|projection|column)\b|\b(?:lowcardinality|nullable|(?:simple)?aggregatefunction|datetime64)\s*\(|\bsettings\s+\w+\s*=|\bmaterialized\s+view\s+(?:if\s+not\s+exists\s+)?[\w.]+\s+to\b/i,
    'It looks like SQL for ClickHouse.',
  ],
  [
    /\bindex\s+(?:if\s+exists\s+)?[\w.]+@\w|\binverted\s+index\b|\bstoring\s*\(|\balter\s+primary\s+key\b|\bconstraint\s+if\s+not\s+exists\b|\bunique\s+index\s*\(/i,
    'It looks like SQL for CockroachDB.',
  ],
  [/`/, 'Backticks are names in MySQL; PostgreSQL writes them in double quotes.'],
  [
    /^[ \t]*delimiter\b|\bauto_increment\b|\bengine\s*=|\bmodify\s+\w|\bchange\s+(?:column\s+)?\w+\s+\w|\bdrop\s+(?:foreign|primary)\s+key\b|\bdrop\s+index\s+\w+\s+on\b|\b(?:set|from)\s+@\w|\bunsigned\b|\block\s*=\s*(?:none|shared)\b/im,
    'It looks like SQL for MySQL.',
  ],
  [/\brename\s+table\b|\bafter\s+\w+\s*(?:[;,]|$)/i, 'It looks like SQL for MySQL or ClickHouse.'],
  [/^[ \t]*go[ \t\r]*$/im, 'GO between batches is T-SQL, for SQL Server.'],
  [/(?:^|[\s,.(=])\[[A-Za-z_][\w ]*\]|\b(?:nvarchar|identity\s*\(\d)/i, 'Names in brackets are T-SQL, for SQL Server.'],
  [/\bautoincrement\b/i, 'It looks like SQL for SQLite.'],
  [/^[ \t]*\/[ \t\r]*$|\b(?:varchar2|number\s*\(\d)|\bmodify\s*\(/im, 'It looks like SQL for Oracle.'],
  [/[,(]\s*index\s+\(|\bprimary\s+key\s*\([^)]*\b(?:asc|desc)\b/i, 'It looks like SQL for CockroachDB.'],
];

/** A placeholder within a name in double quotes, which `bare` has no letter of. */
const templateInName = /"[^"\n]*(?:\{\{|\{%|\$\{|<%|#\{|%\(\w+\)s)/;

/** Narrower than outside of literals: `{{1,2},{3,4}}` is an array, and `%(name)s` a format. */
const templateInString = /\{\{-?\s*[A-Za-z_][^{},]*\}\}|\{%-?\s*\w|\$\{[^{}\n]+\}|<%[=-]?\s*\w|#\{\w/;
export const templateNote =
  'A string here holds what looks like a template, whose text may end the string: test the SQL that it renders.';

/** Position of the first literal in quotes that holds a placeholder; bodies in dollar quotes are code. */
export function templateInLiteral(text: string): number | undefined {
  if (!templateInString.test(text)) return undefined;
  for (let at = 0; at < text.length; ) {
    const kind = tokenAt(text, at);
    const end = Math.max(at + 1, endOfToken(text, at, kind));
    if (kind === 'quoted' && text[at] !== '$' && templateInString.test(text.slice(at, end))) return at;
    at = end;
  }
  return undefined;
}

const variable = /(?<!:)(?::([\w\u0080-\uffff]+)|:'([^'\n]+)'|:"([^"\n]+)"|:\{\?([^}\n]+)\})/g;

/** `text` as it stands, `bare` without literals and comments and as long. Nothing where no sign is seen. */
export function foreignTo(text: string, bare: string): string | undefined {
  const [name] = psqlVariables(text, bare);
  const sign = (templateInName.test(text) ? signs[0] : signs.find(([seen]) => seen.test(bare)))?.[1];
  return sign ?? (name === undefined ? undefined : variableWords(name));
}

export function variableWords(name: string): string {
  return `The variable ${name} of psql stands here, whose value decides: test the SQL with values in it.`;
}

/** Names of psql's variables outside of literals and comments; some may be parts of an array's slice. */
export function psqlVariables(text: string, bare: string): string[] {
  return [...text.matchAll(variable)].flatMap((match) =>
    bare[match.index] === ':' ? [match.slice(1).find((name) => name !== undefined) ?? ''] : [],
  );
}

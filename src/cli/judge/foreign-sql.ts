/** Why a text is no SQL of PostgreSQL yet: variables of psql, templates, other databases. Guesses for people, who decide nothing by them. */

const signs: readonly (readonly [sign: RegExp, words: string])[] = [
  [/\{\{|\{%|\$\{|<%|%>|#\{|%\(\w+\)s/, 'It looks like a template: test the SQL that it renders.'],
  [/`/, 'Backticks are names in MySQL; PostgreSQL writes them in double quotes.'],
  [/^[ \t]*delimiter\b|\bauto_increment\b|\bengine\s*=/im, 'It looks like SQL for MySQL.'],
  [/^[ \t]*go[ \t\r]*$/im, 'GO between batches is T-SQL, for SQL Server.'],
  [/(?:^|[\s,.(=])\[[A-Za-z_][\w ]*\]|\b(?:nvarchar|identity\s*\(\d)/i, 'Names in brackets are T-SQL, for SQL Server.'],
  [/\bautoincrement\b/i, 'It looks like SQL for SQLite.'],
  [/^[ \t]*\/[ \t\r]*$|\b(?:varchar2|number\s*\(\d)/im, 'It looks like SQL for Oracle.'],
];

const variable = /(?<!:)(?::([\w\u0080-\uffff]+)|:'([^'\n]+)'|:"([^"\n]+)"|:\{\?([^}\n]+)\})/g;

/** `text` as it stands, `bare` without literals and comments and as long. Nothing where no sign is seen. */
export function foreignTo(text: string, bare: string): string | undefined {
  const [name] = psqlVariables(text, bare);
  const sign = signs.find(([seen]) => seen.test(bare))?.[1];
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

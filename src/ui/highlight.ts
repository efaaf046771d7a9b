/**
 * SQL in colours. Only a help for the eye: decisions are made from the real grammar. Lexical rules from "Lexical
 * Structure" in the PostgreSQL manual, so that nothing can pass as a comment or a string that is none.
 */

export type TokenKind = 'plain' | 'keyword' | 'danger' | 'string' | 'number' | 'comment' | 'hidden';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const danger = new Set(
  'DELETE DROP TRUNCATE UPDATE ALTER GRANT REVOKE CASCADE MERGE COPY PROGRAM EXECUTE DO CALL REASSIGN'.split(' '),
);
const keyword = new Set(
  (
    'SELECT FROM WHERE INSERT INTO VALUES SET AND OR NOT NULL IS IN EXISTS AS ON JOIN LEFT RIGHT FULL INNER OUTER CROSS ' +
    'LATERAL USING GROUP BY ORDER HAVING LIMIT OFFSET FETCH DISTINCT UNION ALL INTERSECT EXCEPT WITH RECURSIVE CASE ' +
    'WHEN THEN ELSE END RETURNING CONFLICT NOTHING BEGIN COMMIT ROLLBACK SAVEPOINT RELEASE CREATE TABLE VIEW INDEX ' +
    'MATERIALIZED FUNCTION PROCEDURE TRIGGER SCHEMA DATABASE ROLE USER SEQUENCE TYPE EXTENSION IF REPLACE COLUMN ADD ' +
    'RENAME TO PRIMARY KEY FOREIGN REFERENCES UNIQUE CHECK DEFAULT CONSTRAINT TRUE FALSE LIKE ILIKE BETWEEN ANY ' +
    'EXPLAIN ANALYZE VACUUM RESET SHOW PREPARE DEALLOCATE DECLARE CURSOR LOCK FOR ONLY TEMP TEMPORARY STDIN STDOUT ' +
    'LANGUAGE RETURNS SECURITY DEFINER OWNER RESTRICT ASC DESC CURRENT ROW ROWS PARTITION OVER WINDOW'
  ).split(' '),
);

const rules: readonly (readonly [TokenKind | 'word', RegExp])[] = [
  ['comment', /--[^\n]*/y],
  ['string', /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$.*?(?:\$\1\$|$)/sy],
  // E'...' has backslash escapes; only there does \' not end it
  ['string', /[eE]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|$)/sy],
  ['string', /'[^']*(?:''[^']*)*(?:'|$)/y],
  ['plain', /"[^"]*(?:""[^"]*)*(?:"|$)/y],
  ['number', /\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['word', /[A-Za-z_\u0080-\u27e7\u27ea-\uffff][\w$\u0080-\u27e7\u27ea-\uffff]*/y],
  ['plain', /\s+/y],
];

export function highlight(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    const token = sql.startsWith('/*', at) ? blockComment(sql, at) : tokenAt(sql, at);
    at += token.text.length;
    tokens.push(...markHidden(token));
  }
  return tokens;
}

/** What the sanitiser made visible stands out wherever it is. */
function markHidden(token: Token): Token[] {
  if (!token.text.includes('⟨')) return [token];
  return token.text
    .split(/(⟨U\+[0-9A-F]{4,6}⟩)/)
    .flatMap((text, index) => (text === '' ? [] : [{ kind: index % 2 === 1 ? 'hidden' : token.kind, text }]));
}

function tokenAt(sql: string, at: number): Token {
  for (const [kind, rule] of rules) {
    rule.lastIndex = at;
    const text = rule.exec(sql)?.[0];
    if (text === undefined || text === '') continue;
    if (kind !== 'word') return { kind, text };
    const upper = text.toUpperCase();
    return { kind: danger.has(upper) ? 'danger' : keyword.has(upper) ? 'keyword' : 'plain', text };
  }
  return { kind: 'plain', text: sql[at] ?? '' };
}

/** Comments nest in PostgreSQL. */
function blockComment(sql: string, start: number): Token {
  let depth = 0;
  let at = start;
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) {
      depth++;
      at += 2;
    } else if (sql.startsWith('*/', at)) {
      depth--;
      at += 2;
      if (depth === 0) break;
    } else at++;
  }
  return { kind: 'comment', text: sql.slice(start, at) };
}

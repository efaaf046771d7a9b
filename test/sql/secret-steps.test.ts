/** A long text is looked through in many small steps, whatever in it looks like a secret. */
import t from 'tap';
import type { Secrets } from '../../src/sql/secrets/finder.js';
import { secretsIn, secretsInSteps } from '../../src/sql/secrets/secrets.js';

const rows = 4_000;

function insert(columns: string, row: (n: number) => string): string {
  return `INSERT INTO t (${columns}) VALUES ${Array.from({ length: rows }, (_, n) => `(${n}, ${row(n)})`).join(', ')}`;
}

const texts = {
  'addresses in every row': insert('id, page', (n) => `'https://host.example/${n}'`),
  'connection strings': insert('id, dsn', (n) => `'postgres://u:pw${n}@host/d'`),
  'a word for a secret in every row': insert('id, note', (n) => `'token of ${n}'`),
  'a column of secrets': insert('id, password', (n) => `'p${n}'`),
  'settings by name': insert('value, name', (n) => `'api_key_${n}'`),
  'a union of queries': `INSERT INTO t (password) ${Array.from({ length: rows }, (_, n) => `SELECT 'p${n}'`).join(' UNION ALL ')}`,
  'many statements': Array.from({ length: rows }, (_, n) => `ALTER ROLE r${n} PASSWORD 'p${n}'`).join('; '),
  comments: `${Array.from({ length: rows }, (_, n) => `-- token ${n}\n`).join('')}SELECT 1`,
};

function taken(text: string): { steps: number; found: Secrets } {
  const all = secretsInSteps(text, true);
  for (let steps = 0; ; steps++) {
    const step = all.next();
    if (step.done) return { steps, found: step.value };
  }
}

for (const [what, text] of Object.entries(texts)) {
  t.test(what, async (t) => {
    const { steps, found } = taken(text);
    t.ok(steps > rows / 100, `in ${steps} steps`);
    t.strictSame(found, secretsIn(text), 'which find what one pass finds');
  });
}

/** Facts per second: of a text never seen, of one that was seen with other numbers, and of the very same text. */
import { createAnalyser } from '../../src/sql/analyser.js';
import { loadGrammar } from '../../src/sql/grammar/grammar.js';

const rounds = 5_000;

/** `word` makes the text new, `n` only its numbers. */
const statements: Record<string, (word: string, n: number) => string> = {
  'short SELECT': (word, n) => `SELECT id, name AS ${word} FROM users WHERE id = ${n}`,
  'UPDATE by key': (word, n) => `UPDATE users SET ${word} = 'x' WHERE id = ${n}`,
  'join with aggregate': (word, n) =>
    `SELECT u.id, u.name, count(o.id) FROM users u LEFT JOIN orders o ON o.user_id = u.id
     WHERE u.created_at > now() - interval '7 days' AND u.status = '${word}' AND u.id > ${n}
     GROUP BY u.id, u.name ORDER BY 3 DESC LIMIT 10`,
  'INSERT of 100 rows': (word, n) =>
    `INSERT INTO t (a, b) VALUES ${Array.from({ length: 100 }, (_, row) => `(${n}, '${word} ${row}')`).join(', ')}`,
};

export async function benchFacts(): Promise<void> {
  const started = performance.now();
  const analyser = await createAnalyser();
  console.log(`\nfacts of a statement (the analyser starts in ${(performance.now() - started).toFixed(0)} ms)`);
  const grammar = await loadGrammar();
  const columns = ['grammar alone', 'new text', 'new numbers', 'same text'];
  console.log([''.padEnd(22), ...columns.map((column) => column.padStart(26))].join(''));
  for (const [name, make] of Object.entries(statements)) {
    const count = name.startsWith('INSERT') ? rounds / 20 : rounds;
    const figures = [
      microseconds(count, (n) => grammar.parse(make(`w${n}`, 1))),
      microseconds(count, (n) => analyser.analyse(make(`x${n}`, 1))),
      microseconds(count, (n) => analyser.analyse(make('x', n))),
      microseconds(count, () => analyser.analyse(make('x', 1))),
    ];
    console.log([name.padEnd(22), ...figures.map((figure) => shown(figure).padStart(26))].join(''));
  }
}

function shown(us: number): string {
  return `${us.toFixed(1)} us ${Math.round(1e6 / us).toLocaleString('en')}/s`;
}

function microseconds(count: number, run: (n: number) => void): number {
  for (let n = 0; n < count / 5; n++) run(count + n);
  const begin = performance.now();
  for (let n = 0; n < count; n++) run(n);
  return ((performance.now() - begin) * 1000) / count;
}

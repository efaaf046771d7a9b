/** Facts per second, cold and cached: `npm run build && node dist/test/bench/facts.js`. Reports, judges nothing. */
import { createAnalyser } from '../../src/sql/analyser.js';
import { loadGrammar } from '../../src/sql/grammar.js';

const rounds = 5_000;

const statements: Record<string, (n: number) => string> = {
  'short SELECT': (n) => `SELECT id, name FROM users WHERE id = ${n}`,
  'UPDATE by key': (n) => `UPDATE users SET name = 'x' WHERE id = ${n}`,
  'join with aggregate': (n) =>
    `SELECT u.id, u.name, count(o.id) FROM users u LEFT JOIN orders o ON o.user_id = u.id
     WHERE u.created_at > now() - interval '7 days' AND u.status = 'x${n}' GROUP BY u.id, u.name ORDER BY 3 DESC LIMIT 10`,
  'INSERT of 100 rows': (n) =>
    `INSERT INTO t (a, b) VALUES ${Array.from({ length: 100 }, (_, i) => `(${n}, 'row ${i}')`).join(', ')}`,
};

const started = performance.now();
const analyser = await createAnalyser({ cacheEntries: 1 });
console.log(`start ${(performance.now() - started).toFixed(0)} ms`);
const grammar = await loadGrammar();
const cached = await createAnalyser();

for (const [name, make] of Object.entries(statements)) {
  const count = name.startsWith('INSERT') ? rounds / 20 : rounds;
  const parse = microseconds(count, (n) => grammar.parse(make(n)));
  const cold = microseconds(count, (n) => analyser.analyse(make(n)));
  const text = make(1);
  const warm = microseconds(count * 100, () => cached.analyse(text));
  const perSecond = Math.round(1e6 / cold).toLocaleString('en');
  console.log(
    `${name.padEnd(20)} parse ${parse.toFixed(1)} us, facts ${cold.toFixed(1)} us (${perSecond}/s), cached ${(warm * 1000).toFixed(0)} ns`,
  );
}

function microseconds(count: number, run: (n: number) => void): number {
  for (let n = 0; n < count / 5; n++) run(-n);
  const begin = performance.now();
  for (let n = 0; n < count; n++) run(n);
  return ((performance.now() - begin) * 1000) / count;
}

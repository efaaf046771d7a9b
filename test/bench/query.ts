/**
 * What a lead waits for with questions over a year: the first reading of a bucket, which verifies all of it, and questions after
 * that, by the real command. Statements have the texts and facts that clients and the parser give them.
 */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FactsRecords } from '../../src/proxy/statement/facts-record.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { clientId, issuerUrl, testIssuer } from '../transcript/people.js';
import { objectsOf, type RecordOptions, record } from '../transcript/recorded.js';
import { count, type Measured, runTranscripts } from './transcripts-command.js';
import type { Scale } from './verify.js';

const DAY_MS = 86_400_000;
const firstDay = Date.UTC(2026, 0, 1, 9);
const days = 250;
/** The first of them reads the bucket. */
const questions = [
  ['SELECT count(*) FROM statements'],
  ['SELECT count(*) FROM statements'],
  ['SELECT person, count(*) FROM statements GROUP BY person'],
  ["SELECT count(*) FROM statements WHERE list_contains(writes, 'orders')"],
  ["SELECT count(*) FROM statements WHERE sql ILIKE '%id = 77%'"],
  ['--ask', 'who-touched', 'orders'],
  ['--ask', 'top-writers'],
  ['--ask', 'denied'],
  ['--ask', 'agents'],
];

export async function benchQuestions({ sessions, statements }: Scale): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dbguard-bench-'));
  try {
    await fill(folder, sessions, statements);
    const total = sessions * statements;
    console.log(`\n${count(total)} statements in ${count(sessions)} sessions on ${Math.min(days, sessions)} days`);
    for (const [place, question] of questions.entries()) {
      const measured = await runTranscripts(folder, ['query', '--offline', '--keys', 'keys.json', ...question]);
      if (place < 2 && !measured.out.includes(String(total))) throw new Error(measured.out);
      const first = place === 0 ? `, ${count(total / measured.cpu)} statements for each CPU second` : '';
      console.log(`${question.join(' ').padEnd(75)}${figures(measured)}${first}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function figures({ wall, cpu, peak }: Measured): string {
  const columns = [`${wall.toFixed(2)} s`, `CPU ${cpu.toFixed(2)} s`, `${peak.toFixed(0)} MiB`];
  return columns.map((column) => column.padStart(14)).join('');
}

async function fill(folder: string, sessions: number, statements: number): Promise<void> {
  const issuer = await testIssuer();
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(issuer.keys));
  writeFileSync(
    join(folder, 'dbguard.yaml'),
    `version: 1\nbucket: file:./bucket\nidentity: { issuer: "${issuerUrl}", client_id: ${clientId} }\n`,
  );
  for (let n = 0; n < sessions; n++) {
    const at = firstDay + (n % days) * DAY_MS + n;
    const login = await issuer.login(`dev-${n % 20}`, { at: at - 1000 });
    const session = record(login, { at, statements, statement: statementsOfASession() });
    for (const { key, bytes } of objectsOf(session, at)) {
      const path = join(folder, 'bucket', key);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
      // a folder's clock is its files': what reached it months late would be doubted
      utimesSync(path, at / 1000, at / 1000);
    }
  }
}

const analyser = await createAnalyser();
const texts: readonly ((i: number) => string)[] = [
  (i) => `SELECT id, state, total FROM orders JOIN customers USING (customer) WHERE orders.id = ${i}`,
  (i) => `UPDATE orders SET state = 'sent', changed_at = now() WHERE id = ${i}`,
  (i) => `INSERT INTO order_lines (order_id, product, amount) VALUES (${i}, ${i % 700}, 2) RETURNING id`,
  (i) => `SELECT product, sum(amount) FROM order_lines WHERE order_id BETWEEN ${i} AND ${i + 50} GROUP BY product`,
];

/** Facts in full once a session, and after that by the number of the entry that has them, as sessions are written. */
function statementsOfASession(): NonNullable<RecordOptions['statement']> {
  const records = new FactsRecords();
  const stated = new Map<object, number>();
  return (i, n) => {
    const sql = texts[i % texts.length]?.(i) ?? '';
    const { json } = records.of(analyser.analyse(sql));
    const known = stated.get(json);
    if (known === undefined) stated.set(json, n);
    return { sql, facts: known ?? json };
  };
}

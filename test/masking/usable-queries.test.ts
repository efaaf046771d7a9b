/** What users expect to see of tables with masked columns is there, and the canaries are not. */
import t from 'tap';
import type { Result } from './database.js';
import { startMaskedDatabase } from './database.js';
import { usableQueries, usableSchema, usableYaml } from './usable-queries.js';

const database = await startMaskedDatabase(usableYaml, usableSchema);
t.teardown(() => database.stop());

const canary = /CANARY[-\w@]*/g;
const shown = ({ rows, copy, denied, errors }: Result): string =>
  [denied, ...errors, copy, ...rows.map((row) => row.map((cell) => cell?.toString('latin1') ?? 'NULL').join('|'))].join(
    '\n',
  );

const broken: string[] = [];
for (const { what, sql } of usableQueries) {
  t.test(`${what}: ${sql.replaceAll(/\s+/g, ' ').slice(0, 100)}`, async (t) => {
    const client = await database.connect();
    t.teardown(() => client.close());
    await client.query('BEGIN');
    const raw = await client.query(sql, { raw: true });
    await client.query('ROLLBACK; BEGIN');
    const masked = await client.query(sql);
    await client.query('ROLLBACK');
    t.same(raw.errors, [], 'the query itself is right');
    t.notMatch(masked.bytes.toString('latin1'), canary, 'no canary');
    if (sql.includes('FORMAT binary')) {
      if (masked.denied !== undefined) broken.push(sql);
      t.equal(masked.denied, undefined);
      t.match(masked.copy, /Ada.*\*\*\*/s);
      return;
    }
    const expected = shown(raw).replaceAll(canary, '***');
    if (shown(masked) !== expected) broken.push(sql);
    t.equal(shown(masked), expected);
  });
}
t.teardown(() => console.log(`# usable: ${usableQueries.length - broken.length} of ${usableQueries.length}`));

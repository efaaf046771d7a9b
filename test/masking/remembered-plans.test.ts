/** Plans are remembered by text, short or long, and never beyond what they were made by. */
import t from 'tap';
import { SessionMasks } from '../../src/masking/session-masks.js';
import { startMaskedDatabase } from './database.js';

const database = await startMaskedDatabase(undefined, 'CREATE VIEW shown AS SELECT id, name AS v FROM customers;');
t.teardown(() => database.stop());
const session = new SessionMasks(database.masker);
const path = ['public'];
const plan = (sql: string, where: readonly string[] = path) => session.planFor(sql, where);
const maskedIn = (sql: string): number => {
  const found = plan(sql);
  return found.kind === 'mask' ? found.masked.length : 0;
};

for (const [what, padding] of Object.entries({ short: '', long: `/* ${'x'.repeat(100_000)} */` })) {
  t.test(`a ${what} text`, async (t) => {
    await database.postgres.query('CREATE OR REPLACE VIEW shown AS SELECT id, name AS v FROM customers');
    await database.reread();
    const sql = `SELECT v FROM shown ${padding}`;
    const other = `SELECT ssn FROM customers ${padding}`;
    t.equal(plan(sql), plan(sql), 'made once');
    t.equal(maskedIn(sql), 0);
    t.equal(maskedIn(other), 1, 'another text is another plan');
    t.equal(maskedIn(sql), 0);
    t.not(plan(sql), plan(sql, ['elsewhere', 'public']), 'so is another path');

    await database.postgres.query('CREATE OR REPLACE VIEW shown AS SELECT id, ssn AS v FROM customers');
    await database.reread();
    t.equal(maskedIn(sql), 1, 'the view is another one');
  });
}

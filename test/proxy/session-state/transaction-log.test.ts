import t from 'tap';
import { TransactionLog } from '../../../src/proxy/session-state/transaction-log.js';
import { createAnalyser } from '../../../src/sql/analyser.js';

const analyser = await createAnalyser();

function after(...texts: string[]): TransactionLog {
  const log = new TransactionLog();
  for (const text of texts) {
    const [sql = '', ...tags] = text.split(' -- ');
    log.answered({ candidate: { facts: analyser.analyse(sql) }, how: 'done', tags: tags });
  }
  return log;
}

function changes(...texts: string[]): string[] | undefined {
  return after(...texts).soFar?.changes.map(({ what, rows }) => `${what} ${rows ?? ''}`.trim());
}

t.test('what ROLLBACK TO takes back is not listed', async (t) => {
  const one = 'UPDATE a SET x = 1 -- UPDATE 3';
  const two = 'DELETE FROM b WHERE id = 1 -- DELETE 1';
  t.strictSame(changes(one, 'SAVEPOINT s', two, 'ROLLBACK TO s'), ['UPDATE a 3']);
  t.strictSame(changes('SAVEPOINT s', one, 'SAVEPOINT t', two, 'ROLLBACK TO SAVEPOINT s'), undefined);
  t.strictSame(changes('SAVEPOINT s', one, 'SAVEPOINT s', two, 'ROLLBACK TO s', two), ['UPDATE a 3', 'DELETE b 1']);
  t.strictSame(changes('SAVEPOINT s', one, 'SAVEPOINT t', 'RELEASE s', two), ['UPDATE a 3', 'DELETE b 1']);
  t.strictSame(changes(one, 'SAVEPOINT s', one, 'ROLLBACK TO s', one), ['UPDATE a 6']);
  t.strictSame(changes(one, 'SAVEPOINT "S"; SAVEPOINT s', two, 'ROLLBACK TO "S"'), ['UPDATE a 3']);
});

t.test('one that is not known leaves a doubt', async (t) => {
  t.equal(after('UPDATE a SET x = 1 -- UPDATE 3', 'ROLLBACK TO gone').soFar?.partlyUndone, true);
  const many = Array.from({ length: 200 }, (_, index) => `SAVEPOINT s${index}`);
  t.equal(after('UPDATE a SET x = 1 -- UPDATE 3', ...many, 'ROLLBACK TO s0').soFar?.partlyUndone, true);
  t.equal(after('UPDATE a SET x = 1 -- UPDATE 3', ...many, 'ROLLBACK TO s199').soFar?.partlyUndone, false);
});

t.test('the end of the transaction is the end of its savepoints', async (t) => {
  const log = after('SAVEPOINT s', 'UPDATE a SET x = 1 -- UPDATE 3');
  log.transactionOver();
  log.answered({ candidate: { facts: analyser.analyse('ROLLBACK TO s') }, how: 'done', tags: [] });
  t.equal(log.soFar, undefined);
});

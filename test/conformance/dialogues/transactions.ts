import { type Dialogue, ready } from '../../helpers/dialogue.js';
import { query, run, sync } from '../../helpers/wire-messages.js';

const table = 'CREATE TABLE t (a int PRIMARY KEY)';

/** ReadyForQuery tells the truth in every state. */
export const transactions: readonly Dialogue[] = [
  {
    name: 'idle, in a block, failed, idle',
    setup: table,
    steps: [
      query('BEGIN'),
      ready(),
      query('INSERT INTO t VALUES (1)'),
      ready(),
      query('SELECT 1/0'),
      ready(),
      query('SELECT 1'),
      ready(),
      query('COMMIT'),
      ready(),
      query('TABLE t'),
      ready(),
    ],
  },
  {
    name: 'savepoints heal a failed block',
    setup: table,
    steps: [
      query('BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s'),
      ready(),
      query('INSERT INTO t VALUES (1)'),
      ready(),
      query('ROLLBACK TO s'),
      ready(),
      query('INSERT INTO t VALUES (2); RELEASE s; COMMIT'),
      ready(),
      query('TABLE t'),
      ready(),
    ],
  },
  {
    name: 'BEGIN twice, COMMIT without BEGIN, AND CHAIN',
    steps: [
      query('BEGIN; BEGIN'),
      ready(),
      query('COMMIT AND CHAIN'),
      ready(),
      query('ROLLBACK'),
      ready(),
      query('COMMIT; ROLLBACK'),
      ready(),
    ],
  },
  {
    name: 'a read-only transaction stays read-only',
    setup: table,
    steps: [
      query('BEGIN READ ONLY'),
      ready(),
      query('INSERT INTO t VALUES (1)'),
      ready(),
      query('ROLLBACK; SET default_transaction_read_only = on; INSERT INTO t VALUES (1)'),
      ready(),
      query('INSERT INTO t VALUES (2)'),
      ready(),
    ],
  },
  {
    name: 'the extended protocol in a failed block',
    steps: [
      run('BEGIN'),
      sync(),
      ready(),
      run('SELECT 1/0'),
      sync(),
      ready(),
      run('SELECT 1'),
      sync(),
      ready(),
      run('ROLLBACK'),
      sync(),
      ready(),
    ],
  },
  {
    name: 'what may not run in a block',
    steps: [
      query('BEGIN; VACUUM'),
      ready(),
      query('ROLLBACK'),
      ready(),
      run('VACUUM'),
      run('SELECT 1'),
      sync(),
      ready(),
    ],
  },
  {
    name: 'a two-phase commit where it is switched off',
    steps: [query("BEGIN; PREPARE TRANSACTION 'x'"), ready(), query('ROLLBACK'), ready()],
  },
  {
    name: 'a transaction in a procedure',
    setup: `${table}; CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (1); END $$`,
    steps: [query('CALL p()'), ready(), query('TABLE t'), ready()],
  },
];

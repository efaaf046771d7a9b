import { type Dialogue, ready, until } from '../../helpers/dialogue.js';
import { bind, flush, message, parse, query, run, sync } from '../../helpers/wire-messages.js';

const setup = 'CREATE TABLE t (a int)';
const insert = 'INSERT INTO t VALUES (1)';
const left = [query('TABLE t'), ready()];

/** Reserved since PostgreSQL 16: a server of version 15 takes it, a newer grammar does not. */
const once = 'SELECT 1 FROM t system_user';

/** Texts that a grammar rejects, and what becomes of the transaction around them. */
export const typos: readonly Dialogue[] = [
  { name: 'a typo', setup, steps: [query('SELEC 1'), ready(), ...left] },
  { name: 'a typo behind work without Sync', setup, steps: [run(insert), query('SELEC 1'), ready(), ...left] },
  {
    name: 'a typo behind answered work without Sync',
    setup,
    steps: [run(insert), flush(), until('C'), query('SELEC 1'), ready(), sync(), ready(), ...left],
  },
  {
    name: 'a typo behind a Bind without Sync',
    setup,
    steps: [parse(insert), bind(), query('SELEC 1'), ready(), ...left],
  },
  {
    name: 'a typo in a transaction',
    setup,
    steps: [query('BEGIN'), query(insert), query('SELEC 1'), query('SELECT 2'), query('COMMIT'), ready(5), ...left],
  },
  {
    name: 'a typo behind work, several commands',
    setup,
    steps: [run(insert), query(`SELEC 1; ${insert}`), ready(), ...left],
  },
  { name: 'taken by one version', setup, steps: [query(once), ready(), ...left] },
  {
    name: 'taken by one version, behind work without Sync',
    setup,
    steps: [run(insert), query(once), ready(), ...left],
  },
  {
    name: 'taken by one version, and it fails behind work without Sync',
    setup,
    steps: [run(insert), query('SELECT 1 / (a - 1) FROM t system_user'), ready(), ...left],
  },
  {
    name: 'several commands, taken by one version, behind work without Sync',
    setup,
    steps: [run(insert), query(`${once}; ${insert}`), ready(), ...left],
  },
  {
    name: 'several commands, taken by one version, in a transaction',
    setup,
    steps: [query('BEGIN'), query(insert), query(`${once}; ${insert}`), query('COMMIT'), ready(4), ...left],
  },
  {
    name: 'a typo in another encoding',
    setup,
    startup: { client_encoding: 'LATIN1' },
    steps: [message('Q', Buffer.from('SELEC \xe9\xff 1\0', 'latin1')), ready(), ...left],
  },
];

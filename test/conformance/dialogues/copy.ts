import { closed, type Dialogue, hangUp, observe, ready, speak, until } from '../dialogue.js';
import { bind, copyData, copyDone, copyFail, execute, flush, message, parse, query, run, sync } from '../messages.js';

const table = 'CREATE TABLE t (a int, b text)';

/** The binary format's signature, flags and header extension ("Binary Format" of COPY in the PostgreSQL manual). */
const binaryHeader = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const binaryRow = Buffer.from(`0002000000040000000700000002${Buffer.from('hi').toString('hex')}`, 'hex');
const binaryEnd = Buffer.from('ffff', 'hex');

/** COPY in all directions, with every way to end it. */
export const copy: readonly Dialogue[] = [
  {
    name: 'COPY IN as text, in pieces that ignore lines',
    setup: table,
    steps: [
      query('COPY t FROM STDIN'),
      until('G'),
      copyData('1\to'),
      copyData('ne\n2\t\\N\n3'),
      copyData('\tthree\n'),
      copyData(''),
      copyDone(),
      ready(),
      query('TABLE t'),
      ready(),
    ],
  },
  {
    name: 'COPY IN as CSV and as binary',
    setup: table,
    steps: [
      query('COPY t FROM STDIN (FORMAT csv, HEADER)'),
      until('G'),
      copyData('a,b\n1,"x, ""y"""\n'),
      copyDone(),
      ready(),
      query('COPY t FROM STDIN (FORMAT binary)'),
      until('G'),
      copyData(Buffer.concat([binaryHeader, binaryRow, binaryEnd])),
      copyDone(),
      ready(),
      query('TABLE t'),
      ready(),
    ],
  },
  {
    name: 'data sent before the server asks for it',
    setup: table,
    steps: [query('COPY t FROM STDIN'), copyData('1\tx\n'), copyDone(), query('TABLE t'), ready(2)],
  },
  {
    name: 'CopyFail',
    setup: table,
    steps: [
      query('COPY t FROM STDIN'),
      until('G'),
      copyData('1\tx\n'),
      copyFail('no more'),
      ready(),
      query('TABLE t'),
      ready(),
    ],
  },
  {
    name: 'a bad line, while more data is on its way',
    setup: table,
    steps: [
      query('COPY t FROM STDIN'),
      until('G'),
      copyData('1\tx\nnonsense\n'),
      copyData('2\ty\n'),
      copyDone(),
      ready(),
      copyData('late\n'),
      copyDone(),
      query('TABLE t'),
      ready(),
    ],
  },
  {
    name: 'a statement in the middle of COPY IN',
    setup: table,
    steps: [query('COPY t FROM STDIN'), until('G'), copyData('1\tx\n'), query('SELECT 1'), closed()],
  },
  {
    name: 'Sync and Flush in the middle of COPY IN are ignored',
    setup: table,
    steps: [
      query('COPY t FROM STDIN'),
      until('G'),
      copyData('1\tx\n'),
      flush(),
      sync(),
      copyData('2\ty\n'),
      copyDone(),
      ready(),
      query('TABLE t'),
      ready(),
    ],
  },
  {
    name: 'COPY IN by the extended protocol',
    setup: table,
    steps: [
      run('COPY t FROM STDIN'),
      sync(),
      until('G'),
      copyData('1\tx\n'),
      copyDone(),
      sync(),
      ready(),
      parse('COPY t FROM STDIN'),
      bind(),
      execute(),
      flush(),
      until('G'),
      copyData('bad line\n'),
      copyDone(),
      sync(),
      ready(),
      query('TABLE t'),
      ready(),
    ],
  },
  {
    name: 'two COPY IN in one string, and statements around them',
    setup: `${table}; CREATE TABLE u (LIKE t)`,
    steps: [
      query("SELECT 'before'; COPY t FROM STDIN; SELECT 'between'; COPY u FROM STDIN; SELECT 'after'"),
      until('G'),
      copyData('1\tx\n'),
      copyDone(),
      until('G'),
      copyData('2\ty\n'),
      copyDone(),
      ready(),
      query('SELECT * FROM t, u'),
      ready(),
    ],
  },
  {
    name: 'COPY OUT in all formats',
    setup: `${table}; INSERT INTO t VALUES (1, 'one'), (2, NULL), (3, E'tab\\tline\\n')`,
    steps: [
      query('COPY t TO STDOUT'),
      query('COPY t TO STDOUT (FORMAT csv, HEADER)'),
      query('COPY (SELECT a, b FROM t WHERE a < 3) TO STDOUT (FORMAT binary)'),
      ready(3),
      run('COPY t TO STDOUT'),
      sync(),
      ready(),
    ],
  },
  {
    name: 'COPY OUT of 20 MB',
    steps: [query("COPY (SELECT i, repeat('z', 200) FROM generate_series(1, 100000) i) TO STDOUT"), ready()],
  },
  {
    name: 'an error in the middle of COPY OUT',
    steps: [
      query('COPY (SELECT 10 / (5 - i) FROM generate_series(1, 9) i) TO STDOUT'),
      ready(),
      query('SELECT 1'),
      ready(),
    ],
  },
  {
    name: 'COPY of a table that is not there, and of a file that is not there',
    steps: [query('COPY nothing FROM STDIN'), ready(), query("COPY pg_class TO '/nowhere/at/all'"), ready()],
  },
  {
    name: 'a client gone in the middle of COPY IN leaves nothing',
    setup: table,
    steps: [
      speak('other'),
      query('COPY t FROM STDIN'),
      until('G'),
      copyData('1\tx\n'),
      hangUp(),
      observe("SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'COPY t FROM%'"),
      speak('first'),
      query('TABLE t'),
      ready(),
    ],
  },
  {
    name: 'CopyData, CopyDone and CopyFail outside of COPY are ignored',
    steps: [copyData('x'), copyDone(), copyFail('y'), query('SELECT 1'), ready()],
  },
  {
    name: 'a message that does not belong into COPY IN',
    setup: table,
    steps: [query('COPY t FROM STDIN'), until('G'), message('B', Buffer.from('\0\0\0\0\0\0\0\0')), closed()],
  },
];

import { closed, type Dialogue, ready, until } from '../../helpers/dialogue.js';
import {
  bind,
  copyData,
  copyDone,
  describePortal,
  execute,
  message,
  parse,
  query,
  run,
  sync,
} from '../../helpers/wire-messages.js';

const mebibyte = 1 << 20;
const around = (size: number) => [-5, -1, 0, 1].map((more) => size + more);

/** A Query message of exactly so many bytes. */
function queryOf(size: number): Buffer {
  const frame = query("SELECT length('')").length;
  return query(`SELECT length('${'x'.repeat(size - frame)}')`);
}

function bindOf(size: number, value: string): Buffer {
  const frame = bind(['']).length;
  return bind([value.repeat(size - frame)]);
}

/** Messages about as long as the buffers on their way, and far longer. */
export const sizes: readonly Dialogue[] = [
  {
    name: 'statements around 64 KiB and 1 MiB, one at a time',
    steps: [...around(1 << 16), ...around(mebibyte)].flatMap((size) => [queryOf(size), ready()]),
  },
  {
    name: 'statements around 64 KiB and 1 MiB, in one write',
    steps: [...[...around(1 << 16), ...around(mebibyte)].map(queryOf), ready(8)],
  },
  {
    name: 'parameters around 1 MiB, in one pipeline',
    steps: [
      parse('SELECT length($1), md5($1)', { name: 's' }),
      ...around(mebibyte).flatMap((size) => [
        Buffer.concat([bindNamed('s', 'y'.repeat(size)), describePortal(), execute()]),
      ]),
      sync(),
      ready(),
    ],
  },
  {
    name: 'Bind messages of exactly so many bytes',
    steps: [
      parse('SELECT length($1)'),
      ...[...around(mebibyte), 4 << 20].flatMap((size) => [bindOf(size, 'z'), execute()]),
      sync(),
      ready(),
    ],
  },
  {
    name: 'parameters of 4 MB and more come back as they went',
    steps: [4 << 20, 9_999_999].flatMap((size) => [run('SELECT $1::text', ['p'.repeat(size)]), sync(), ready()]),
  },
  {
    name: 'answers of 1 MB, asked for in 12 MB of one pipeline',
    steps: [...Array.from({ length: 12 }, () => run('SELECT $1::text', ['q'.repeat(1_000_000)])), sync(), ready()],
  },
  {
    name: 'a statement of 4 MB by the extended protocol, named, run twice',
    steps: [
      parse(`SELECT length('${'r'.repeat(4_000_000)}') + $1::int`, { name: 's' }),
      ...[bindNamed('s', '1'), execute(), bindNamed('s', '2'), execute(), sync(), ready()],
    ],
  },
  {
    name: 'a comment of 3 MB, then something small',
    steps: [query(`/* ${'c'.repeat(3_000_000)} */ SELECT 1`), query('SELECT 2'), ready(2)],
  },
  {
    name: 'ten thousand values',
    steps: [
      run(
        `SELECT count(*) FROM (VALUES ${Array.from({ length: 10_000 }, (_, n) => `($${n + 1})`).join(',')}) v`,
        Array.from({ length: 10_000 }, (_, n) => String(n)),
      ),
      sync(),
      ready(),
    ],
  },
  {
    name: 'COPY IN with messages of 1 byte and of 3 MB',
    setup: 'CREATE TABLE t (a text)',
    steps: [
      query('COPY t FROM STDIN'),
      until('G'),
      ...[...'one byte each\n'].map((byte) => copyData(byte)),
      copyData(`${'l'.repeat(3_000_000)}\n`),
      copyDone(),
      ready(),
      query('SELECT length(a) FROM t'),
      ready(),
    ],
  },
  {
    name: 'an announced length of nearly 2 GB is not waited for',
    ownAnswer: 'closes',
    steps: [Buffer.concat([Buffer.from('S\x7f\xff\xff\xff', 'latin1'), Buffer.alloc(100)]), message('S'), closed()],
  },
];

function bindNamed(statement: string, value: string): Buffer {
  return bind([value], { statement });
}

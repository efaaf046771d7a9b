import { type Dialogue, ready } from '../../helpers/dialogue.js';
import {
  bind,
  describePortal,
  execute,
  functionCall,
  message,
  parse,
  query,
  run,
  sync,
} from '../../helpers/wire-messages.js';

/** A Query in bytes of another encoding. */
const raw = (...pieces: readonly (string | Buffer)[]): Buffer =>
  message('Q', Buffer.concat([...pieces.map((piece) => Buffer.from(piece)), Buffer.from([0])]));
const hex = (bytes: string): Buffer => Buffer.from(bytes, 'hex');

/** Katakana SO: its second byte in Shift JIS is a backslash. */
const so = hex('835c');

/** Bytes that mean something else than they seem to, and large objects. */
export const encodings: readonly Dialogue[] = [
  {
    name: 'LATIN1',
    steps: [
      query('SET client_encoding = LATIN1'),
      ready(),
      raw("SELECT '", hex('e4f6fc'), "', length('", hex('e4f6fc'), "')"),
      ready(),
      run('SELECT $1::text', [hex('dfe9')]),
      sync(),
      ready(),
      query("SELECT U&'\\20ac'"),
      ready(),
    ],
  },
  {
    name: 'Shift JIS, with a backslash as half of a character',
    steps: [
      query('SET client_encoding = SJIS'),
      ready(),
      raw("SELECT '", so, "' AS one, 'two'"),
      ready(),
      query('SET standard_conforming_strings = off; SET escape_string_warning = off'),
      ready(),
      raw("SELECT '", so, "', 'x\\'y'"),
      ready(),
      run('SELECT $1::text', [so]),
      sync(),
      ready(),
    ],
  },
  {
    name: 'EUC, GBK, Big5 and UHC',
    steps: ['EUC_JP', 'EUC_KR', 'EUC_CN', 'GBK', 'BIG5', 'UHC', 'GB18030', 'WIN1251', 'KOI8R'].flatMap((encoding) => [
      query(`SET client_encoding = '${encoding}'`),
      ready(),
      raw("SELECT '", hex('b0a1b0a2'), '\' AS "', hex('b0a1'), '"'),
      ready(),
      query("SELECT U&'\\4e00', 1"),
      ready(),
    ]),
  },
  {
    name: 'bytes that are nothing in the encoding',
    steps: [
      raw("SELECT '", hex('ff'), "'"),
      ready(),
      raw("SELECT '", hex('c080'), "'"),
      ready(),
      raw("SELECT '", hex('eda080'), "'"),
      ready(),
      query('SET client_encoding = SJIS'),
      ready(),
      raw("SELECT '", hex('83'), "'"),
      ready(),
      query('SET client_encoding = SQL_ASCII'),
      ready(),
      raw("SELECT '", hex('e4'), "'"),
      ready(),
      raw("SELECT '", hex('c3a4'), "'"),
      ready(),
    ],
  },
  {
    name: 'the encoding changes in the middle of a pipeline',
    steps: [
      run("SET client_encoding = 'LATIN1'"),
      run('SELECT $1::text', [hex('e4')]),
      run("SET client_encoding = 'UTF8'"),
      run('SELECT $1::text', [hex('c3a4')]),
      run('SELECT $1::text', [hex('e4')]),
      sync(),
      ready(),
    ],
  },
  {
    name: 'standard_conforming_strings off',
    steps: [
      query('SET standard_conforming_strings = off'),
      ready(),
      query("SELECT 'a\\'b', 'c\\\\', 'd\\ne'"),
      ready(),
      query("SELECT '\\'; SELECT 1; --'"),
      ready(),
      run("SELECT 'x\\''"),
      sync(),
      ready(),
      query("SET standard_conforming_strings = on; SELECT 'a\\b'"),
      ready(),
      query("SELECT 'a\\'; SELECT 'b'"),
      ready(),
    ],
  },
  {
    name: 'NUL and emptiness',
    steps: [
      run('SELECT $1::text', [hex('6100')]),
      sync(),
      ready(),
      run("SELECT $1::text, $2::text, $3::bytea, 'x' || $2", ['', null, '\\x00']),
      sync(),
      ready(),
      Buffer.concat([
        parse('SELECT $1::bytea'),
        bind([hex('0001ff')], { formats: [1], resultFormats: [1] }),
        describePortal(),
        execute(),
        sync(),
      ]),
      ready(),
    ],
  },
  {
    name: 'large objects, by SQL and by function calls',
    steps: [
      query("BEGIN; SELECT lo_create(424242); SELECT lo_put(424242, 3, '\\x616263'); SELECT lo_get(424242)"),
      ready(),
      ...[functionCall(952, ['424242', String(0x60000)]), ready()],
      ...[functionCall(955, ['0', '\\x3031323334']), ready(), functionCall(956, ['0', '1', '0']), ready()],
      ...[functionCall(954, ['0', '3']), ready(), functionCall(958, ['0']), ready(), functionCall(953, ['0']), ready()],
      query('SELECT lo_get(424242); SELECT lo_unlink(424242); COMMIT'),
      ready(),
      ...[functionCall(952, ['424242', '0']), ready()],
    ],
  },
];

/** Names of PostgreSQL's types by their OIDs (pg_type.dat), and cells as a model reads them: no digit is lost. */

const names: Readonly<Record<number, string>> = {
  16: 'bool',
  17: 'bytea',
  18: '"char"',
  19: 'name',
  20: 'int8',
  21: 'int2',
  23: 'int4',
  24: 'regproc',
  25: 'text',
  26: 'oid',
  28: 'xid',
  114: 'json',
  142: 'xml',
  194: 'pg_node_tree',
  600: 'point',
  650: 'cidr',
  700: 'float4',
  701: 'float8',
  790: 'money',
  829: 'macaddr',
  869: 'inet',
  1042: 'bpchar',
  1043: 'varchar',
  1082: 'date',
  1083: 'time',
  1114: 'timestamp',
  1184: 'timestamptz',
  1186: 'interval',
  1266: 'timetz',
  1560: 'bit',
  1562: 'varbit',
  1700: 'numeric',
  2205: 'regclass',
  2206: 'regtype',
  2249: 'record',
  2278: 'void',
  2950: 'uuid',
  3220: 'pg_lsn',
  3614: 'tsvector',
  3615: 'tsquery',
  3802: 'jsonb',
  3904: 'int4range',
  3906: 'numrange',
  3908: 'tsrange',
  3910: 'tstzrange',
  3912: 'daterange',
  3926: 'int8range',
  199: 'json[]',
  1000: 'bool[]',
  1001: 'bytea[]',
  1003: 'name[]',
  1005: 'int2[]',
  1007: 'int4[]',
  1009: 'text[]',
  1015: 'varchar[]',
  1016: 'int8[]',
  1021: 'float4[]',
  1022: 'float8[]',
  1028: 'oid[]',
  1034: 'aclitem[]',
  1115: 'timestamp[]',
  1182: 'date[]',
  1185: 'timestamptz[]',
  1231: 'numeric[]',
  2951: 'uuid[]',
  3807: 'jsonb[]',
};

const numbers: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'oid', 'float4', 'float8']);

export function typeName(oid: number): string {
  return names[oid] ?? `type ${oid}`;
}

/** A JSON value for the text of a cell; a text where JSON's numbers would say something else. */
export function cellValue(text: string | null, oid: number): string | number | boolean | null {
  if (text === null) return null;
  const type = names[oid];
  if (type === 'bool' && (text === 't' || text === 'f')) return text === 't';
  if (type === undefined || !numbers.has(type)) return text;
  const number = Number(text);
  const exact = Number.isInteger(number) ? Number.isSafeInteger(number) && !Object.is(number, -0) : true;
  return text !== '' && Number.isFinite(number) && exact ? number : text;
}

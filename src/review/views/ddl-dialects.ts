/** What the external tables look like in each engine: its types, its JSON functions, how it names a file. Text alone. */
import type { ColumnType } from './column.js';
import type { EngineName } from './ddl-engines.js';

/** Where the objects lie. `root`: as the engine names it, without a slash at its end. */
export interface ObjectsPlace {
  readonly kind: 's3' | 'file';
  readonly root: string;
}

/** `json`: whatever stands there, as its text. */
export type DdlType = ColumnType | 'json';

type Path = readonly string[];

export interface Dialect {
  /** Statements that make `dbguard_lines`: payload, d1, d2 (its disclosures), k, folder, sid. */
  tables(place: ObjectsPlace, fields: readonly { readonly name: string; readonly type: ColumnType }[]): string[];
  createView(name: string): string;
  quote(name: string): string;
  field(type: DdlType, path: Path, of: string): string;
  time(path: Path, unit: 'ms' | 'us', of: string): string;
  disclosed(type: DdlType, name: string, of: string): string;
}

const FOLDER = 'v1/([0-9a-f]{32})/[0-9a-z]{26}/';
const SID = 'v1/[0-9a-f]{32}/([0-9a-z]{26})/';
/** A redaction is in the reviewer's session, and a signature line no entry. */
const OWN = `path NOT LIKE '%/redactions/%'`;
const byDouble = (name: string): string => `"${name}"`;
const byTick = (name: string): string => `\`${name}\``;
const view = (name: string): string => `CREATE OR REPLACE VIEW ${name} AS`;
const dollar = (path: Path): string => `'$.${path.join('.')}'`;

/** Of a line's disclosures the one of that name. */
function either(name: string, of: string, nameIn: (d: string) => string, valueIn: (d: string) => string): string {
  const one = (d: string): string => `WHEN ${nameIn(`${of}.${d}`)} = '${name}' THEN ${valueIn(`${of}.${d}`)}`;
  return `CASE ${one('d1')} ${one('d2')} END`;
}

/** Presto's functions. */
const presto: Omit<Dialect, 'tables'> = {
  createView: view,
  quote: byDouble,
  field: (type, path, of) => {
    if (type === 'texts') return `CAST(json_extract(${of}.payload, ${dollar(path)}) AS array(varchar))`;
    if (type === 'json') return `json_format(json_extract(${of}.payload, ${dollar(path)}))`;
    const scalar = `json_extract_scalar(${of}.payload, ${dollar(path)})`;
    const types = { text: undefined, whole: 'bigint', number: 'double', flag: 'boolean', time: 'bigint' } as const;
    const to = types[type];
    return to === undefined ? scalar : `CAST(${scalar} AS ${to})`;
  },
  time: (path, unit, of) =>
    `from_unixtime(CAST(json_extract_scalar(${of}.payload, ${dollar(path)}) AS double) / ${unit === 'ms' ? '1e3' : '1e6'})`,
  disclosed: (type, name, of) =>
    either(
      name,
      of,
      (d) => `json_extract_scalar(${d}, '$[1]')`,
      (d) =>
        type === 'texts' ? `CAST(json_extract(${d}, '$[2]') AS array(varchar))` : `json_extract_scalar(${d}, '$[2]')`,
    ),
};

const prestoLines = (table: string): string =>
  `${view('dbguard_lines')}
SELECT payload, d1, d2, json_extract_scalar(payload, '$.k') AS k, regexp_extract(path, '${FOLDER}', 1) AS folder, regexp_extract(path, '${SID}', 1) AS sid
FROM (SELECT payload, d1, d2, "$path" AS path FROM ${table})
WHERE ${OWN} AND payload NOT LIKE '{"size":%'`;

const hiveTypes: Readonly<Record<ColumnType, string>> = {
  ...{ text: 'string', texts: 'array<string>', whole: 'bigint', number: 'double', flag: 'boolean', time: 'bigint' },
};

const athena: Dialect = {
  ...presto,
  tables: ({ root }, fields) => [
    `-- fields of entries, typed: Hive's JSON SerDe, which takes a line's first object and no second spelling of it
CREATE EXTERNAL TABLE dbguard_entries (
${fields.map(({ name, type }) => `  ${byTick(name.toLowerCase())} ${hiveTypes[type]}`).join(',\n')}
)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
LOCATION '${root}/v1/'`,
    `-- whole lines: an entry, then what it discloses, with a TAB before each
CREATE EXTERNAL TABLE dbguard_text (payload string, d1 string, d2 string)
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'
LOCATION '${root}/v1/'`,
    prestoLines('dbguard_text'),
  ],
};

const trino: Dialect = {
  ...presto,
  tables: ({ root }) => [
    `-- in a catalog of the Hive connector
CREATE TABLE dbguard_text (payload varchar, d1 varchar, d2 varchar)
WITH (format = 'TEXTFILE', textfile_field_separator = U&'\\0009', external_location = '${root}/v1/')`,
    prestoLines('dbguard_text'),
  ],
};

const clickhouseTypes: Readonly<Record<string, string>> = {
  text: 'Nullable(String)',
  texts: 'Array(Nullable(String))',
  whole: 'Nullable(Int64)',
  number: 'Nullable(Float64)',
  flag: 'Nullable(Bool)',
};

const clickhouse: Dialect = {
  createView: view,
  quote: byTick,
  tables: ({ kind, root }) => {
    const objects =
      kind === 's3'
        ? `s3('${root}/v1/*/*/*.jsonl.gz', 'LineAsString')`
        : `file('${root}/v1/*/*/*.jsonl.gz', 'LineAsString')`;
    return [
      `${view('dbguard_lines')}
SELECT splitByChar('\\t', line) AS parts, parts[1] AS payload, parts[2] AS d1, parts[3] AS d2, JSONExtractString(payload, 'k') AS k,
  extract(_path, '${FOLDER}') AS folder, extract(_path, '${SID}') AS sid
FROM ${objects}
WHERE NOT startsWith(line, '{"size":')`,
    ];
  },
  field: (type, path, of) => {
    const keys = path.map((key) => `'${key}'`).join(', ');
    if (type === 'json') return `JSONExtractRaw(${of}.payload, ${keys})`;
    return `JSONExtract(${of}.payload, ${keys}, '${clickhouseTypes[type]}')`;
  },
  time: (path, unit, of) => {
    const value = `JSONExtractInt(${of}.payload, ${path.map((key) => `'${key}'`).join(', ')})`;
    return unit === 'ms' ? `fromUnixTimestamp64Milli(${value}, 'UTC')` : `fromUnixTimestamp64Micro(${value}, 'UTC')`;
  },
  disclosed: (type, name, of) => {
    const value = (d: string): string => `JSONExtract(${d}, 3, '${clickhouseTypes[type]}')`;
    const name_ = (d: string): string => `JSONExtractString(${d}, 2)`;
    if (type !== 'texts') return either(name, of, name_, value);
    return `if(${name_(`${of}.d1`)} = '${name}', ${value(`${of}.d1`)}, ${value(`${of}.d2`)})`;
  },
};

const bigquery: Dialect = {
  createView: view,
  quote: byTick,
  tables: ({ root }) => [
    `-- objects are read from Google Cloud Storage: copy them there, or name an Omni connection
CREATE EXTERNAL TABLE dbguard_text (line STRING)
OPTIONS (format = 'CSV', field_delimiter = '\\x01', quote = '', compression = 'GZIP', uris = ['${root}/v1/*.jsonl.gz'])`,
    `${view('dbguard_lines')}
SELECT payload, d1, d2, JSON_VALUE(payload, '$.k') AS k, REGEXP_EXTRACT(path, r'${FOLDER}') AS folder, REGEXP_EXTRACT(path, r'${SID}') AS sid
FROM (SELECT SPLIT(line, '\\t')[SAFE_OFFSET(0)] AS payload, SPLIT(line, '\\t')[SAFE_OFFSET(1)] AS d1, SPLIT(line, '\\t')[SAFE_OFFSET(2)] AS d2, _FILE_NAME AS path FROM dbguard_text)
WHERE ${OWN} AND NOT STARTS_WITH(payload, '{"size":')`,
  ],
  field: (type, path, of) => {
    const value = `${of}.payload, ${dollar(path)}`;
    if (type === 'texts') return `JSON_VALUE_ARRAY(${value})`;
    if (type === 'json') return `JSON_QUERY(${value})`;
    const types = { text: undefined, whole: 'INT64', number: 'FLOAT64', flag: 'BOOL', time: 'INT64' } as const;
    const to = types[type];
    return to === undefined ? `JSON_VALUE(${value})` : `CAST(JSON_VALUE(${value}) AS ${to})`;
  },
  time: (path, unit, of) =>
    `TIMESTAMP_${unit === 'ms' ? 'MILLIS' : 'MICROS'}(CAST(JSON_VALUE(${of}.payload, ${dollar(path)}) AS INT64))`,
  disclosed: (type, name, of) =>
    either(
      name,
      of,
      (d) => `JSON_VALUE(${d}, '$[1]')`,
      (d) => (type === 'texts' ? `JSON_VALUE_ARRAY(${d}, '$[2]')` : `JSON_VALUE(${d}, '$[2]')`),
    ),
};

const snowflakeTypes: Readonly<Record<string, string>> = {
  ...{ text: 'STRING', texts: 'ARRAY', whole: 'BIGINT', number: 'DOUBLE', flag: 'BOOLEAN', json: 'STRING' },
};

const snowflake: Dialect = {
  createView: view,
  quote: byDouble,
  tables: ({ root }) => [
    `-- needs a STORAGE_INTEGRATION that may read the bucket
CREATE OR REPLACE STAGE dbguard_objects URL = '${root}/v1/'
FILE_FORMAT = (TYPE = CSV, COMPRESSION = GZIP, FIELD_DELIMITER = '\\t', FIELD_OPTIONALLY_ENCLOSED_BY = NONE, ESCAPE_UNENCLOSED_FIELD = NONE)`,
    `CREATE OR REPLACE EXTERNAL TABLE dbguard_text (
  payload STRING AS (value:c1::STRING), d1 STRING AS (value:c2::STRING), d2 STRING AS (value:c3::STRING), path STRING AS (METADATA$FILENAME)
)
LOCATION = @dbguard_objects PATTERN = '.*[.]jsonl[.]gz' AUTO_REFRESH = FALSE
FILE_FORMAT = (TYPE = CSV, COMPRESSION = GZIP, FIELD_DELIMITER = '\\t', FIELD_OPTIONALLY_ENCLOSED_BY = NONE, ESCAPE_UNENCLOSED_FIELD = NONE)`,
    `${view('dbguard_lines')}
SELECT PARSE_JSON(payload) AS payload, TRY_PARSE_JSON(d1) AS d1, TRY_PARSE_JSON(d2) AS d2, PARSE_JSON(payload):k::STRING AS k,
  REGEXP_SUBSTR(path, '${FOLDER}', 1, 1, 'e', 1) AS folder, REGEXP_SUBSTR(path, '${SID}', 1, 1, 'e', 1) AS sid
FROM dbguard_text
WHERE ${OWN} AND payload NOT LIKE '{"size":%'`,
  ],
  field: (type, path, of) => `GET_PATH(${of}.payload, '${path.join('.')}')::${snowflakeTypes[type]}`,
  time: (path, unit, of) =>
    `TO_TIMESTAMP_NTZ(GET_PATH(${of}.payload, '${path.join('.')}')::BIGINT, ${unit === 'ms' ? 3 : 6})`,
  disclosed: (type, name, of) =>
    either(
      name,
      of,
      (d) => `${d}[1]::STRING`,
      (d) => `${d}[2]::${snowflakeTypes[type]}`,
    ),
};

export const dialects: Readonly<Record<EngineName, Dialect>> = { athena, trino, clickhouse, bigquery, snowflake };

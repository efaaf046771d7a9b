import t from 'tap';
import { foreignTo } from '../../../src/cli/judge/foreign-sql.js';

/** From migrations of public projects. */
const foreign: Record<string, string[]> = {
  ClickHouse: [
    'DROP TABLE traces ON CLUSTER default;',
    'ALTER TABLE scores DROP COLUMN IF EXISTS session_id SETTINGS mutations_sync = 2;',
    'ALTER TABLE traces MATERIALIZE INDEX IF EXISTS idx_session_id;',
    'CREATE MATERIALIZED VIEW a_mv TO a AS SELECT 1',
    'ALTER TABLE a ADD COLUMN lcp Nullable(Decimal(10, 1)) AFTER twclid;',
    'ALTER TABLE scores MODIFY COLUMN trace_id Nullable(String)',
    'CREATE TABLE a (b UInt8) ENGINE = ReplacingMergeTree ORDER BY b',
  ],
  CockroachDB: [
    'DROP INDEX IF EXISTS session_devices@unique_session_device CASCADE;',
    'CREATE INVERTED INDEX a_idx ON a (b)',
    'CREATE INDEX a_idx ON a (b) STORING (c)',
    'ALTER TABLE a ALTER PRIMARY KEY USING COLUMNS (pk);',
    'ALTER TABLE a ADD CONSTRAINT IF NOT EXISTS "b" FOREIGN KEY (c) REFERENCES d (e)',
    'CREATE TABLE a (b INT, INDEX (b))',
    'CREATE TABLE a (b INT, CONSTRAINT "primary" PRIMARY KEY (b ASC))',
  ],
  MySQL: [
    'ALTER TABLE ciphers CHANGE COLUMN atype type INTEGER NOT NULL;',
    'ALTER TABLE auth_requests MODIFY hash TEXT;',
    'ALTER TABLE devices DROP PRIMARY KEY;',
    'ALTER TABLE devices DROP FOREIGN KEY devices_fk;',
    'DROP INDEX a_idx ON a;',
    'PREPARE stmt FROM @drop_sso_fk;',
    'SET @drop_sso_fk = 1;',
    'CREATE INDEX a_idx ON a (b) LOCK = NONE;',
    'CREATE TABLE `a` (b INT)',
    'ALTER TABLE a ADD COLUMN b INT AFTER c;',
    'RENAME TABLE a TO b;',
  ],
  'SQL Server': ['SELECT 1\nGO\n', 'SELECT [a] FROM dbo.b'],
  SQLite: ['CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT)'],
  Oracle: ['CREATE TABLE a (b VARCHAR2(10))', 'ALTER TABLE a MODIFY (b NOT NULL)'],
  template: [
    'SELECT * FROM {{ schema }}.users',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template of somebody else
    'DROP TABLE ${table}',
    'CREATE INDEX a ON "{{ index .Options "Namespace" }}".a (b)',
  ],
};

for (const [database, texts] of Object.entries(foreign)) {
  t.test(`${database} is named`, async (t) => {
    for (const text of texts) {
      const bare = text.replace(/"[^"]*"/g, (name) => 'x'.repeat(name.length));
      t.match(foreignTo(text, bare) ?? '', database, text);
    }
  });
}

t.test('a mistake in SQL of PostgreSQL has no other database to blame', async (t) => {
  for (const text of ['ALTER TABEL a ADD b int', 'SELECT FROM FROM a ORDER BY b', "SELECT '{{1,2}}'::int[] FORM a"]) {
    t.equal(
      foreignTo(
        text,
        text.replace(/'[^']*'/g, (one) => ' '.repeat(one.length)),
      ),
      undefined,
      text,
    );
  }
});

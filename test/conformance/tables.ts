/**
 * The external tables that `dbguard transcripts ddl clickhouse` prints, run by ClickHouse (chdb, from pip) over a bucket in a
 * folder: it counts what dbguard counts. DBGUARD_CHDB: a python that has chdb; default: python3.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ddlFor } from '../../src/review/views/ddl.js';
import { type EntryViewName, entryViewNames, entryViews } from '../../src/review/views/view-table.js';
import { busySession } from '../review/views/busy-session.js';
import { testIssuer } from '../transcript/people.js';
import { objectsOf } from '../transcript/recorded.js';

const SESSIONS = 30;
const program = `
import sys
from chdb import session
s = session.Session()
for text in open(sys.argv[1]).read().split(';\\n'):
    query = '\\n'.join(line for line in text.split('\\n') if not line.startswith('--')).strip()
    if query: s.query(query)
for view in sys.argv[2:]:
    print(view, str(s.query(f'SELECT count(*) FROM dbguard_{view}', 'TabSeparated')).strip())
`;

/** Returns how many views differ. */
export async function conformTables(): Promise<number> {
  const differing = await compareTables();
  if (typeof differing === 'string') {
    console.log(`External tables: skipped, ${differing}`);
    return 0;
  }
  for (const one of differing) console.log(`External tables: ${one}`);
  if (differing.length === 0) console.log('External tables: ClickHouse counts what dbguard counts');
  return differing.length;
}

/** Returns what differs; a text alone where it cannot be tried here. */
async function compareTables(): Promise<readonly string[] | string> {
  const python = process.env.DBGUARD_CHDB ?? 'python3';
  if (spawnSync(python, ['-c', 'import chdb']).status !== 0) return `${python} has no chdb: pip install chdb`;
  const root = mkdtempSync(join(tmpdir(), 'dbguard-tables-'));
  try {
    const expected = await fill(root);
    const sql = join(root, 'tables.sql');
    writeFileSync(sql, ddlFor('clickhouse', { kind: 'file', root }));
    const { stdout, stderr } = spawnSync(python, ['-c', program, sql, ...expected.keys()], { encoding: 'utf8' });
    const found = new Map(stdout.split('\n').map((line) => line.split(' ') as [string, string]));
    const differing = [...expected].filter(([view, count]) => found.get(view) !== String(count));
    return differing.map(([view, count]) => `${view}: ${found.get(view)} rows, not ${count} ${stderr.slice(0, 500)}`);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Returns how many rows each view has. */
async function fill(root: string): Promise<Map<string, number>> {
  const issuer = await testIssuer();
  const counts = new Map<string, number>([['sessions', SESSIONS]]);
  const viewsOf = (kind: string): EntryViewName[] =>
    entryViewNames.filter((view) => (entryViews[view].kinds as readonly string[]).includes(kind));
  for (let n = 0; n < SESSIONS; n++) {
    const session = busySession(await issuer.login(`dev-${n}`), {}, 3);
    for (const { key, bytes } of objectsOf(session, 0)) {
      mkdirSync(dirname(join(root, key)), { recursive: true });
      writeFileSync(join(root, key), bytes);
    }
    for (const line of session.segments.flat()) {
      const kind = /"k":"([\w-]+)"/.exec(line.startsWith('{"size":') ? '' : line)?.[1] ?? '';
      for (const view of viewsOf(kind)) counts.set(view, (counts.get(view) ?? 0) + 1);
    }
  }
  return counts;
}

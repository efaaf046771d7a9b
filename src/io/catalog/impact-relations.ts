/** What the catalog says of one relation that a statement takes rows from, or away: its size, and who hangs on it. */

import type { InternalSession } from '../../proxy/internal-queries/internal-queries.js';
import { plainName } from '../../proxy/internal-queries/internal-search-path.js';
import type { ImpactLine } from '../../proxy/statement/asker.js';
import type { EffectKind } from '../../sql/facts.js';
import { counted } from '../../words.js';
import type { Row } from './control-connection.js';

/** What a statement does to its relations. */
export interface Fate {
  readonly kinds: ReadonlySet<EffectKind>;
  /** TRUNCATE or DROP with CASCADE. */
  readonly cascades: boolean;
}

/** How many tables and views are named; of more it says that there are more. */
const namedMax = 10;
/** A foreign key that cascades can lead to a table whose own is followed too, and so on. */
const stepsMax = 8;

/** reltuples is -1 before the first VACUUM or ANALYZE; a partitioned table has its rows and bytes in its partitions. */
const relationSql = `
  select c.oid::regclass::text as name, c.relkind::text as kind,
         case when c.relkind <> 'p' or c.reltuples >= 0 then c.reltuples
              else (select sum(nullif(p.reltuples, -1)) from pg_catalog.pg_partition_tree(c.oid) t join pg_catalog.pg_class p on p.oid = t.relid where t.isleaf)
         end::bigint::text as tuples,
         pg_catalog.pg_size_pretty(case when c.relkind <> 'p' then pg_catalog.pg_total_relation_size(c.oid)
              else (select sum(pg_catalog.pg_total_relation_size(relid))::bigint from pg_catalog.pg_partition_tree(c.oid)) end) as size
  from pg_catalog.pg_class c where c.oid = $1::oid`;
/** $2: whether every foreign key is followed (TRUNCATE), or only those with ON DELETE CASCADE. */
const referencesSql = `
  with recursive hit(oid, parent, action, step) as (
    select k.conrelid, k.confrelid, k.confdeltype, 1 from pg_catalog.pg_constraint k
    where k.contype = 'f' and k.confrelid = $1::oid and k.conparentid = 0
    union
    select k.conrelid, k.confrelid, k.confdeltype, hit.step + 1 from hit
    join pg_catalog.pg_constraint k on k.contype = 'f' and k.confrelid = hit.oid and k.conparentid = 0
    where ($2 or hit.action = 'c') and hit.step < ${stepsMax} and hit.oid <> $1::oid
  )
  select c.oid::regclass::text as name, h.action::text as action, c.reltuples::bigint::text as tuples,
         case when h.parent <> $1::oid then h.parent::regclass::text end as parent
  from (select distinct on (oid, action) * from hit order by oid, action, step) h
  join pg_catalog.pg_class c on c.oid = h.oid order by h.step, 1 limit ${namedMax + 1}`;
const triggersSql = `
  select t.tgname as name, t.tgfoid::regproc::text as function
  from pg_catalog.pg_trigger t where t.tgrelid = $1::oid and not t.tgisinternal and t.tgenabled <> 'D' order by 1 limit 10`;
const viewsSql = `
  select distinct r.ev_class::regclass::text as name
  from pg_catalog.pg_depend d join pg_catalog.pg_rewrite r on r.oid = d.objid
  where d.classid = 'pg_catalog.pg_rewrite'::regclass and d.refobjid = $1::oid and r.ev_class <> d.refobjid order by 1 limit 10`;
/** What a view is made of. */
const sourcesSql = `
  select distinct c.oid::text as oid, c.oid::regclass::text as name
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
  join pg_catalog.pg_class c on d.refclassid = 'pg_catalog.pg_class'::regclass and c.oid = d.refobjid
  where r.ev_class = $1::oid and c.oid <> r.ev_class order by 2 limit 5`;

/** pg_class.relkind of what has no rows of its own to count. */
const others: Readonly<Record<string, string>> = { f: 'a foreign table', S: 'a sequence', c: 'a composite type' };

/** `depth`: how many views were looked through already. */
export async function describeRelation(
  oid: string,
  fate: Fate,
  session: InternalSession,
  depth = 0,
): Promise<ImpactLine[]> {
  const { kinds, cascades } = fate;
  const [relation] = await session.ask(relationSql, [oid]);
  if (!relation) return [];
  const lines: ImpactLine[] = [];
  const sources = relation.kind === 'v' ? await session.ask(sourcesSql, [oid]) : [];
  lines.push({ label: plainName(relation.name), text: size(relation, sources), severity: 'info' });
  if (kinds.has('delete') || kinds.has('truncate') || kinds.has('drop')) {
    const references = await session.ask(referencesSql, [oid, String(kinds.has('truncate') && cascades)]);
    lines.push(...references.slice(0, namedMax).map((row) => referenceLine(row, fate)));
    if (references.length > namedMax) lines.push({ label: '', text: 'and more tables', severity: 'warning' });
  }
  for (const row of await session.ask(triggersSql, [oid])) {
    lines.push({ label: `trigger ${row.name}`, text: `runs ${row.function}()`, severity: 'warning' });
  }
  if (kinds.has('drop') || kinds.has('alter')) {
    const text = kinds.has('drop') && cascades ? 'depends on it and is dropped too (CASCADE)' : 'depends on it';
    for (const row of await session.ask(viewsSql, [oid])) {
      lines.push({ label: `view ${plainName(row.name)}`, text, severity: 'warning' });
    }
  }
  // a change of a view's rows is a change of those below it; the view itself can be dropped without them
  if ((kinds.has('delete') || kinds.has('update')) && depth < 3) {
    for (const source of sources) lines.push(...(await describeRelation(source.oid ?? '', fate, session, depth + 1)));
  }
  return lines;
}

function size({ kind, tuples, size }: Row, sources: readonly Row[]): string {
  if (kind === 'v') return `a view of ${sources.map(({ name }) => plainName(name)).join(', ') || 'nothing stored'}`;
  if (kind === 'i' || kind === 'I') return `an index, ${size}`;
  return others[kind ?? ''] ?? `${rowsWords(tuples)}, ${size}`;
}

function rowsWords(tuples: string | null | undefined): string {
  const rows = Number(tuples ?? -1);
  if (rows < 0) return 'never analyzed';
  if (rows === 0) return 'empty when last analyzed';
  return `about ${counted(rows, 'row')}`;
}

/** pg_constraint.confdeltype */
const deleteActions: Readonly<Record<string, readonly [fate: string, clause: string]>> = {
  c: ['are deleted too', 'ON DELETE CASCADE'],
  n: ['get NULL', 'ON DELETE SET NULL'],
  d: ['get their default', 'ON DELETE SET DEFAULT'],
};

function referenceLine({ name, action, tuples, parent }: Row, { kinds, cascades }: Fate): ImpactLine {
  const table = plainName(name);
  const to = parent === null || parent === undefined ? 'it' : plainName(parent);
  if (kinds.has('delete')) {
    const [fate, clause] = deleteActions[action ?? ''] ?? [];
    if (!fate) return { label: table, text: `refers to ${to}; its foreign key stops the deletion`, severity: 'info' };
    const text = `${rowsWords(tuples)}; those that refer to ${to} ${fate} (${clause})`;
    return { label: `and ${table}`, text, severity: 'danger' };
  }
  if (kinds.has('truncate') && cascades) {
    return { label: `and ${table}`, text: `${rowsWords(tuples)}, emptied too (CASCADE)`, severity: 'danger' };
  }
  if (kinds.has('truncate')) {
    return { label: table, text: `refers to ${to}; TRUNCATE fails unless both are emptied`, severity: 'info' };
  }
  const text = cascades ? `loses its foreign key to ${to} (CASCADE)` : `refers to ${to} by a foreign key`;
  return { label: table, text, severity: cascades ? 'warning' : 'info' };
}

/**
 * Events of the Open Cybersecurity Schema Framework (schema.ocsf.io), version 1.3: what touches the database is Datastore
 * Activity, what dbguard itself was told is API Activity. What they have no attribute for stands in `unmapped`.
 */
import { gravityOf, type RowEvent, timeOf } from './row-event.js';
import type { ViewName } from './view-table.js';

const SCHEMA = '1.3.0';
const APPLICATION = 6;
const DATASTORE = 6005;
const API = 6003;

/** activity_id of Datastore Activity. */
const datastore = { read: 1, update: 2, connect: 3, query: 4, write: 5, create: 6, delete: 7, other: 99 } as const;
type Activity = keyof typeof datastore;
/** By kind of effect, the gravest first. */
const byEffect: readonly (readonly [string, Activity])[] = [
  ...(['drop', 'delete', 'truncate'] as const).map((kind) => [kind, 'delete'] as const),
  ...(['update', 'alter', 'grant', 'role', 'config'] as const).map((kind) => [kind, 'update'] as const),
  ['insert', 'write'],
  ['create', 'create'],
  ['read', 'query'],
];

const severities = { plain: 1, bad: 3, doubtful: 4 } as const;

export function ocsfEvent(event: RowEvent): object {
  const { view, row, session, report } = event;
  const isApi = view === 'sessions' || view === 'grants';
  const [classUid, activity] = isApi ? [API, 99] : [DATASTORE, datastore[activityOf(view, row)]];
  const { host, port, database } = report.open?.connection ?? {};
  const { tables } = row;
  const table = Array.isArray(tables) && tables.length === 1 ? { table: { name: tables[0] } } : {};
  return {
    category_uid: APPLICATION,
    class_uid: classUid,
    activity_id: activity,
    type_uid: classUid * 100 + activity,
    time: Math.floor(timeOf(event) / 1000),
    severity_id: severities[gravityOf(event)],
    ...(isApi ? { status_id: 0 } : outcomeOf(view, row)),
    metadata: {
      version: SCHEMA,
      product: { name: 'dbguard', vendor_name: 'dbguard', version: report.open?.version },
      uid: [session.sid, row.n].filter((part) => part !== undefined).join(':'),
      ...(row.statement === undefined ? {} : { correlation_uid: `${session.sid}:${row.statement}` }),
      log_name: view,
      // of the two classes, Datastore Activity alone has it
      ...(isApi ? {} : { profiles: ['security_control'] }),
    },
    actor: {
      app_name: session.agent,
      user: { name: session.person, uid: report.open?.subject.sub, email_addr: report.open?.subject.email },
      session: { uid: session.sid, issuer: report.open?.subject.iss },
    },
    src_endpoint: { svc_name: 'dbguard', name: session.agent },
    ...(isApi
      ? {
          api: {
            operation: view === 'sessions' ? 'session' : `${row.kind} ${row.event ?? ''}`.trim(),
            service: { name: 'dbguard' },
          },
        }
      : { database: { name: database ?? session.connection, type_id: 1 }, ...table }),
    ...(host === undefined ? {} : { dst_endpoint: { hostname: host, port } }),
    // an outcome has no text of its own: correlation_uid names its statement's event
    ...(row.sql === undefined ? {} : { query_info: { query_string: row.sql, uid: `${session.sid}:${row.n}` } }),
    unmapped: { ...row, folder: undefined, sql: undefined, vouched: undefined, verification: session.verification },
  };
}

function activityOf(view: ViewName, row: RowEvent['row']): Activity {
  if (view === 'connections') return row.event === 'close' ? 'other' : 'connect';
  if (view !== 'statements') return 'other';
  const effects = Array.isArray(row.effects) ? row.effects : [];
  return byEffect.find(([kind]) => effects.includes(kind))?.[1] ?? 'other';
}

/** action_id: 1 allowed, 2 denied, 0 not known yet. status_id: 1 success, 2 failure. */
function outcomeOf(view: ViewName, { decision, how }: RowEvent['row']): object {
  if (view === 'outcomes') return { action_id: 1, status_id: how === 'done' ? 1 : 2, status_detail: how };
  if (view !== 'statements' && view !== 'verdicts') return { action_id: 0, status_id: 0 };
  const action = decision === 'allow' ? 1 : decision === 'deny' || decision === 'abort' ? 2 : 0;
  // disposition_id: 1 allowed, 2 blocked, 0 unknown
  return { action_id: action, disposition_id: action, status_id: action === 2 ? 2 : 0 };
}

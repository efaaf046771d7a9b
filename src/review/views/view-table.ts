/**
 * The views over a bucket: every column once, with its type, what it is made from, and words for people. The engine's
 * tables, the Parquet files, the external tables of other engines and the chapter come from here.
 */
import type { EntryKind } from '../../transcript/entry.js';
import { disclosed, type EntryColumn, field, made } from './column.js';
import type { FactsSummary } from './facts-columns.js';

export interface EntryView {
  /** Entries of these kinds are its rows. */
  readonly kinds: readonly EntryKind[];
  readonly words: string;
  readonly columns: readonly EntryColumn[];
}

/** What every row of every view says of the session that it stands in. */
export const sharedColumns = [
  'sid',
  'person',
  'agent',
  'connection',
  'environment',
  'verification',
] as const satisfies readonly string[];

const number: EntryColumn = {
  name: 'n',
  type: 'whole',
  words: 'the entry’s number in its session',
  from: { field: 'n' },
  of: ({ entry }) => entry.n,
};
const time: EntryColumn = {
  name: 'time',
  type: 'time',
  words: 'by the writer’s clock',
  from: { field: 't', unit: 'us' },
  of: ({ entry }) => entry.t,
};
const of = field('statement', 'whole', 'number of the statement that it is about', 'of');
const conn = field('conn', 'whole', 'number of the client connection in its session');

function ofFacts(name: string, type: EntryColumn['type'], words: string, key: keyof FactsSummary): EntryColumn {
  return made(name, type, words, ({ facts }) => facts?.[key]);
}

const statements: readonly EntryColumn[] = [
  number,
  time,
  conn,
  field('decision', 'text', '`allow`, `ask`, `second-person` or `deny`; none for more rows of an earlier one'),
  field('rule', 'text', 'which rule of the policy said so'),
  made('sql', 'text', 'as the client sent it; none where it was redacted', ({ meant }) => meant.sql),
  made('sql_length', 'whole', 'characters; what is longer than 262,144 is cut', ({ meant }) => meant.sql?.length),
  disclosed('bind', 'texts', 'values of its parameters'),
  made('redacted', 'flag', 'its text or values were taken out', ({ entry: { c }, disclosed }) => {
    for (const name in c) if (disclosed[name] === undefined) return true;
    return false;
  }),
  ofFacts('commands', 'texts', 'what it is, in command words', 'commands'),
  ofFacts('effects', 'texts', 'what it does: `read`, `insert`, `delete`, `alter`, ...', 'effects'),
  ofFacts('tables', 'texts', 'tables that it is about in any way, as the text names them', 'tables'),
  ofFacts('reads', 'texts', 'tables that it reads', 'reads'),
  ofFacts('writes', 'texts', 'tables whose rows it writes', 'writes'),
  ofFacts('functions', 'texts', 'functions that it calls by name', 'functions'),
  ofFacts('unbounded', 'flag', 'an effect without a condition that restricts the rows', 'unbounded'),
  ofFacts('opaque', 'flag', 'runs code that cannot be seen', 'opaque'),
  ofFacts('unparseable', 'text', 'why the text was not understood', 'unparseable'),
  field('protocol', 'text', '`execute`, `function`, `connection`; none for a simple query'),
  field('name', 'text', 'of the prepared statement'),
  field('portal', 'text', 'its name'),
  field('tx', 'text', 'transaction status before it: `I`, `T`, `E`'),
  field('continues', 'whole', 'number of the statement of which these are more rows'),
  made('hidden', 'flag', 'a secret in it was not written', ({ entry }) => entry.fields.hidden !== undefined),
  field('intent', 'whole', 'number of the intent that it is taken to come from'),
  field('fit', 'text', 'why: `process`, `text`, `session`, `time`; `other`: its process does not fit'),
];

/** The process that has connected or said something, as this machine says. */
const process: readonly EntryColumn[] = [
  field('pid', 'whole', 'of the process'),
  field('program', 'text', 'that it runs'),
  field('ancestors', 'texts', 'programs above it, up to the agent'),
  field('agent_session', 'text', 'the agent’s id of its own session', 'agentSession'),
  field('trace', 'text', 'TRACEPARENT of its environment'),
];

/** By its name; every kind of entry is in one, or in `withoutView`. */
export const entryViews = {
  statements: { kinds: ['statement'], words: 'what clients sent to run', columns: statements },
  verdicts: {
    kinds: ['verdict'],
    words: 'what was decided about statements that were not simply let through',
    columns: [
      number,
      time,
      of,
      field('decision', 'text', '`allow`, `deny`, `abort`'),
      field('decided_by', 'text', '`person`, `second-person`, `rule`, `timeout`, ...', 'by'),
      field('channel', 'text', 'where a person answered'),
      field('name', 'text', 'who, where it was a second person'),
      field('scope', 'text', '`once`, `session`, `transaction`'),
      field('rule', 'text', 'which rule asked or denied'),
      field('under', 'whole', 'number of the statement whose approval covers the transaction'),
      field('waited_ms', 'whole', 'until the answer', 'waitedMs'),
      field('estimated_rows', 'number', 'that the planner expected', 'estimatedRows'),
      disclosed('reason', 'text', 'as it was given'),
    ],
  },
  outcomes: {
    kinds: ['outcome'],
    words: 'what the server answered',
    columns: [
      number,
      time,
      of,
      field('how', 'text', '`done`, `failed`, `skipped`, `rejected`, `lost`, `undone`'),
      field('tag', 'text', 'the last command tag'),
      made(
        'row_count',
        'whole',
        'of all command tags',
        ({ entry: { fields } }) => fields.rows ?? rowsOfTag(fields.tag),
      ),
      field('bytes', 'whole', 'sent to the client'),
      field('us', 'whole', 'microseconds until the answer'),
      field('sqlstate', 'text', 'of the error'),
      field('role', 'text', 'it ran as this one'),
      field('masked', 'texts', 'columns that were masked in the result'),
      field('inferred', 'texts', 'masked columns of which the result says something'),
      field('detected', 'texts', 'columns that nobody declared and that hold personal data or secrets'),
    ],
  },
  connections: {
    kinds: ['connection'],
    words: 'clients that came and went, and dbguard’s own connections',
    columns: [
      number,
      time,
      conn,
      field('event', 'text', '`open`, `process` (found later), `close`, `own`'),
      field('login', 'text', 'on the server', 'user'),
      field('role', 'text', 'taken on when it began'),
      field('loopback_user', 'text', 'the name that the client gave', 'loopbackUser'),
      field('database', 'text', 'connected to'),
      field('application_name', 'text', 'as the client says', 'applicationName'),
      field('backend_pid', 'whole', 'of the server’s process', 'backendPid'),
      field('address', 'text', 'of the client’s machine, as its gateway saw it'),
      field('granted_in', 'whole', 'number of the grant of the time in which it is', 'window'),
      field('reason', 'text', 'why it was closed'),
      ...process,
      disclosed('arguments', 'text', 'of the program, without secrets'),
    ],
  },
  intents: {
    kinds: ['intent'],
    words: 'what agents say they were asked and are about to do: claims, signed as said',
    columns: [
      number,
      time,
      field('event', 'text', '`prompt`, `tool`'),
      field('said_by', 'text', 'which agent', 'agent'),
      field('session', 'text', 'its own'),
      field('call', 'text', 'id of the tool call'),
      field('tool', 'text', 'its name'),
      field('prompt', 'whole', 'number of the prompt before it'),
      field('dropped', 'whole', 'how many before it were not recorded'),
      ...process,
      disclosed('said', 'text', 'the prompt, or what the tool was given'),
    ],
  },
  networks: {
    kinds: ['network'],
    words: 'hosts that a fenced command wanted to reach',
    columns: [
      number,
      time,
      field('host', 'text', 'by name'),
      field('port', 'whole', 'there'),
      field('decision', 'text', '`allow`, `deny`'),
      field('decided_by', 'text', '`person`, `rule`, ...', 'by'),
      field('channel', 'text', 'where a person answered'),
      field('rule', 'text', 'the list that it is on'),
      field('waited_ms', 'whole', 'until the answer', 'waitedMs'),
      disclosed('reason', 'text', 'as it was given'),
    ],
  },
  grants: {
    kinds: ['grant', 'window'],
    words: 'roles that statements ran as, and times for which roles or connections were granted',
    columns: [
      number,
      time,
      {
        ...field('kind', 'text', '`grant`: a statement runs as the role; `window`: a time'),
        from: { field: 'k' },
        of: ({ entry }) => entry.k,
      },
      field('event', 'text', 'of a time: `open`, `end`'),
      of,
      field('role', 'text', 'which'),
      field('access', 'text', 'the entry of `access` in the policy'),
      field('granted_connection', 'text', 'of a time for connections: which', 'connection'),
      field('lacking', 'texts', 'what the login lacks'),
      field('granted_in', 'whole', 'number of the time in which it ran', 'window'),
      field('for_ms', 'whole', 'how long the time is', 'forMs'),
      field('channel', 'text', 'where the person said so'),
      field('why', 'text', 'a time ended: `time`, `person`'),
      disclosed('reason', 'text', 'as the person said'),
    ],
  },
  recordings: {
    kinds: ['recording'],
    words: 'results and terminals that were recorded: that one begins, has a chunk more, ends',
    columns: [
      number,
      time,
      field('event', 'text', '`begin`, `chunk`, `end`'),
      field('stream', 'text', '`results`, `terminal`'),
      field('chunk', 'whole', 'its number'),
      field('digest', 'text', 'SHA-256 of the object'),
      field('size', 'whole', 'of the object, bytes'),
      field('keep_days', 'whole', 'of a beginning: how long it is kept', 'keepDays'),
      field('max_rows', 'whole', 'of the results of one statement', 'maxRows'),
      field('max_bytes', 'whole', 'the same', 'maxBytes'),
      field('recipients', 'texts', 'to whom it is encrypted'),
      field('why', 'text', 'of an end: `session`, `failed`'),
    ],
  },
} as const satisfies Readonly<Record<string, EntryView>>;

export type EntryViewName = keyof typeof entryViews;
export type ViewName = 'sessions' | EntryViewName;
export const entryViewNames = Object.keys(entryViews) as EntryViewName[];

/** Kinds of entries that are no rows, and why. */
export const withoutView = {
  open: 'it is the row of `sessions`',
  parse: 'nothing runs; its text is that of the statements that name it',
  'dry-run': 'was undone',
  approval: 'what it led to is a verdict',
  heartbeat: 'says nothing',
  redaction: 'is in the reviewer’s session; what it took out is `redacted`',
  seal: 'counts what is there',
} as const satisfies Partial<Record<EntryKind, string>>;

/** A tag's last number says how many rows where the entry does not. */
function rowsOfTag(tag: unknown): number | undefined {
  const digits = typeof tag === 'string' ? / (\d{1,15})$/.exec(tag)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

/** Entries as people read them: one item each, with the words of its kind. Texts are attacker-controlled. */
import { subjectName } from '../identity/subject-name.js';
import { durationWords } from '../policy/units.js';
import type { Entry } from '../transcript/entry.js';
import { isRecord } from '../transcript/line.js';
import type { EarlierEntries, Meant } from './earlier-entries.js';
import type { MeantIntent } from './earlier-intents.js';

export type Mood = 'plain' | 'good' | 'bad' | 'waiting' | 'quiet';

export interface TimelineItem {
  readonly n: number;
  /** Milliseconds since 1970 UTC, by the writer's clock. */
  readonly at: number;
  readonly kind: string;
  /** Number of the client connection. */
  readonly connection?: number;
  /** The statement that a verdict or an outcome belongs to. */
  readonly of?: number;
  /** One line. */
  readonly title: string;
  /** SQL or another text in full. */
  readonly text?: string;
  readonly bind?: string;
  /** What its agent says that it comes from: a claim. */
  readonly intent?: MeantIntent;
  readonly mood: Mood;
}

type Disclosed = Readonly<Record<string, unknown>>;
const REDACTED = '(redacted)';

/** @param earlier what came before `entry` in its session */
export function timelineItem(entry: Entry, disclosed: Disclosed, earlier: EarlierEntries): TimelineItem {
  return itemMeant(entry, disclosed, earlier.meant(entry, disclosed));
}

export function itemMeant(entry: Entry, disclosed: Disclosed, meant: Meant): TimelineItem {
  const { fields } = entry;
  const text = textOf(entry, meant, disclosed);
  return {
    n: entry.n,
    at: entry.t / 1000,
    kind: entry.k,
    ...(typeof fields.conn === 'number' ? { connection: fields.conn } : {}),
    ...(typeof fields.of === 'number' ? { of: fields.of } : {}),
    ...(text === undefined ? {} : { text }),
    ...(meant.intent === undefined || entry.k === 'intent' ? {} : { intent: meant.intent }),
    ...(disclosed.bind === undefined ? {} : { bind: JSON.stringify(disclosed.bind) }),
    ...(titles[entry.k] ?? other)(entry, disclosed, meant),
  };
}

/** The statement; of a claim what was said, of a client what it was started with. */
function textOf(entry: Entry, { sql }: Meant, { said, arguments: line }: Disclosed): string | undefined {
  const text = [sql, said, line].find((one) => typeof one === 'string');
  if (typeof text === 'string') return text;
  return ['sql', 'said', 'arguments'].some((name) => name in entry.c) ? REDACTED : undefined;
}

type Words = { readonly title: string; readonly mood: Mood };

const titles: Readonly<Record<string, (entry: Entry, disclosed: Disclosed, meant: Meant) => Words>> = {
  open: ({ t, fields }) => ({
    title: `session opened on ${new Date(t / 1000).toISOString().slice(0, 10)}, times are UTC${field(fields, 'agent', ': ')}`,
    mood: 'quiet',
  }),
  connection: ({ fields }) => ({
    title: connection(fields),
    mood: 'quiet',
  }),
  intent: ({ fields }) => ({ title: intentWords(fields), mood: 'quiet' }),
  parse: () => ({ title: 'prepared', mood: 'quiet' }),
  statement: ({ fields }, _disclosed, { facts }) => statement(fields, facts),
  approval: ({ fields }) => ({ title: approvalWords(fields), mood: 'waiting' }),
  verdict: ({ fields }, { reason }) => {
    const allowed = fields.decision === 'allow';
    const why = typeof reason === 'string' ? `: ${reason}` : '';
    return { title: `${allowed ? 'allowed' : 'denied'} ${byWhom(fields)}${why}`, mood: allowed ? 'good' : 'bad' };
  },
  window: ({ fields }, { reason }) => ({ title: windowWords(fields, reason), mood: 'waiting' }),
  grant: ({ fields }, { reason }) => {
    const lacking = Array.isArray(fields.lacking) ? ` to ${fields.lacking.join(', ')}` : '';
    const why = typeof reason === 'string' ? `: ${reason}` : '';
    const access = field(fields, 'access', ', by access ');
    const time = typeof fields.window === 'number' ? `in the time of #${fields.window}` : 'for this statement only';
    return {
      title: `runs as ${String(fields.role)}${lacking}, ${time}${access}${why}`,
      mood: 'waiting',
    };
  },
  outcome: ({ fields }) => outcome(fields),
  recording: ({ fields }) => ({ title: recordingWords(fields), mood: fields.why === 'failed' ? 'bad' : 'quiet' }),
  network: ({ fields }, { reason }) => {
    const allowed = fields.decision === 'allow';
    const why = typeof reason === 'string' ? `: ${reason}` : '';
    const where = `${String(fields.host)}:${String(fields.port)}`;
    return {
      title: `${where} ${allowed ? 'may' : 'may not'} be reached, ${byWhom(fields)}${why}`,
      mood: allowed ? 'quiet' : 'bad',
    };
  },
  heartbeat: () => ({ title: 'heartbeat', mood: 'quiet' }),
  redaction: ({ fields }) => ({ title: words('redaction', fields, ['session', 'of', 'reason']), mood: 'waiting' }),
  seal: ({ fields }) => ({ title: fields.final === true ? 'session sealed' : 'segment sealed', mood: 'quiet' }),
};

function windowWords(fields: Disclosed, reason: unknown): string {
  const { event, of, role, forMs, why } = fields;
  const what =
    typeof fields.connection === 'string'
      ? `clients can connect to ${fields.connection}`
      : `statements run as ${String(role)}`;
  if (event === 'end') return `the time of #${String(of)} is over${why === 'person' ? ', as a person said' : ''}`;
  const time = typeof forMs === 'number' ? durationWords(forMs) : 'a time';
  const said = `${field(fields, 'access', ', by access ')}${field(fields, 'channel', ', said in ')}`;
  return `${what} for ${time}${said}${typeof reason === 'string' ? `: ${reason}` : ''}`;
}

function recordingWords({ event, stream, keepDays, recipients, chunk, size, why }: Disclosed): string {
  const what = `the recording of ${stream === 'terminal' ? 'the terminal' : String(stream)}`;
  if (event === 'chunk') return `${what} has chunk ${String(chunk)}, ${String(size)} bytes`;
  if (event === 'end') return `${what} ${why === 'failed' ? 'could not be written any more' : 'is complete'}`;
  const readers = Array.isArray(recipients) ? `, encrypted to ${recipients.length}` : ', not encrypted';
  return `${what} begins${readers}${typeof keepDays === 'number' ? `, kept for ${keepDays} days` : ''}`;
}

function intentWords(fields: Disclosed): string {
  const { event, agent, dropped } = fields;
  const what =
    event === 'prompt' ? 'was asked' : `uses ${String(fields.tool ?? 'a tool')}${field(fields, 'call', ', call ')}`;
  const lost = typeof dropped === 'number' ? `; ${dropped} claims before it were not recorded` : '';
  return `${String(agent)} says that it ${what}${processWords(fields, ', by ')}${lost}`;
}

/** `psql, from bash, claude`. */
function processWords({ program, ancestors, pid }: Disclosed, before: string): string {
  if (typeof program !== 'string') return '';
  const above = Array.isArray(ancestors) && ancestors.length > 0 ? `, from ${ancestors.join(', ')}` : '';
  return `${before}${program} (${String(pid)})${above}`;
}

function connection(fields: Disclosed): string {
  const { event, database } = fields;
  const where = typeof database === 'string' ? ` to ${database}` : '';
  const as = `${field(fields, 'user', ' as ')}${field(fields, 'role', ' with the role ')}${field(fields, 'loopbackUser', ' for ')}`;
  if (event === 'own') return `dbguard’s own connection${where}${as}`;
  if (event === 'close') return `connection closed${field(fields, 'reason', ': ')}`;
  if (event === 'process') return `its process${processWords(fields, ': ')}`;
  const time = typeof fields.window === 'number' ? `, in the time of #${fields.window}` : '';
  return `connection${where}${as}${field(fields, 'applicationName', ', ')}${time}${processWords(fields, ', by ')}`;
}

function statement(fields: Disclosed, facts: unknown): Words {
  const { decision } = fields;
  const mood = decision === 'allow' ? 'plain' : decision === 'deny' ? 'bad' : 'waiting';
  const again = typeof fields.continues === 'number' ? ` more rows of #${fields.continues}` : '';
  const prepared = typeof fields.text === 'number' ? ` text of #${fields.text}` : '';
  return {
    title: `${commands(facts)}${again}${prepared} ${words('', fields, ['decision', 'rule'])}`.trim(),
    mood,
  };
}

function approvalWords({ object, id, envelope }: Disclosed): string {
  const short = String(id).slice(-8);
  if (object === 'request') return `a second person is asked (request ${short})`;
  if (object === 'claim') return `the approval of request ${short} is used`;
  const who = isRecord(envelope) ? signerOf(String(envelope.payload)) : undefined;
  return `${who ?? 'somebody'} has answered request ${short}`;
}

/** As the object names its signer: verification says whether that holds. */
function signerOf(payload: string): string | undefined {
  try {
    const { who } = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
    return String(subjectName(who.subject));
  } catch {
    return undefined;
  }
}

/** `by` of a verdict. */
const deciders: Readonly<Record<string, string>> = {
  timeout: 'because nobody answered in time',
  nobody: 'because nobody could be asked',
  cancel: 'because the client cancelled it',
  disconnect: 'because the client went away',
  'earlier-approval': 'as approved for the session',
  'earlier-denial': 'again',
};

function byWhom(fields: Disclosed): string {
  const { by, name, channel, rule } = fields;
  if (by === 'rule') return `by ${words('rule', { rule }, ['rule'])}`;
  if (by === 'second-person')
    return `by ${typeof name === 'string' && name !== '' ? name : 'a second person'}, in the bucket`;
  if (by !== 'person') return deciders[String(by)] ?? `by ${words('', fields, ['by', 'name', 'channel'])}`;
  const where = channel === 'terminal' ? 'at the terminal' : `in ${words('', fields, ['channel'])}`;
  return `by ${typeof name === 'string' && name !== '' ? name : 'a person'} ${where}`;
}

function outcome(fields: Disclosed): Words {
  const failed = typeof fields.sqlstate === 'string' || ['failed', 'lost', 'undone'].includes(String(fields.how));
  const { us, bytes } = fields;
  const parts = [words('', fields, failed ? ['how', 'sqlstate'] : ['tag'])];
  if (typeof fields.role === 'string') parts.push(`as ${fields.role}`);
  if (typeof bytes === 'number' && bytes > 0) parts.push(`${bytes} bytes`);
  if (typeof us === 'number') parts.push(`${(us / 1000).toFixed(1)} ms`);
  if (Array.isArray(fields.masked)) parts.push(`masked: ${fields.masked.join(', ')}`);
  if (Array.isArray(fields.inferred)) parts.push(`asked about: ${fields.inferred.join(', ')}`);
  if (Array.isArray(fields.detected)) parts.push(`not declared: ${fields.detected.join(', ')}`);
  if (parts[0] === '') parts[0] = String(fields.how ?? 'done');
  return { title: parts.join(', '), mood: failed ? 'bad' : 'quiet' };
}

function other(entry: Entry): Words {
  return { title: entry.k, mood: 'quiet' };
}

function commands(facts: unknown): string {
  if (!Array.isArray(facts)) return isRecord(facts) && 'unparseable' in facts ? 'not understood' : '';
  return facts.map((one) => (isRecord(one) ? String(one.command ?? '') : '')).join('; ');
}

function words(head: string, fields: Disclosed, names: readonly string[]): string {
  const values = names
    .map((name) => fields[name])
    .filter((value) => value !== undefined && value !== null && value !== '');
  return [head, ...values.map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)))]
    .filter((word) => word !== '')
    .join(' ');
}

function field(fields: Disclosed, name: string, before: string): string {
  const value = fields[name];
  return typeof value === 'string' ? before + value : '';
}

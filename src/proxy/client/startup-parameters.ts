/**
 * What a client asks for in its startup packet, judged before anything reaches the server: settings that come in
 * there change what later statements mean exactly as SET does, and there is no statement to stop.
 * Source: PostgreSQL manual, "StartupMessage"; src/backend/utils/init/postinit.c for `options`.
 */
import type { DecisionInput, Policy } from '../../policy/decision.js';
import type { Analyser } from '../../sql/facts.js';
import type { ErrorText } from '../../wire/backend.js';

export interface AdmissionRules {
  readonly policy: Policy;
  readonly analyser: Analyser;
  /** The database of the connection. */
  readonly database: string;
  /** Other databases a client may name; `any` for every database of the cluster. */
  readonly databases: readonly string[] | 'any';
  readonly context: Pick<DecisionInput, 'connection' | 'user' | 'subject' | 'agent' | 'now'>;
  /** Of the user who connects; see LoopbackUser. */
  readonly role?: string;
  /** Session identifier and subject, for `dbguard.session` and `dbguard.subject`. */
  readonly sid: string;
  /** `options` of the connection itself; the client's come after it. */
  readonly upstreamOptions?: string;
}

export type AdmissionResult =
  | {
      readonly kind: 'admitted';
      /** Parameters for the upstream StartupMessage, without `user`. */
      readonly parameters: Map<string, string>;
      readonly database: string;
      readonly applicationName: string;
    }
  | { readonly kind: 'refused'; readonly error: ErrorText };

/** Startup parameters that are not settings. */
const notSettings: ReadonlySet<string> = new Set(['user', 'database', 'options', 'replication']);

/** A packet's settings come after its `options`, and would undo the role. */
const decidesRole: ReadonlySet<string> = new Set(['role', 'session_authorization']);

function refused(code: string, message: string, hint: string): AdmissionResult {
  return { kind: 'refused', error: { severity: 'FATAL', code, message: `dbguard: ${message}`, hint } };
}

export function admit(requested: ReadonlyMap<string, string>, rules: AdmissionRules): AdmissionResult {
  const database = requested.get('database') || rules.database;
  if (database !== rules.database && rules.databases !== 'any' && !rules.databases.includes(database)) {
    return refused(
      '3D000',
      `this session is for database "${rules.database}", not "${database}"`,
      `Connect to "${rules.database}", or ask the person you work for.`,
    );
  }
  const replication = requested.get('replication');
  if (replication !== undefined && !['false', 'off', 'no', '0'].includes(replication.toLowerCase())) {
    return refused('42501', 'replication connections are not allowed', 'Use an ordinary connection.');
  }
  const options = splitOptions(requested.get('options') ?? '');
  const fromOptions = settingsOf(options);
  if (fromOptions === undefined) {
    return refused('42501', 'startup options other than settings are not allowed', 'Use -c name=value only.');
  }
  const settings = [...requested].filter(([name]) => !notSettings.has(name));
  for (const [name, value] of [...settings, ...fromOptions]) {
    const problem = judgeSetting(name, value, database, rules);
    if (problem) return refused('42501', `setting "${name}" at startup: ${problem}`, 'Connect without it.');
  }
  const applicationName = requested.get('application_name') ?? `dbguard/${rules.sid}`;
  const parameters = new Map(settings);
  parameters.set('database', database);
  parameters.set('application_name', applicationName);
  // last, so that nothing the client sends can override them
  parameters.set(
    'options',
    [
      ...splitOptions(rules.upstreamOptions ?? ''),
      ...options,
      ...(rules.role === undefined ? [] : ['-c', `role=${rules.role}`]),
      '-c',
      `dbguard.subject=${rules.context.subject}`,
      '-c',
      `dbguard.session=${rules.sid}`,
    ]
      .map(escapeOption)
      .join(' '),
  );
  return { kind: 'admitted', parameters, database, applicationName };
}

/** Undefined when the policy lets the setting pass; else the reason why not. Nobody can be asked at startup. */
function judgeSetting(name: string, value: string, database: string, rules: AdmissionRules): string | undefined {
  if (name.toLowerCase().startsWith('dbguard.')) return 'dbguard sets it itself';
  if (rules.role !== undefined && decidesRole.has(name.toLowerCase())) return 'the role of this user is given';
  const identifier = name
    .split('.')
    .map((part) => `"${part.toLowerCase().replaceAll('"', '""')}"`)
    .join('.');
  const facts = rules.analyser.analyse(`SET ${identifier} TO '${value.replaceAll("'", "''")}'`, {
    standardConformingStrings: true,
  });
  const ruling = rules.policy.decide({ ...rules.context, facts, database, transactionStatus: 'I' });
  return ruling.decision === 'allow' ? undefined : ruling.reason;
}

/** Words of `options`: blanks separate, a backslash takes the next character as it is (pg_split_opts). */
function splitOptions(options: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < options.length; at++) {
    const character = options.charAt(at);
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '\\' && at + 1 < options.length) {
      word = (word ?? '') + options.charAt(++at);
    } else {
      word = (word ?? '') + character;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

function escapeOption(word: string): string {
  return word.replace(/[\\\s]/g, '\\$&');
}

/** `-c name=value`, `-cname=value` and `--name=value`; undefined when there is any other switch. */
function settingsOf(words: readonly string[]): [string, string][] | undefined {
  const settings: [string, string][] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    let assignment: string | undefined;
    if (word === '-c') assignment = words[++at];
    else if (word.startsWith('-c') || word.startsWith('--')) assignment = word.slice(2);
    const equals = assignment?.indexOf('=') ?? -1;
    if (assignment === undefined || equals < 1) return undefined;
    settings.push([assignment.slice(0, equals).replaceAll('-', '_'), assignment.slice(equals + 1)]);
  }
  return settings;
}

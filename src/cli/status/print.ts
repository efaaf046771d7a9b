/** The state of things on one screen, for people. */
import { sessionTime } from '../../transcript/object-key.js';
import { singleLine } from '../../untrusted-text.js';
import { counted, grouped } from '../../words.js';
import type { CommandContext } from '../command.js';
import { describeTime } from '../print/login-words.js';
import { drawsSigns } from '../print/printable-output.js';
import { outputStyleFor } from '../print/text.js';
import { dbguardVersion } from '../version.js';
import type { Status, Told, Where, Who } from './look.js';
import { type Step, shortId } from './next.js';

const LABEL = 11;
const SHOWN = 3;

export function statusText(context: CommandContext, status: Status, steps: readonly Step[]): string {
  const { style, fold } = outputStyleFor(context);
  const arrow = drawsSigns(context.env) ? '→' : '->';
  const row = (label: string, text: string): string => fold(`  ${label.padEnd(LABEL)}${text}`, 2 + LABEL);
  const part = <T>(label: string, one: Told<T>, words: (value: T) => readonly string[]): string[] => {
    if ('is' in one) return words(one.is).map((text, at) => row(at === 0 ? label : '', text));
    return [row(label, style('red', one.problem)), row('', `${arrow} ${one.fix}`)];
  };
  // one broken file is told once, not in each of the places that it speaks of
  const byFiles =
    'problem' in status.policy
      ? part('settings', status.policy, () => [])
      : [
          ...part('who', status.who, whoWords),
          ...part('where', status.where, whereWords),
          ...part('policy', status.policy, policyWords),
          ...part('bucket', status.bucket, bucketWords),
        ];
  const lines = [
    `${style('bold', `dbguard ${dbguardVersion}`)}${status.inside === undefined ? '' : `, inside of a run (${status.inside})`}`,
    '',
    ...byFiles,
    ...part('last', status.last, (last) => [lastWords(last)]),
    ...part('questions', status.questions, questionWords),
    '',
    'Next:',
    ...steps.map(({ command, why }) => fold(`  ${style('bold', command.padEnd(widest(steps)))}  ${why}`, 4)),
    '',
    fold('dbguard --help lists all commands, dbguard help TOPIC explains.', 2),
  ];
  return `${lines.join('\n')}\n`;
}

function widest(steps: readonly Step[]): number {
  return Math.max(...steps.map(({ command }) => command.length));
}

function whoWords({ state, name = '', level = '', until = 0, renewable }: Who): string[] {
  switch (state) {
    case 'logged-in': {
      const time = `${until <= Date.now() ? 'ended' : 'until'} ${describeTime(until)}`;
      return [`${name}, level ${level}, ${time}${renewable ? ', renewed by itself' : ''}`];
    }
    case 'ended':
      return [`${name}, level ${level}: the login ended ${describeTime(until)}`];
    case 'local':
      return [`${name}, level local: nobody vouches for this key of this machine`];
    case 'new':
      return ['nobody yet: the first run makes a key of this machine (level local)'];
    case 'nobody':
      return ['nobody is logged in'];
    case 'platform':
      return ['whoever this platform’s token says'];
    case 'unknown':
      return ['a login is stored; “dbguard whoami” opens it'];
  }
}

function whereWords({ state, connection, to = '', environment, found = [], untrusted }: Where): string[] {
  const listed = found.slice(0, SHOWN).map((one) => `${one.to} (${one.says})`);
  if (found.length > SHOWN) listed.push(`and ${found.length - SHOWN} more`);
  switch (state) {
    case 'configured': {
      const lines = [`${connection}: ${to} (${environment})`];
      return untrusted.length === 0 ? lines : [...lines, `not trusted yet: ${untrusted.join(', ')}`];
    }
    case 'chosen':
      return listed;
    case 'found':
      return [
        ...listed,
        `found in this project; the first run asks ${found.length > 1 ? 'which one' : 'whether this'} is meant`,
      ];
    case 'none':
      return ['no database is named here, and none was found'];
  }
}

function policyWords({
  profiles,
  files,
}: {
  profiles: readonly string[];
  files: readonly { path: string; level: string }[];
}) {
  const from = files.map(({ path, level }) => `${singleLine(path, 120)} (${level})`);
  return [`${profiles.join(', ')}${from.length === 0 ? ', built in; no dbguard.yaml' : `; ${from.join(', ')}`}`];
}

function bucketWords({ location, configured, waiting }: { location: string; configured: boolean; waiting: number }) {
  const lines = [`${singleLine(location, 200)}${configured ? '' : ' (no bucket is configured)'}`];
  return waiting === 0 ? lines : [...lines, `${counted(waiting, 'session')} not yet there, running ones among them`];
}

function lastWords(last: { readonly sid: string; readonly entries?: number } | undefined): string {
  if (last === undefined) return 'no session on this machine yet';
  const { sid, entries } = last;
  const end =
    entries === undefined ? 'not ended, or cut off' : entries === 1 ? '1 entry' : `${grouped(entries)} entries`;
  return `${ago(Date.now() - sessionTime(sid))}: ${shortId(sid)}, ${end}`;
}

const units = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
] as const;

function ago(ms: number): string {
  const found = units.find(([unit]) => ms >= unit);
  return found === undefined ? 'just now' : `${counted(Math.floor(ms / found[0]), found[1])} ago`;
}

function questionWords({ open, runs, silent }: Extract<Status['questions'], { is: unknown }>['is']): string[] {
  const active = runs.map(({ agent, connection }) => `${singleLine(agent, 60)} on ${singleLine(connection, 40)}`);
  const also = silent === 0 ? '' : `; ${counted(silent, 'run')} ${silent === 1 ? 'does' : 'do'} not answer`;
  const running = active.length === 0 ? 'no run is active' : `${counted(active.length, 'run')}: ${active.join(', ')}`;
  if (open.length === 0) return [`none open; ${running}${also}`];
  const shown = open.slice(0, SHOWN).map(({ id, headline }) => `${singleLine(id, 20)}  ${singleLine(headline, 160)}`);
  const more = open.length > SHOWN ? [`and ${open.length - SHOWN} more`] : [];
  return [`${open.length} open; ${running}${also}`, ...shown, ...more];
}

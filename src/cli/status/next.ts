/** The three commands that matter now: what stands in the way of work first, then the work, then reading what was done. */
import type { Status, Told } from './look.js';

export interface Step {
  readonly command: string;
  readonly why: string;
}

const MOST = 3;

/** @param agent a program that this machine has, for `dbguard run` */
export function nextSteps(status: Status, agent: string | undefined): Step[] {
  if (status.inside !== undefined) return insideOfARun;
  return [...blocking(status), ...working(status, agent), ...reading(status)].slice(0, MOST);
}

/** What an agent may want to know; nothing of this is a person's to decide. */
const insideOfARun: Step[] = [
  { command: 'dbguard explain "SELECT 1"', why: 'what would become of a statement' },
  { command: 'dbguard policy lint', why: 'check a policy' },
  { command: 'dbguard help policies', why: 'what is asked about or denied' },
];

function blocking({ who, where, policy, bucket, questions }: Status): Step[] {
  const steps: Step[] = [];
  const waits = toldOf(questions)?.open.length ?? 0;
  if (waits > 0) steps.push({ command: 'dbguard approvals', why: 'answer what waits' });
  if ('problem' in policy)
    return [...steps, { command: 'dbguard policy lint', why: 'every fault of the file' }, doctor];
  const place = toldOf(where);
  if (place?.state === 'none') steps.push({ command: 'dbguard init', why: 'say where the database is' });
  if (place !== undefined && place.untrusted.length > 0)
    steps.push({ command: 'dbguard trust', why: 'say that the repository’s file may lead your credentials there' });
  const signer = toldOf(who)?.state;
  if (signer === 'nobody') steps.push({ command: 'dbguard login', why: 'nobody is logged in' });
  if (signer === 'ended') steps.push({ command: 'dbguard login', why: 'the login has ended' });
  const broken = [who, where, bucket, questions].some((part) => 'problem' in part);
  if (broken) steps.push(doctor);
  return steps;
}

const doctor: Step = { command: 'dbguard doctor', why: 'look at everything, with what mends it' };

function working({ where, policy, bucket, questions }: Status, agent: string | undefined): Step[] {
  const steps: Step[] = [];
  if ('is' in policy && toldOf(where)?.state !== 'none')
    steps.push({ command: `dbguard run -- ${agent ?? 'psql'}`, why: 'work on the guarded database' });
  // what a run is still writing is no left-over
  const running = (toldOf(questions)?.runs.length ?? 0) > 0;
  if ((toldOf(bucket)?.waiting ?? 0) > 0 && !running)
    steps.push({ command: 'dbguard upload', why: 'bring to the bucket what waits here' });
  return steps;
}

function reading({ who, where, last }: Status): Step[] {
  const steps: Step[] = [];
  const session = toldOf(last);
  if (session !== undefined)
    steps.push({
      command: `dbguard transcripts show ${shortId(session.sid)}`,
      why: 'what happened in the last session',
    });
  const local = ['local', 'new'].includes(toldOf(who)?.state ?? '');
  if (local && toldOf(where)?.state !== 'none')
    steps.push({ command: 'dbguard init', why: 'an identity provider and a bucket' });
  return [
    ...steps,
    doctor,
    { command: 'dbguard explain "DELETE FROM orders"', why: 'what would become of a statement' },
  ];
}

/** The time of a session id: enough to name it. */
export function shortId(sid: string): string {
  return sid.slice(0, 10);
}

function toldOf<T>(part: Told<T>): T | undefined {
  return 'is' in part ? part.is : undefined;
}

/** What a run says about itself, on stderr: two lines at its start, a summary at its end, trouble in between. */
import type { Writable } from 'node:stream';
import type { Approvals } from '../../approval/approvals.js';
import type { PromptMark } from '../../approval/prompt-mark.js';
import type { DbguardError } from '../../errors.js';
import type { Progress } from '../../io/spool/uploader.js';
import type { JournalTotals } from '../../proxy/statement/journal-totals.js';
import { singleLine } from '../../untrusted-text.js';
import { counted, grouped } from '../../words.js';
import type { CommandContext } from '../command.js';
import { folded } from '../print/text.js';
import type { Guard } from './guard.js';
import { UploadWait } from './upload-wait.js';

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** For the person, before there is a child: what a prompt that the child draws cannot have. */
export function markLine({ words, chosen }: PromptMark, stderr: Output): string {
  const texts = chosen
    ? ['dbguard: a prompt without the words that you chose is not dbguard’s', 'dbguard: its prompts carry your words']
    : [
        `dbguard: its prompts carry the words “${words}”; choose your own with: dbguard mark`,
        `dbguard: its prompts say “${words}” (dbguard mark)`,
        `dbguard: its prompts say “${words}”`,
      ];
  return `${fitting(texts, stderr)}\n`;
}

/** Two lines, and a third for what is not set up, whatever the terminal's width; the whole text where there is no terminal. */
export function banner(guard: Guard, stderr: Output, withheld: readonly string[] = []): string {
  const dim = (text: string): string => (stderr.isTTY ? `\u001b[2m${text}\u001b[22m` : text);
  const { database, further } = guard.address;
  const user = [guard.address.user, ...further.map((one) => one.user)].join(', ');
  const where = singleLine(`${guard.subject} on ${guard.connection}`);
  const policy = guard.policy.name;
  const [names, number] = withheldWords(withheld);
  const session = `session ${guard.sid}`;
  const first = [
    `dbguard: ${where} (${user}@${database}), policy ${policy}`,
    `dbguard: ${where} (${user}@${database}), ${policy}`,
    `dbguard: ${where}, policy ${policy}`,
    `dbguard: ${where}`,
  ];
  const second = [
    `dbguard: ${session}, signed and recorded to ${guard.bucket}${names}`,
    `dbguard: ${session}, recorded to ${guard.bucket}${names}`,
    `dbguard: ${session}, recorded to ${guard.bucket}${number}`,
    `dbguard: ${session}, recorded to ${shortPlace(guard.bucket)}${number}`,
    `dbguard: ${session}${number}`,
    `dbguard: ${session}`,
  ];
  return `${fitting(first, stderr)}\n${dim(fitting(second, stderr))}\n${readableLine(guard, stderr)}${missingLine(guard, stderr)}`;
}

/** The variables of the run win over a dotenv file in most tools; whoever reads the file has the password all the same. */
function readableLine({ found }: Guard, stderr: Output): string {
  const [file, ...others] = found?.files ?? [];
  if (file === undefined) return '';
  const files = others.length === 0 ? file : `${file} and ${counted(others.length, 'other file')}`;
  const holds = others.length === 0 ? 'holds' : 'hold';
  const texts = [
    `dbguard: ${singleLine(files)} ${holds} the real password, and the agent can read that: move it to ~/.pgpass (dbguard doctor)`,
    `dbguard: the agent can read the real password in ${singleLine(files)} (dbguard doctor)`,
    `dbguard: the agent can read the real password: dbguard doctor`,
  ];
  return `${fitting(texts, stderr)}\n`;
}

/** What a first run lacks, and the one command that sets it up; empty where nothing is missing. */
function missingLine({ missing: { provider, bucket } }: Guard, stderr: Output): string {
  if (!provider && !bucket) return '';
  const names = [provider ? 'an identity provider' : '', bucket ? 'a bucket' : ''].filter((one) => one !== '');
  const what = [
    provider ? 'signed with a key of this machine, which nobody vouches for' : '',
    bucket ? 'recorded to a folder here' : '',
  ].filter((one) => one !== '');
  const texts = [
    `dbguard: ${what.join(', ')}; ${names.join(' and ')}: dbguard init`,
    `dbguard: not set up: ${names.join(' and ')} (dbguard init)`,
    'dbguard: dbguard init sets up the rest',
  ];
  return `${fitting(texts, stderr)}\n`;
}

/** What is recorded beside the transcript; empty where nothing is. @param screen this terminal can be recorded */
export function recordingLine({ recording: { config } }: Guard, screen: boolean, stderr: Output): string {
  const { results, terminal, maxRows, encryptTo, keepDays } = config ?? { results: false, terminal: false };
  const what = [results ? 'results' : '', terminal && screen ? 'this screen' : ''].filter((one) => one !== '');
  if (what.length === 0) return '';
  const all = what.join(' and ');
  const people = encryptTo?.length ? `encrypted to ${counted(encryptTo.length, 'key')}` : 'not encrypted';
  const kept = keepDays === undefined ? '' : `, kept for ${counted(keepDays, 'day')}`;
  const rows = results ? ` (up to ${grouped(maxRows ?? 0)} rows a statement)` : '';
  return `${fitting([`dbguard: recorded: ${all}${rows}, ${people}${kept}`, `dbguard: recorded: ${all}, ${people}`, `dbguard: recorded: ${all}`], stderr)}\n`;
}

function withheldWords(withheld: readonly string[]): [string, string] {
  if (withheld.length === 0) return ['', ''];
  const number = withheld.length === 1 ? '1 variable' : `${withheld.length} variables`;
  return [`; withheld: ${withheld.join(', ')}`, `; ${number} withheld`];
}

/** A bucket has its name at the front, a folder at the end. */
function shortPlace(location: string): string {
  const parts = location.split('/');
  return location.startsWith('file:') ? `file:…/${parts.at(-1)}` : `${parts.slice(0, 3).join('/')}/…`;
}

/** The first that fits into one line of the terminal; the last is cut. */
function fitting(texts: readonly string[], { isTTY, columns }: Output): string {
  const width = isTTY && columns ? columns : Number.POSITIVE_INFINITY;
  const found = texts.find((text) => text.length <= width);
  if (found !== undefined) return found;
  return `${texts.at(-1)?.slice(0, width - 1) ?? ''}…`;
}

/** At the end of a run that no statement came through. @param beside connections to the database that were not dbguard's */
export function nothingCame(beside: number, fenced: boolean, ownFence: string | undefined): string[] {
  const lines: string[] = [];
  if (beside > 0) {
    const others = `${counted(beside, 'connection')} to the database from elsewhere`;
    const work = fenced
      ? 'They came from outside of the fence.'
      : 'The agent may have handed its work to a process from before this run; in the fence it cannot (dbguard run --sandbox).';
    lines.push(
      `dbguard: nothing came through dbguard, and there ${beside === 1 ? 'was' : 'were'} ${others} meanwhile. ${work}`,
    );
  }
  if (ownFence !== undefined) lines.push(`dbguard: nothing came through dbguard. ${ownFence}`);
  return lines;
}

/** Says each kind of trouble once; while a child owns the screen, it waits. */
export class TroubleReport {
  readonly #stderr: Writable;
  readonly #said = new Set<string>();
  #held: string[] | undefined;

  constructor(stderr: Writable) {
    this.#stderr = stderr;
  }

  report(error: DbguardError): void {
    if (this.#said.has(error.code)) return;
    this.#said.add(error.code);
    const text = `dbguard: ${error.message}\n${error.hint ? `  ${error.hint}\n` : ''}`;
    if (this.#held) this.#held.push(text);
    else this.#stderr.write(text);
  }

  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const text of held) this.#stderr.write(text);
  }
}

export interface Finished {
  /** The whole transcript is in the bucket. */
  readonly complete: boolean;
  /** The exit code of every command where dbguard itself could not go on: it stands before the child's own. */
  readonly failed: number | undefined;
}

/** Ends the session and sums it up. */
export async function finishGuard(
  context: CommandContext,
  guard: Guard,
  approvals: { readonly totals: Approvals['totals'] },
  graceMs: number,
): Promise<Finished> {
  const { stderr } = context;
  const wait = new UploadWait(stderr, context.env);
  const progress = await guard
    .close({ graceMs, signal: wait.signal, onProgress: (step) => wait.progress(step) })
    .finally(() => wait.end());
  stderr.write(summary(guard, approvals.totals, progress, stderr));
  return { complete: progress.left === 0, failed: guard.recording.lost?.exitCode };
}

/** What happened, and where it can be read. */
function summary(guard: Guard, totals: Approvals['totals'], progress: Progress, stderr: Output): string {
  const { statements, deniedByRule, secondPersons, rowsChanged, detected } = guard.totals;
  const parts = [counted(statements, 'statement')];
  if (totals.asked > 0) parts.push(`${totals.asked} asked (${totals.allowed} approved, ${totals.denied} denied)`);
  const elsewhere = askedElsewhere(secondPersons);
  if (elsewhere !== undefined) parts.push(elsewhere);
  if (totals.repeated > 0) parts.push(`${totals.repeated} answered as before`);
  if (totals.unanswered > 0) parts.push(`${totals.unanswered} denied because nobody could be asked`);
  if (deniedByRule > 0) parts.push(`${deniedByRule} denied by a rule`);
  parts.push(rowsChanged === 0 ? 'no rows changed' : `${counted(rowsChanged, 'row')} changed`);
  const show = `dbguard transcripts show ${guard.sid}`;
  const shorter = `dbguard transcripts show ${guard.sid.slice(0, shortIdCharacters)}`;
  const stored = 'transcript complete in the bucket';
  const where = fitting(
    [`dbguard: ${stored} (${show})`, `dbguard: ${stored} (${shorter})`, `dbguard: ${stored}`],
    stderr,
  );
  const held = `${counted(progress.left, 'segment')} ${progress.left === 1 ? 'waits' : 'wait'} on this machine`;
  const waits = `dbguard: ${held}; "dbguard upload" brings them to the bucket when it can be reached, and so does the next run (dbguard transcripts show ${guard.sid})`;
  const happened = folded(`dbguard: ${parts.join(', ')}`, stderr);
  const undeclared = `dbguard: ${counted(detected, 'column')} without a mask ${detected === 1 ? 'looks' : 'look'} like personal data or secrets; "dbguard mask suggest" writes the rules`;
  const found = detected > 0 ? `${folded(undeclared, stderr)}\n` : '';
  return `${happened}\n${found}${progress.left === 0 ? where : folded(waits, stderr)}\n`;
}

function askedElsewhere({ approved, denied, unanswered }: JournalTotals['secondPersons']): string | undefined {
  const asked = approved + denied + unanswered;
  if (asked === 0) return undefined;
  const late = unanswered > 0 ? `, ${unanswered} without an answer in time` : '';
  return `${asked} asked of a second person (${approved} approved, ${denied} denied${late})`;
}

/** The time of a session id, to the millisecond: enough to name it. */
const shortIdCharacters = 10;

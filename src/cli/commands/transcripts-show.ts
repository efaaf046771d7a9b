/**
 * `dbguard transcripts show`: one session as it happened, verified while it is read. Paged on a terminal; whoever leaves
 * before the end has not seen a verdict, and gets none.
 */
import { EarlierEntries } from '../../review/earlier-entries.js';
import { intentLine } from '../../review/intent-words.js';
import type { SessionReport } from '../../review/session-report.js';
import { type TimelineItem, timelineItem } from '../../review/timeline.js';
import { verifySession } from '../../review/verify-session.js';
import type { Entry } from '../../transcript/entry.js';
import { inertJson } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import type { LineWriter } from '../print/line-writer.js';
import { paged } from '../print/paged.js';
import { type OutputStyle, outputStyleFor } from '../print/text.js';
import { shown } from '../print/untrusted-text.js';
import type { OptionsOf } from '../table.js';
import { findSession, identityDemands, issuerKeys, openTranscripts } from '../transcripts/source.js';
import { reportText } from './transcripts-verify.js';

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'transcripts show'>,
): Promise<number> {
  const transcripts = await openTranscripts(context, options);
  const session = await findSession(transcripts.source, args[0] ?? '');
  const how = {
    source: transcripts.source,
    demands: await identityDemands(context, options, transcripts),
    now: Date.now(),
  };
  const keys = await issuerKeys(context, options, transcripts);
  return paged(context, async (out) => {
    const printer = new Printer(out, outputStyleFor(context), options);
    try {
      const report = await verifySession(session, { ...how, keys, onEntry: printer.entry });
      await printer.report(report);
      return report.verdict === 'invalid' ? 1 : 0;
    } catch (error) {
      if (error instanceof ReaderLeft) return 0;
      throw error;
    }
  });
}

class ReaderLeft extends Error {}

class Printer {
  readonly #out: LineWriter;
  readonly #output: OutputStyle;
  readonly #json: boolean;
  readonly #all: boolean;
  readonly #earlier = new EarlierEntries();

  constructor(out: LineWriter, output: OutputStyle, { json, all }: OptionsOf<'transcripts show'>) {
    this.#out = out;
    this.#output = output;
    this.#json = json === true;
    this.#all = all === true;
  }

  /** Rejects with ReaderLeft when nobody reads any more. */
  readonly entry = async (entry: Entry, disclosed: Readonly<Record<string, unknown>>): Promise<void> => {
    const item = timelineItem(entry, disclosed, this.#earlier);
    if (!this.#json && !this.#all && hidden.has(item.kind)) return;
    const line = this.#json
      ? inertJson({ ...item, fields: shownFields(entry.fields), disclosed })
      : itemText(item, this.#output);
    if (!(await this.#out.write(line))) throw new ReaderLeft();
  };

  async report(report: SessionReport): Promise<void> {
    const text = this.#json ? inertJson({ report: summaryOf(report) }) : `\n${reportText(report, this.#output)}`;
    await this.#out.write(text);
    await this.#out.flush();
  }
}

/** Of interest to verification only. */
const hidden: ReadonlySet<string> = new Set(['heartbeat', 'seal']);
const secrets: ReadonlySet<string> = new Set(['idToken', 'accessToken', 'certificate']);

function shownFields(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !secrets.has(name)));
}

function summaryOf({ open: _open, ...report }: SessionReport): object {
  return report;
}

function itemText(item: TimelineItem, output: OutputStyle): string {
  const time = output.style('dim', new Date(item.at).toISOString().slice(11, 23));
  const title = shown(item.title).replace(/[\n\t]/g, ' ');
  const arrow = output.style('dim', '→');
  if (item.of !== undefined)
    return output.fold(`${time}  ${' '.repeat(6)}${arrow} ${mood(item, title, output)}${replyTo(item, output)}`, 22);
  const number = output.style('bold', `#${item.n}`.padEnd(6));
  const connection = item.connection === undefined ? '' : output.style('dim', `[${item.connection}] `);
  const lines = [output.fold(`${time}  ${number}${connection}${mood(item, title, output)}`, 20)];
  if (item.text !== undefined) lines.push(indent(item.text, output));
  if (item.intent !== undefined) lines.push(output.style('dim', indent(intentLine(item.intent), output)));
  if (item.bind !== undefined) lines.push(output.style('dim', indent(`with ${item.bind}`, output)));
  return lines.join('\n');
}

function replyTo({ of }: TimelineItem, output: OutputStyle): string {
  return output.style('dim', `  (#${of})`);
}

function mood({ mood }: TimelineItem, text: string, output: OutputStyle): string {
  switch (mood) {
    case 'good':
      return output.style('green', text);
    case 'bad':
      return output.style('red', text);
    case 'waiting':
      return output.style('magenta', text);
    case 'quiet':
      return output.style('dim', text);
    case 'plain':
      return text;
  }
}

function indent(text: string, output: OutputStyle): string {
  return shown(text.trim())
    .split('\n')
    .map((line) => output.fold(`${' '.repeat(20)}${line}`, 20))
    .join('\n');
}

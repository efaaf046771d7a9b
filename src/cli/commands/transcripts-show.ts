/** `dbguard transcripts show`: one session as it happened, verified while it is read. */
import { type TimelineItem, timelineItem } from '../../review/timeline.js';
import { type SessionReport, verifySession } from '../../review/verify-session.js';
import type { CommandContext, OptionValues } from '../command.js';
import { LineWriter } from '../line-writer.js';
import { type Paper, paperFor } from '../text.js';
import { demandsOf, findSession, issuerKeys, openTranscripts } from './transcripts-source.js';
import { reportText } from './transcripts-verify.js';
import { shown } from './transcripts-words.js';

export async function run(context: CommandContext, args: readonly string[], options: OptionValues): Promise<number> {
  const transcripts = await openTranscripts(context, options);
  const session = await findSession(transcripts.source, args[0] ?? '');
  const paper = paperFor(context);
  const json = options.json === true;
  const out = new LineWriter(context.stdout);
  const full = options.all === true;
  const report = await verifySession(session, {
    source: transcripts.source,
    keys: await issuerKeys(context, options, transcripts),
    demands: demandsOf(transcripts.identity),
    now: Date.now(),
    onEntry: (entry, disclosed) => {
      const item = timelineItem(entry, disclosed);
      if (!json && !full && hidden.has(item.kind)) return undefined;
      const line = json
        ? JSON.stringify({ ...item, fields: shownFields(entry.fields), disclosed })
        : itemText(item, paper);
      return out.write(line);
    },
  });
  await out.write(json ? JSON.stringify({ report: summaryOf(report) }) : `\n${reportText(report, paper)}`);
  await out.flush();
  return report.verdict === 'invalid' ? 1 : 0;
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

function itemText(item: TimelineItem, paper: Paper): string {
  const time = paper.style('dim', new Date(item.at).toISOString().slice(11, 23));
  const title = shown(item.title).replace(/[\n\t]/g, ' ');
  if (item.of !== undefined)
    return `${time}  ${' '.repeat(6)}${arrow(item, paper)} ${mood(item, title, paper)}${replyTo(item, paper)}`;
  const number = paper.style('bold', `#${item.n}`.padEnd(6));
  const connection = item.connection === undefined ? '' : paper.style('dim', `[${item.connection}] `);
  const lines = [`${time}  ${number}${connection}${mood(item, title, paper)}`];
  if (item.text !== undefined) lines.push(indent(item.text));
  if (item.bind !== undefined) lines.push(paper.style('dim', indent(`with ${item.bind}`)));
  return lines.join('\n');
}

function arrow({ kind }: TimelineItem, paper: Paper): string {
  return paper.style('dim', kind === 'verdict' ? '?' : '→');
}

function replyTo({ of }: TimelineItem, paper: Paper): string {
  return paper.style('dim', `  (#${of})`);
}

function mood({ mood }: TimelineItem, text: string, paper: Paper): string {
  switch (mood) {
    case 'good':
      return paper.style('green', text);
    case 'bad':
      return paper.style('red', text);
    case 'waiting':
      return paper.style('yellow', text);
    case 'quiet':
      return paper.style('dim', text);
    case 'plain':
      return text;
  }
}

function indent(text: string): string {
  return shown(text.trim())
    .split('\n')
    .map((line) => `${' '.repeat(20)}${line}`)
    .join('\n');
}

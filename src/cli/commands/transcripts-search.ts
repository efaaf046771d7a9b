/** `dbguard transcripts search`: statements that contain a text, over all sessions. Reads, does not verify. */
import { messageOf } from '../../errors.js';
import { listSessions, type ObjectSource, type SessionObjects } from '../../review/catalog.js';
import { entriesIn, segmentText } from '../../review/read-segment.js';
import { type TimelineItem, timelineItem } from '../../review/timeline.js';
import { decodeDisclosure } from '../../transcript/line.js';
import type { CommandContext, OptionValues } from '../command.js';
import { paged } from '../print/paged.js';
import { type Paper, paperFor } from '../print/text.js';
import { shown } from '../print/untrusted-text.js';
import { openTranscripts } from '../transcripts/source.js';

export async function run(context: CommandContext, args: readonly string[], options: OptionValues): Promise<number> {
  const wanted = args.join(' ').toLowerCase();
  const { source } = await openTranscripts(context, options);
  const paper = paperFor(context);
  const onProblem = (problem: string): void => void context.stderr.write(`dbguard: ${shown(problem)}\n`);
  return paged(context, async (out) => {
    let found = 0;
    for await (const session of listSessions(source)) {
      for await (const item of itemsOf(session, source, onProblem)) {
        const haystack = `${item.text ?? ''}\n${item.bind ?? ''}\n${item.title}`.toLowerCase();
        if (!haystack.includes(wanted)) continue;
        found++;
        const { sid } = session;
        const line = options.json === true ? JSON.stringify({ sid, ...item }) : asText(sid, item, paper);
        if (!(await out.write(line))) return 0;
      }
    }
    await out.flush();
    if (found === 0 && options.json !== true) context.stderr.write(`Nothing in ${source.location} contains it.\n`);
    return found > 0 ? 0 : 1;
  });
}

function asText(sid: string, item: TimelineItem, paper: Paper): string {
  const text = shown(item.text ?? item.title)
    .replace(/\s+/g, ' ')
    .trim();
  const time = `${new Date(item.at).toISOString().slice(0, 19)}Z`;
  return `${paper.style('bold', sid)} ${paper.style('dim', `${time} #${item.n}`)} ${text.slice(0, 500)}`;
}

async function* itemsOf(
  { segments }: SessionObjects,
  source: ObjectSource,
  onProblem: (problem: string) => void,
): AsyncGenerator<TimelineItem> {
  for (const { key } of segments) {
    try {
      for (const { entry, disclosures } of entriesIn(await segmentText(await source.read(key)))) {
        const disclosed = disclosures.map(decodeDisclosure).map(({ name, value }) => [name, value] as const);
        yield timelineItem(entry, Object.fromEntries(disclosed));
      }
    } catch (error) {
      onProblem(`${key}: ${messageOf(error)}`);
    }
  }
}

/** `dbguard transcripts search`: statements that contain a text, over all sessions. Reads, does not verify. */
import { messageOf } from '../../errors.js';
import { type IdSpan, type ObjectSource, type SegmentObject, sessionsWithin } from '../../review/catalog.js';
import { EarlierEntries } from '../../review/earlier-entries.js';
import { readAhead } from '../../review/read-ahead.js';
import { isAboutContent } from '../../review/read-segment.js';
import { segmentLines } from '../../review/segment-lines.js';
import { type TimelineItem, timelineItem } from '../../review/timeline.js';
import { decodeDisclosure, decodeLine, decodePayload } from '../../transcript/line.js';
import { inertJson } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { paged } from '../print/paged.js';
import { type OutputStyle, outputStyleFor } from '../print/text.js';
import { shown } from '../print/untrusted-text.js';
import type { OptionsOf } from '../table.js';
import { idSpan } from '../transcripts/id-span.js';
import { openTranscripts } from '../transcripts/source.js';

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'transcripts search'>,
): Promise<number> {
  const wanted = args.join(' ').toLowerCase();
  const span = idSpan(options);
  const { source } = await openTranscripts(context, options);
  const output = outputStyleFor(context);
  const onProblem = (problem: string): void => void context.stderr.write(`dbguard: ${shown(problem)}\n`);
  return paged(context, async (out) => {
    let found = 0;
    let earlier = { of: '', entries: new EarlierEntries() };
    for await (const { object, bytes, problem } of readAhead(segmentsIn(source, span), source)) {
      const { key, sid } = object;
      if (earlier.of !== sid) earlier = { of: sid, entries: new EarlierEntries() };
      let reading = true;
      const search = async (raw: string): Promise<boolean> => {
        const item = itemOf(raw, earlier.entries);
        if (item === undefined || !contains(item, wanted)) return true;
        found++;
        const line = options.json === true ? inertJson({ sid, ...item }) : asText(sid, item, output);
        reading = await out.write(line);
        return reading;
      };
      try {
        if (bytes === undefined) onProblem(`${key}: ${problem}`);
        else await segmentLines(bytes).each(search, 'whole');
      } catch (error) {
        if (!isAboutContent(error)) throw error;
        onProblem(`${key}: ${messageOf(error)}`);
      }
      if (!reading) return 0;
    }
    await out.flush();
    if (found === 0 && options.json !== true) context.stderr.write(`Nothing in ${source.location} contains it.\n`);
    return found > 0 ? 0 : 1;
  });
}

function contains({ text = '', bind = '', title, intent }: TimelineItem, wanted: string): boolean {
  return `${text}\n${bind}\n${title}\n${intent?.asked ?? ''}`.toLowerCase().includes(wanted);
}

function asText(sid: string, item: TimelineItem, output: OutputStyle): string {
  const text = shown(item.text ?? item.title)
    .replace(/\s+/g, ' ')
    .trim();
  const time = `${new Date(item.at).toISOString().slice(0, 19)}Z`;
  return output.fold(
    `${output.style('bold', sid)} ${output.style('dim', `${time} #${item.n}`)} ${text.slice(0, 500)}`,
    4,
  );
}

/** Objects are read while earlier ones are searched. */
async function* segmentsIn(
  source: ObjectSource,
  span: IdSpan,
): AsyncGenerator<SegmentObject & { readonly sid: string }> {
  for await (const { sid, segments } of sessionsWithin(source, span)) {
    for (const segment of segments) yield { ...segment, sid };
  }
}

function itemOf(raw: string, earlier: EarlierEntries): TimelineItem | undefined {
  const line = decodeLine(raw);
  if (line.kind === 'signature') return undefined;
  const disclosed = line.disclosures.map(decodeDisclosure).map(({ name, value }) => [name, value] as const);
  return timelineItem(decodePayload(line.payload), Object.fromEntries(disclosed), earlier);
}

/** `dbguard transcripts report`: what happened on a day, for people who were not there. */
import { PassThrough } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { reportSections } from '../../review/views/report-sections.js';
import { sessionTime } from '../../transcript/object-key.js';
import { counted, grouped } from '../../words.js';
import type { CommandContext } from '../command.js';
import { oneOfOption, textOption } from '../options.js';
import type { OptionsOf } from '../table.js';
import { dayBounds, dayOf } from '../transcripts/id-span.js';
import type { BucketViews } from '../views/bucket-views.js';
import { openViews } from '../views/open-views.js';
import { type Block, documentFormats, documentOf } from '../views/report-document.js';
import * as reconcile from './transcripts-reconcile.js';

const DAY_MS = 86_400_000;
/** Rows of a section; of more, how many there are. */
const MOST_ROWS = 100;

type Options = OptionsOf<'transcripts report'>;

export async function run(context: CommandContext, _args: readonly string[], options: Options): Promise<number> {
  const format = oneOfOption(options, 'format', documentFormats) ?? 'markdown';
  const day = textOption(options, 'day') ?? dayOf(Date.now() - DAY_MS);
  const [from, to] = dayBounds('--day', day);
  // all days: what is missing on one, another one knows
  const views = await openViews(context, { ...options, day: undefined, unproven: true }, { quiet: true });
  try {
    const blocks: Block[] = [{ kind: 'title', text: `dbguard, ${day}` }];
    blocks.push(
      ...(await sections(
        views,
        [from, to].map((ms) => new Date(ms).toISOString().slice(0, -1)),
      )),
    );
    blocks.push(...missing(views, from, to));
    const log = textOption(options, 'log');
    if (log !== undefined) blocks.push(...(await aroundDbguard(context, options, log)));
    blocks.push({ kind: 'text', text: countedOnly(views) });
    context.stdout.write(documentOf(blocks, format));
    return 0;
  } finally {
    views.engine.close();
  }
}

async function sections({ engine }: BucketViews, bounds: readonly string[]): Promise<Block[]> {
  const blocks: Block[] = [];
  for (const { title, none, sql } of reportSections) {
    const result = await engine.query(sql, bounds);
    const rows: (readonly unknown[])[] = [];
    let count = 0;
    for await (const some of result.rows()) {
      count += some.length;
      rows.push(...some.slice(0, MOST_ROWS - rows.length));
    }
    blocks.push({ kind: 'heading', text: title });
    if (count === 0) blocks.push({ kind: 'text', text: none });
    else blocks.push({ kind: 'table', columns: result.columns.map(({ name }) => name), rows });
    if (count > rows.length) blocks.push({ kind: 'text', text: `and ${grouped(count - rows.length)} more` });
  }
  return blocks;
}

/** What sessions say of each other, where one of that day is named. */
function missing({ findings }: BucketViews, from: number, to: number): Block[] {
  const ofTheDay = findings.filter(({ severity, message }) => {
    const times = [...message.matchAll(/\b[0-7][0-9a-hjkmnp-tv-z]{25}\b/g)].map(([sid]) => sessionTime(sid));
    return severity !== 'note' && (times.length === 0 || times.some((at) => at >= from && at < to));
  });
  const heading: Block = { kind: 'heading', text: 'Missing, replaced or strange in the bucket' };
  if (ofTheDay.length === 0) return [heading, { kind: 'text', text: 'Nothing that sessions or the bucket know of.' }];
  const rows = ofTheDay.slice(0, MOST_ROWS).map(({ severity, code, message }) => [severity, code, message]);
  return [heading, { kind: 'table', columns: ['severity', 'finding', 'what'], rows }];
}

async function aroundDbguard(context: CommandContext, options: Options, log: string): Promise<Block[]> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = Promise.all([readAll(stdout), readAll(stderr)]);
  try {
    const { bucket, config } = options;
    await reconcile.run({ ...context, stdout, stderr }, [log], { bucket, config });
  } finally {
    stdout.end();
    stderr.end();
  }
  const [found, summary] = await said;
  const lines = found.split('\n').filter((line) => line !== '');
  const blocks: Block[] = [
    { kind: 'heading', text: 'Around dbguard, by the server’s log' },
    ...summary.split('\n').flatMap((text): Block[] => (text === '' ? [] : [{ kind: 'text', text }])),
  ];
  if (lines.length === 0) return blocks;
  const rows = lines.slice(0, MOST_ROWS).map((line) => [line]);
  return [...blocks, { kind: 'table', columns: [`${counted(lines.length, 'line')}`], rows }];
}

function countedOnly({ unproven }: BucketViews): string {
  const left =
    unproven.lines > 0
      ? ` Left out, in all days: ${counted(unproven.lines, 'row')} of ${counted(unproven.sessions, 'session')} that nothing proves to be whose they say.`
      : '';
  return `Counted are rows that are proven to be their person’s, by the writer’s clock; times are UTC.${left} What happened outside dbguard is in the server’s own log.`;
}

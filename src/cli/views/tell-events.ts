import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { EventFormat } from '../../review/views/event-formats.js';
import { eventLine } from '../../review/views/events.js';
import { counted } from '../../words.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { LineWriter } from '../print/line-writer.js';
import type { OptionValues } from '../table.js';
import { idSpan } from '../transcripts/id-span.js';
import { identityDemands, issuerKeys, openTranscripts } from '../transcripts/source.js';
import { EventCursor, eventPass } from './event-pass.js';

/**
 * Events of what is proven to stdout, those that the cursor has not seen; the cursor is moved once they are out. Options: those of a
 * verification, of days, and `cursor`.
 */
export async function tellEvents(context: CommandContext, options: OptionValues, format: EventFormat): Promise<void> {
  const transcripts = await openTranscripts(context, options);
  const named = textOption(options, 'cursor');
  const source = transcripts.bucket;
  const cursor = new EventCursor(named === undefined ? undefined : resolve(context.cwd, named), source.location);
  const out = new LineWriter(context.stdout);
  const host = hostname();
  let reading = true;
  const { unproven } = await eventPass(
    {
      source,
      keys: await issuerKeys(context, options, transcripts),
      demands: await identityDemands(context, options, transcripts),
      now: Date.now(),
      span: idSpan(options),
      emit: async (event) => {
        reading = await out.write(eventLine(event, format, host));
        return reading;
      },
    },
    cursor,
  );
  reading = reading && (await out.flush());
  if (reading) cursor.save();
  if (unproven > 0)
    context.stderr.write(
      `LEFT OUT: what ${counted(unproven, 'session')} say, which nothing proves; each is an event itself.\n`,
    );
}

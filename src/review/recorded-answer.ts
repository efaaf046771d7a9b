/**
 * What was recorded of one statement, without reading the recording of its whole session: of its chunks those alone in which it
 * can be. A chunk's entry stands behind the statements of its lines; how far behind, the writer's queue decides.
 */
import { isRecord } from '../transcript/line.js';
import type { ObjectReader } from './catalog.js';
import { type ShownAnswer, ShownAnswers } from './recorded-results.js';
import { type OpenSealed, type Recording, type RecordingOwner, readRecording } from './recordings.js';
import type { Row } from './statement-rows.js';

export interface RecordedAnswer {
  /** Undefined: nothing of it was recorded, or nothing can be shown. */
  readonly answer: ShownAnswer | undefined;
  /** Why chunks in which it may be are not shown; a sentence. */
  readonly missing: string | undefined;
  /** Something else lies in the place of one. */
  readonly changed: boolean;
}

/** Of a writer whose queue is full, and some more. */
const mostBehind = 32;

/** @param recording its stream `results`. @param open undefined where the reader has no key */
export async function readAnswer(
  owner: RecordingOwner,
  recording: Recording,
  source: Pick<ObjectReader, 'read'>,
  open: OpenSealed | undefined,
  { n, parts }: Pick<Row, 'n' | 'parts'>,
): Promise<RecordedAnswer> {
  // rows of one that never came to its end may lie in any chunk behind it
  const hasEnded = parts.some(({ item }) => item.kind === 'outcome');
  const lastPart = parts.reduce((latest, { item }) => Math.max(latest, item.n), n);
  const last = hasEnded ? lastPart : Number.POSITIVE_INFINITY;
  const chunks = recording.chunks.filter((chunk) => chunk.n > n);
  const answers = new ShownAnswers();
  let [missing, changed, behind]: [string | undefined, boolean, number] = [undefined, false, 0];
  for await (const chunk of readRecording(owner, { ...recording, chunks }, source, open)) {
    if (chunk.state !== 'read') {
      missing ??= chunk.why;
      changed ||= chunk.state === 'changed';
    }
    const lines = chunk.state === 'read' ? chunk.lines.filter((line) => isRecord(line) && line.of === n) : [];
    answers.add(lines);
    if (chunk.n <= last) continue;
    behind++;
    if (chunk.state !== 'read' || chunk.lines.some(beganBehind(last)) || behind >= mostBehind) break;
  }
  return { answer: answers.of(n), missing, changed };
}

/** Lines stand in the order of what came: where one is of a statement behind that entry, all before it has been told. */
const beganBehind = (n: number) => (line: unknown) => isRecord(line) && typeof line.of === 'number' && line.of > n;

/** What became of an object after it was first stored: overwritten, deleted, or the same stored again. */
import { createHash } from 'node:crypto';
import type { Findings } from '../transcript/finding.js';
import type { ObjectHistory, ObjectVersion } from '../transcript/object-history.js';
import { type ObjectReader, piecesFrom } from './catalog.js';
import { isAboutContent } from './read-segment.js';

/** Later versions of one object whose content is looked at. */
const COMPARED = 3;
const DAY_MS = 86_400_000;

export interface VersionOptions {
  readonly source: ObjectReader;
  /** After how many days the bucket's own rules let objects go; what they hide is no deletion by anybody. */
  readonly retentionDays?: number;
}

/** Names both versions. Rejects only when the bucket cannot be read. */
export async function reportVersions(
  object: ObjectHistory,
  findings: Findings,
  options: VersionOptions,
): Promise<void> {
  const { key, gone, version, size, createdAt } = object;
  if (gone) {
    reportDeletion(object, { size, createdAt, ...(version === undefined ? {} : { version }) }, findings, options);
    return;
  }
  for (const [index, other] of object.others.entries()) {
    if (other.deletes) reportDeletion(object, other, findings, options);
    else if (index < COMPARED && (await isSame(object, other, options.source))) {
      findings.note('object-repeated', `${key} was stored again at ${time(other)}, with the same content`);
    } else {
      const message = `${key} was overwritten: ${named(other)}. What counts is what was stored first, ${named(object)}`;
      findings.fail('object-overwritten', message);
    }
  }
}

function reportDeletion(
  object: ObjectHistory,
  marker: ObjectVersion,
  findings: Findings,
  options: VersionOptions,
): void {
  const { key, createdAt } = object;
  const { retentionDays } = options;
  if (retentionDays !== undefined && marker.createdAt - createdAt >= (retentionDays - 1) * DAY_MS) {
    findings.note('session-expired', `${key} has expired: it was kept for ${retentionDays} days, as the rules say`);
    return;
  }
  const rest = object.gone ? 'nothing else is left of it' : `what was stored first, ${named(object)}, is still there`;
  findings.fail('object-deleted', `${key} was deleted: delete marker, ${named(marker)}; ${rest}`);
}

/** A PUT whose answer was lost, and that was sent again to a store without conditions. */
async function isSame(object: ObjectHistory, other: ObjectVersion, source: ObjectReader): Promise<boolean> {
  if (other.size !== object.size) return false;
  try {
    const [first, second] = await Promise.all([
      digestOf(piecesFrom(source, object.key, object.version)),
      digestOf(piecesFrom(source, object.key, other.version)),
    ]);
    return first === second;
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    return false; // gone meanwhile
  }
}

async function digestOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

function named({ version, createdAt }: Pick<ObjectVersion, 'version' | 'createdAt'>): string {
  return `version ${version ?? 'without a name'} of ${time({ createdAt })}`;
}

function time({ createdAt }: Pick<ObjectVersion, 'createdAt'>): string {
  return `${new Date(createdAt).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}

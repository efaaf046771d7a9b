/** What became of an object after it was first stored: overwritten, deleted, or the same stored again. */
import { newSha256 } from '../sha256.js';
import type { Findings } from '../transcript/finding.js';
import type { ObjectHistory, ObjectVersion } from '../transcript/object-history.js';
import { grouped } from '../words.js';
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

/** Names both versions; of many later ones the first, and how many there are. Rejects only when the bucket cannot be read. */
export async function reportVersions(
  object: ObjectHistory,
  findings: Findings,
  options: VersionOptions,
): Promise<void> {
  const { key, gone, version, size, createdAt } = object;
  if (gone) {
    const only = { size, createdAt, ...(version === undefined ? {} : { version }) };
    if (hasExpired(object, only, options)) noteExpiry(object, findings, options);
    else failDeleted(object, only, findings);
    return;
  }
  let overwrite: ObjectVersion | undefined;
  let marker: ObjectVersion | undefined;
  let expired = false;
  for (const [index, other] of object.others.entries()) {
    if (other.deletes && hasExpired(object, other, options)) expired = true;
    else if (other.deletes) marker ??= other;
    else if (index < COMPARED && (await isSame(object, other, options.source))) {
      findings.note('object-repeated', `${key} was stored again at ${time(other)}, with the same content`);
    } else overwrite ??= other;
  }
  if (overwrite !== undefined) {
    const message = `${key} was overwritten: ${named(overwrite)}${among(object)}. What counts is what was stored first, ${named(object)}`;
    findings.fail('object-overwritten', message);
  }
  if (marker !== undefined) failDeleted(object, marker, findings);
  if (expired) noteExpiry(object, findings, options);
}

function failDeleted(object: ObjectHistory, marker: ObjectVersion, findings: Findings): void {
  const rest = object.gone ? 'nothing else is left of it' : `what was stored first, ${named(object)}, is still there`;
  const message = `${object.key} was deleted: delete marker, ${named(marker)}${among(object)}; ${rest}`;
  findings.fail('object-deleted', message);
}

/** A marker that the bucket's own rules make; nobody else's deletion. */
function hasExpired({ createdAt }: ObjectHistory, marker: ObjectVersion, { retentionDays }: VersionOptions): boolean {
  return retentionDays !== undefined && marker.createdAt - createdAt >= (retentionDays - 1) * DAY_MS;
}

function noteExpiry({ key }: ObjectHistory, findings: Findings, { retentionDays }: VersionOptions): void {
  findings.note('session-expired', `${key} has expired: it was kept for ${retentionDays} days, as the rules say`);
}

/** How many others stand beside the one that is named. */
function among({ otherCount }: ObjectHistory): string {
  return otherCount > 1 ? `, one of ${grouped(otherCount)} later versions and delete markers` : '';
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
  const hash = newSha256();
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

function named({ version, createdAt }: Pick<ObjectVersion, 'version' | 'createdAt'>): string {
  return `version ${version ?? 'without a name'} of ${time({ createdAt })}`;
}

function time({ createdAt }: Pick<ObjectVersion, 'createdAt'>): string {
  return `${new Date(createdAt).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}

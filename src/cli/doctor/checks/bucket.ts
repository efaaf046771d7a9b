/** Where transcripts go. Nothing is stored: `check-bucket` tries out what only a write can tell. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ownTranscripts } from '../../../io/files/state-dirs.js';
import { checkBucket } from '../../../review/bucket-checks.js';
import { openBucketProbe } from '../../transcripts/source.js';
import { type Check, failure, noTerminal, ok, warning } from '../check.js';

export const bucket: Check = {
  name: 'bucket',
  async run({ context, named, settings }) {
    const where = settings().config.bucket ?? ownTranscripts(context.env);
    if (where.kind === 'file') {
      const path = resolve(where.path);
      const existing = firstThatExists(path);
      try {
        accessSync(existing, constants.W_OK);
      } catch {
        return [failure(`${existing} cannot be written`, `chmod u+rwx '${existing}'`)];
      }
      const text = `a folder, ${path}: whoever can write there can delete from it`;
      return [warning(text, 'Name a bucket with Object Lock: dbguard init --bucket s3://BUCKET/PREFIX')];
    }
    const { probe, location } = await openBucketProbe(noTerminal(context), { config: named });
    if (probe === undefined) return [];
    const { checks } = await checkBucket(probe, { id: 'doctor' });
    const hint = 'dbguard transcripts check-bucket';
    return [
      ok(`${location} answers; whether it takes what is new and nothing twice: ${hint}`),
      ...checks.map(({ holds, label, text }) =>
        holds === 'yes'
          ? ok(`${label}: ${text}`)
          : holds === 'no'
            ? failure(`${label}: ${text}`, hint)
            : warning(`${label}: ${text}`, hint),
      ),
    ];
  },
};

function firstThatExists(path: string): string {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

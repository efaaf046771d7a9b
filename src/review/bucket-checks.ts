/**
 * Does a bucket hold what dbguard promises of it? Tried out with objects that are nobody's evidence, and reported as it
 * was found.
 *
 * What lives here: which trials there are, in which order, and what an answer means. What it must not know: S3.
 */
import type { Answer, BucketProbe, PutOptions } from '../transcript/bucket-probe.js';
import { nobodysFolder, probeKey } from '../transcript/object-key.js';

export interface BucketCheck {
  readonly holds: 'yes' | 'no' | 'unknown';
  readonly label: string;
  readonly text: string;
}

export interface BucketChecks {
  readonly checks: readonly BucketCheck[];
  /** What was stored and not taken away again. */
  readonly left: readonly string[];
}

export interface CheckOptions {
  /** The writer's folder, as `subjectHash` gives it. Without it nothing is written. */
  readonly subject?: string;
  /** In the names of what is stored. */
  readonly id: string;
  /** Days that dbguard.yaml asks Object Lock for. */
  readonly objectLockDays?: number;
}

export async function checkBucket(probe: BucketProbe, options: CheckOptions): Promise<BucketChecks> {
  const settings = [await versions(probe), await lock(probe, options.objectLockDays)];
  if (options.subject === undefined) return { checks: settings, left: [] };
  const written = await writing(probe, options.subject, options.id);
  return { checks: [...written.checks, ...settings], left: written.left };
}

async function writing(probe: BucketProbe, subject: string, id: string): Promise<BucketChecks> {
  const own = probeKey(subject, id);
  const left = new Set<string>();
  const put = async (key: string, options: PutOptions, text = 'dbguard checks this bucket\n'): Promise<Answer> => {
    const answer = await probe.put(key, text, options);
    if (answer === 'done') left.add(key);
    return answer;
  };
  const recording = await put(own, { onlyIfNew: true });
  const first = say('records', recording, {
    done: ['yes', 'these credentials may create objects in their own folder'],
    denied: [
      'no',
      'these credentials may not create objects in their own folder: right for a reader, not for a writer',
    ],
    unable: [
      'no',
      'the store refuses creation on condition (If-None-Match) or with a SHA-256 checksum: dbguard cannot use it',
    ],
  });
  if (recording !== 'done') return { checks: [first], left: [] };
  const checks = [
    first,
    say('write-once', await put(own, { onlyIfNew: true }, 'something else\n'), {
      exists: ['yes', 'a name that is taken stays as it is (If-None-Match)'],
      done: ['no', 'the store took no notice of If-None-Match and replaced an object: it is not write-once'],
    }),
    say('plain PUT', await put(own, { onlyIfNew: false }), {
      denied: ['yes', 'a PUT without If-None-Match is denied: nothing can be replaced'],
      done: ['no', 'a PUT without If-None-Match replaces an object: the bucket policy must deny it'],
    }),
    say('own folder', await put(probeKey(nobodysFolder, id), { onlyIfNew: true }), {
      denied: ['yes', 'creation in another person’s folder is denied'],
      done: ['no', 'these credentials may create objects in other people’s folders: the bucket policy must deny it'],
    }),
    say('checksum', await put(probeKey(subject, `${id}-checksum`), { onlyIfNew: true, wrongChecksum: true }), {
      mismatch: ['yes', 'bytes that do not fit their SHA-256 are refused'],
      done: ['no', 'the store took bytes that do not fit their SHA-256: what was changed on the way would be stored'],
    }),
    await reading(probe, own),
    await deleting(probe, own, left),
  ];
  return { checks, left: [...left].sort() };
}

async function reading(probe: BucketProbe, key: string): Promise<BucketCheck> {
  return say('reading', await probe.read(key), {
    done: ['yes', 'these credentials may read; who only records need not'],
    denied: ['yes', 'these credentials may not read: enough for recording, not for verification'],
  });
}

/** Last: what it takes away cannot be tried on any more. */
async function deleting(probe: BucketProbe, key: string, left: Set<string>): Promise<BucketCheck> {
  const answer = await probe.remove(key);
  if (answer === 'done') left.delete(key);
  return say('deletion', answer, {
    denied: ['yes', 'deletion is denied'],
    done: ['no', 'these credentials may delete: the bucket policy must deny it'],
  });
}

async function versions(probe: BucketProbe): Promise<BucketCheck> {
  const label = 'versions';
  switch (await probe.keeping()) {
    case 'kept':
      return { holds: 'yes', label, text: 'the bucket keeps versions: an overwrite or a deletion would be seen' };
    case 'suspended':
      return { holds: 'no', label, text: 'versioning is suspended: an overwrite would not be seen' };
    case 'none':
      return { holds: 'no', label, text: 'this bucket keeps no versions: an overwrite would not be seen' };
    case 'hidden':
      return {
        holds: 'unknown',
        label,
        text: 'these credentials may not list versions (s3:ListBucketVersions): ask as a lead',
      };
  }
}

async function lock(probe: BucketProbe, wanted: number | undefined): Promise<BucketCheck> {
  const label = 'Object Lock';
  const days = await probe.lockDays();
  if (days === 'denied') {
    const text = 'these credentials may not ask for it (s3:GetBucketObjectLockConfiguration): ask as a lead';
    return { holds: 'unknown', label, text };
  }
  if (days === 'off' || days === 'unable') {
    return { holds: 'no', label, text: 'off: an administrator of the bucket could delete transcripts' };
  }
  if (wanted !== undefined) return { holds: 'yes', label, text: `on; dbguard asks for ${wanted} days for each object` };
  if (days > 0) return { holds: 'yes', label, text: `on, ${days} days for each object` };
  const text = 'on, but without a default retention, and dbguard.yaml sets no object_lock_days: nothing is locked';
  return { holds: 'no', label, text };
}

type Words = Partial<Record<Answer, readonly [BucketCheck['holds'], string]>>;

const unexpected: Readonly<Record<Answer, string>> = {
  done: 'was done',
  exists: 'the name is taken',
  denied: 'is denied for another reason',
  unable: 'the store does not know this request',
  mismatch: 'the store says that the checksum does not fit',
};

function say(label: string, answer: Answer, words: Words): BucketCheck {
  const [holds, text] = words[answer] ?? ['unknown', `not found out: ${unexpected[answer]}`];
  return { holds, label, text };
}

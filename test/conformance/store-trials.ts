/**
 * What dbguard expects of a store, tried on a real one: creation on condition, versions, and that `check-bucket` says
 * beforehand what a writer and a reader will meet.
 */
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { DbguardError } from '../../src/errors.js';
import { openBucket } from '../../src/io/bucket/open.js';
import { openS3Probe } from '../../src/io/bucket/s3-probe.js';
import { checkBucket } from '../../src/review/bucket-checks.js';
import { segmentKey, subjectHash } from '../../src/transcript/object-key.js';
import { differences, judge } from '../review/judge.js';
import { castAt, Scene } from '../review/tamperings.js';
import { adminOf, createVersionedBucket, openRealVault, type RealStore, setKey } from './real-store.js';

export interface Trial {
  readonly name: string;
  /** What is not as expected; empty when all is. */
  readonly run: (store: RealStore, bucket: string) => Promise<string[]>;
}

const subject = subjectHash({ iss: 'https://issuer.example.test', sub: 'ada' });
const key = segmentKey(`v1/${subject}/01arz3ndektsv4rrffq69g5fav/`, 0);

type Kind = 'no versions' | 'versions' | 'suspended' | 'locked';
const expected: Readonly<Record<Kind, { versions: string; lock: string; keeping: string }>> = {
  'no versions': { versions: 'no', lock: 'no', keeping: 'none' },
  versions: { versions: 'yes', lock: 'no', keeping: 'kept' },
  suspended: { versions: 'no', lock: 'no', keeping: 'suspended' },
  locked: { versions: 'yes', lock: 'yes', keeping: 'kept' },
};

export const trials: readonly Trial[] = [
  ...(Object.keys(expected) as Kind[]).map(
    (kind): Trial => ({
      name: `check-bucket tells what a writer will meet: ${kind}`,
      async run(store, name) {
        await createBucket(adminOf(store), name, kind);
        const config = { kind: 's3', bucket: name, prefix: '', endpoint: store.endpoint } as const;
        const bucket = await openBucket(config, { env: {} });
        const holds = await answersOf(store, name);
        const created = await bucket.create(key, Buffer.from('first')).then(() => 'yes', unsuitable);
        const again = await bucket.create(key, Buffer.from('first')).then(() => 'yes', unsuitable);
        const other = await bucket.create(key, Buffer.from('second')).then(() => 'replaced', unsuitable);
        const { versions, lock, keeping } = expected[kind];
        return unlike([
          ['creation', created, holds['write-once']],
          ['the same again', again, holds['write-once']],
          ['something else again', other, holds['write-once'] === 'yes' ? 'bucket-conflict' : 'no'],
          ['versions', holds.versions, versions],
          ['Object Lock', holds['Object Lock'], lock],
          ['keeping', await bucket.keeping(), keeping],
          ['what counts', Buffer.from(await bucket.read(key)).toString(), 'first'],
        ]);
      },
    }),
  ),
  {
    name: 'check-bucket tells what a policy denies',
    async run(store, name) {
      await createVersionedBucket(adminOf(store), name);
      const [place, objects] = [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/v1/${subject}/*`];
      const key = await store.narrow(name, { Action: ['s3:PutObject'], Resource: [place, objects] });
      const holds = await answersOf({ ...store, key }, name).finally(() => setKey(store.key));
      const asked = ['records', 'own folder', 'deletion', 'versions', 'Object Lock'] as const;
      const answers = ['yes', 'yes', 'yes', 'unknown', 'unknown'];
      return unlike(asked.map((label, n) => [label, holds[label], answers[n]]));
    },
  },
  {
    name: 'what check-bucket leaves is no finding',
    async run(store, name) {
      const scene = new Scene(await castAt(Date.now() - 10_000));
      const vault = await openRealVault(store, name);
      await scene.store(vault);
      await answersOf(store, name, subjectHash(scene.cast.ada.subject));
      const row = { name: 'nothing at all', change: () => undefined, verdict: 'proven', exit: 0 } as const;
      const judgement = await judge(scene, vault);
      return [...differences(row, judgement), ...judgement.messages];
    },
  },
];

async function createBucket(admin: S3Client, name: string, kind: Kind): Promise<void> {
  await admin.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: kind === 'locked' }));
  if (kind === 'locked') {
    const Rule = { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } } as const;
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule } as const;
    await admin.send(new PutObjectLockConfigurationCommand({ Bucket: name, ObjectLockConfiguration }));
  }
  const states = { 'no versions': [], versions: ['Enabled'], suspended: ['Enabled', 'Suspended'], locked: [] } as const;
  for (const Status of states[kind]) {
    await admin.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status } }));
  }
}

/** What `check-bucket` says, by the label of the line. */
async function answersOf(store: RealStore, bucket: string, writer = subject): Promise<Record<string, string>> {
  setKey(store.key);
  const probe = openS3Probe({ kind: 's3', bucket, prefix: '', endpoint: store.endpoint }, { env: {} });
  const { checks } = await checkBucket(probe, { subject: writer, id: 'trial' });
  return Object.fromEntries(checks.map(({ label, holds }) => [label, holds]));
}

/** `no` where the store was found unsuitable, else the code. */
function unsuitable(error: unknown): string {
  if (!(error instanceof DbguardError)) throw error;
  return error.code === 'bucket-unsuitable' ? 'no' : error.code;
}

function unlike(rows: readonly (readonly [string, string | undefined, string | undefined])[]): string[] {
  return rows.flatMap(([what, found, wanted]) => (found === wanted ? [] : [`${what}: ${found}, not ${wanted}`]));
}

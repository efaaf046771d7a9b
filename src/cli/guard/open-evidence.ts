/** The transcript of this session: nothing runs before its opening entry is where it belongs. */
import { DbguardError } from '../../errors.js';
import { openBucket } from '../../io/bucket/open.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import { recoverSpool } from '../../io/spool/recovery.js';
import { openTranscript, type Transcript } from '../../io/spool/spool.js';
import type { Progress } from '../../io/spool/uploader.js';
import { connectUpstream, type Upstream } from '../../io/upstream/connect.js';
import { readLogSettings } from '../../io/upstream/log-settings.js';
import type { Bucket } from '../../transcript/entry.js';
import { dbguardVersion } from '../version.js';
import type { Closers } from './closers.js';
import type { CloseOptions } from './contract.js';
import type { OpenIdentity } from './open-identity.js';
import type { Setup } from './setup.js';

export interface OpenEvidence {
  readonly bucket: Bucket;
  readonly recorder: Transcript['recorder'];
  readonly record: Transcript['record'];
  /** How many of dbguard's own connections there were. */
  ownConnections(): number;
  /** Records a connection of dbguard's own: without an entry it would look as if it went around dbguard. */
  readonly own: (database: string, upstream: Upstream) => void;
  /** Where sockets go. */
  readonly runtime: string;
  /** What became of the upload, once everything is closed. */
  uploaded(): Progress;
}

/** How long the bucket may take for the opening entry before the run gives up (or goes on, where the policy allows). */
const bucketPatienceMs = 15_000;
/** A bucket that says no each time is given up sooner than one that says nothing. */
const bucketAttempts = 3;

export async function openEvidence(
  setup: Setup,
  { keeper, credential, upstream, temporary }: OpenIdentity,
  closers: Closers<CloseOptions>,
): Promise<OpenEvidence> {
  const { context, options, policy, name, connection } = setup;
  const bucket = await openBucket(setup.bucket, { env: context.env, idToken: async () => keeper.login.idToken });
  const { state, runtime } = stateDirs(context.env);
  // the first connection finds out whether there is a database at all, in words for a person
  const first = await connectUpstream(upstream, new Map([['application_name', `dbguard/${credential.sid}`]]));
  const logSettings = await readLogSettings(first, upstream).finally(() => first.socket.destroy());
  // until the bucket has taken the opening entry its trouble is the error that ends the run, said once
  let opening = true;
  const transcript = openTranscript({
    state,
    bucket,
    credential,
    connection: {
      name,
      host: upstream.hosts.map((host) => host.host).join(','),
      port: upstream.hosts[0]?.port ?? 5432,
      database: upstream.database,
      user: upstream.user,
      serverVersion: first.serverVersion,
      environment: connection.environment,
      ...(connection.access === undefined ? {} : { access: 'on-request' as const }),
      ...logSettings,
    },
    policy: { name: policy.name, digest: policy.digest },
    version: dbguardVersion,
    agent: options.agent,
    onTrouble: (error) => {
      if (!opening) options.onTrouble(error);
    },
    onFailure: options.onTrouble,
  });
  const recovery = new AbortController();
  let recovered: Promise<unknown> = Promise.resolve();
  let uploaded: Progress = { uploaded: 0, left: 0 };
  closers.defer(async ({ graceMs: _, ...finish }) => {
    try {
      uploaded = await transcript.finish(finish);
      // The bucket can be reached: a run that was short must not leave the earlier ones waiting for ever.
      if (uploaded.left === 0) await settledOr(recovered, finish.signal);
    } finally {
      recovery.abort();
    }
  });

  const { recorder } = transcript;
  let ownConnections = 0;
  const own = (database: string, { backendKey }: Upstream): void => {
    ownConnections++;
    recorder.append({ k: 'connection', event: 'own', database, user: upstream.user, backendPid: backendKey?.pid });
  };
  own(upstream.database, first);
  if (temporary) recorder.append({ k: 'connection', event: 'own', ...temporary.madeBy });
  await bucketReady(transcript, policy.offline, options.onTrouble);
  opening = false;
  // what earlier runs left behind goes up in the background
  recovered = recoverSpool({ state, bucket, signal: recovery.signal }).catch(() => {});
  return {
    bucket,
    recorder,
    record: transcript.record,
    own,
    ownConnections: () => ownConnections,
    runtime,
    uploaded: () => uploaded,
  };
}

function settledOr(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
  if (!signal) return work;
  if (signal.aborted) return Promise.resolve();
  return Promise.race([work, new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))]);
}

async function bucketReady(
  transcript: Transcript,
  offline: 'deny' | 'allow',
  onTrouble: (error: DbguardError) => void,
): Promise<void> {
  try {
    await transcript.ready(bucketPatienceMs, bucketAttempts);
  } catch (error) {
    if (offline === 'deny' || !(error instanceof DbguardError)) throw error;
    // waiting helps against a bucket that is away, never against one that cannot keep a transcript
    if (error.code === 'bucket-unsuitable') throw error;
    onTrouble(error);
  }
}

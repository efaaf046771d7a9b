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
import type { SessionConnection } from '../../transcript/open-entry.js';
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
  identity: OpenIdentity,
  closers: Closers<CloseOptions>,
): Promise<OpenEvidence> {
  const { context } = setup;
  const { keeper } = identity;
  const bucket = await openBucket(setup.bucket, { env: context.env, idToken: async () => keeper.login.idToken });
  const { first, server } = await lookAtServer(identity);
  const evidence = await openSession(setup, identity, { bucket, server, first }, closers);
  const recovery = new AbortController();
  // what earlier runs left behind goes up in the background
  const { state } = stateDirs(context.env);
  const recovered = recoverSpool({ state, bucket, signal: recovery.signal }).catch(() => {});
  evidence.afterwards(async (signal) => {
    try {
      // The bucket can be reached: a run that was short must not leave the earlier ones waiting for ever.
      if (evidence.uploaded().left === 0) await settledOr(recovered, signal);
    } finally {
      recovery.abort();
    }
  });
  return evidence;
}

/** What the server says of itself and its log. */
export type ServerFacts = Pick<SessionConnection, 'serverVersion' | 'logLinePrefix' | 'logTimezone'>;

/** The first connection finds out whether there is a database at all, in words for a person. */
export async function lookAtServer({
  credential,
  upstream,
}: Pick<OpenIdentity, 'credential' | 'upstream'>): Promise<{ first: Upstream; server: ServerFacts }> {
  const first = await connectUpstream(upstream, new Map([['application_name', `dbguard/${credential.sid}`]]));
  const logSettings = await readLogSettings(first, upstream).finally(() => first.socket.destroy());
  return { first, server: { serverVersion: first.serverVersion, ...logSettings } };
}

export interface SessionEvidence extends OpenEvidence {
  /** What is done last, when the transcript has been uploaded as far as it could. */
  afterwards(work: (signal: AbortSignal | undefined) => Promise<void>): void;
}

/** The transcript alone. @param first a connection that was opened before it, and belongs to it */
export async function openSession(
  setup: Setup,
  { credential, upstream, temporary }: Pick<OpenIdentity, 'credential' | 'upstream' | 'temporary'>,
  { bucket, server, first }: { readonly bucket: Bucket; readonly server: ServerFacts; readonly first?: Upstream },
  closers: Closers<CloseOptions>,
): Promise<SessionEvidence> {
  const { context, options, policy, name, connection } = setup;
  const { state, runtime } = stateDirs(context.env);
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
      environment: connection.environment,
      ...(connection.access === undefined ? {} : { access: 'on-request' as const }),
      ...server,
    },
    policy: { name: policy.name, digest: policy.digest },
    version: dbguardVersion,
    agent: options.agent,
    onTrouble: (error) => {
      if (!opening) options.onTrouble(error);
    },
    onFailure: options.onTrouble,
  });
  let afterwards: (signal: AbortSignal | undefined) => Promise<void> = async () => undefined;
  let uploaded: Progress = { uploaded: 0, left: 0 };
  closers.defer(async ({ graceMs: _, ...finish }) => {
    try {
      uploaded = await transcript.finish(finish);
    } finally {
      await afterwards(finish.signal);
    }
  });

  const { recorder } = transcript;
  let ownConnections = 0;
  const own = (database: string, { backendKey }: Upstream): void => {
    ownConnections++;
    recorder.append({ k: 'connection', event: 'own', database, user: upstream.user, backendPid: backendKey?.pid });
  };
  if (first) own(upstream.database, first);
  if (temporary) recorder.append({ k: 'connection', event: 'own', ...temporary.madeBy });
  await bucketReady(transcript, policy.offline, options.onTrouble);
  opening = false;
  return {
    afterwards: (work) => {
      afterwards = work;
    },
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

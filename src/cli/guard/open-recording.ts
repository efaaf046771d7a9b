/** Recordings of a session, where its connection has them: nothing is encrypted, loaded or written for one that has none. */
import type { DbguardError } from '../../errors.js';
import { microsecondClock } from '../../io/microsecond-clock.js';
import type { RecordingWriter } from '../../io/spool/recording-writer.js';
import type { RecordConfig } from '../../policy/read-record.js';
import type { ResultRecording } from '../../proxy/server/result-tap.js';
import { type Encrypt, encryptionTo } from '../../transcript/age/age.js';
import type { RecordedStream } from '../../transcript/recording.js';
import type { Closers } from './closers.js';
import type { CloseOptions } from './contract.js';
import type { OpenEvidence } from './open-evidence.js';
import type { Setup } from './setup.js';

export interface OpenRecording {
  readonly config: RecordConfig | undefined;
  readonly results: (ResultRecording & Pick<RecordingWriter, 'onDrain'>) | undefined;
  /** Begins the recording of the screen; undefined where there is none. Call it once. */
  terminal(): RecordingWriter | undefined;
  /** What must be recorded cannot be any more. */
  onLost(endSession: () => void): void;
  /** Why, once it could not. */
  readonly lost: DbguardError | undefined;
}

const notRecorded: OpenRecording = {
  ...{ config: undefined, results: undefined, lost: undefined },
  terminal: () => undefined,
  onLost: () => undefined,
};

/** Of the results of one statement, bytes. */
const maxBytes = 1 << 20;

export async function openRecording(
  { connection, options }: Pick<Setup, 'connection' | 'options'>,
  { record }: Pick<OpenEvidence, 'record'>,
  closers: Closers<CloseOptions>,
): Promise<OpenRecording> {
  const config = connection.record;
  if (config === undefined) return notRecorded;
  const { encryptTo, keepDays, maxRows, required } = config;
  const encrypt = encryptTo.length === 0 ? undefined : await loaded(encryptTo);
  let endSession = (): void => undefined;
  let lost: DbguardError | undefined;
  const failed = (error: DbguardError): void => {
    options.onTrouble(error);
    if (!required) return;
    lost ??= error;
    endSession();
  };
  const begin = (stream: RecordedStream, caps: object): RecordingWriter => {
    const recipients = encrypt ? encryptTo : undefined;
    const writer = record({ stream, keepDays, recipients, ...caps }, encrypt, failed);
    closers.defer(() => writer.close());
    return writer;
  };
  return {
    config,
    results: config.results ? resultsOf(begin('results', { maxRows, maxBytes }), maxRows) : undefined,
    terminal: () => (config.terminal ? begin('terminal', {}) : undefined),
    onLost(listener) {
      endSession = listener;
    },
    get lost() {
      return lost;
    },
  };
}

/** The first encryption is slow: it is done before anybody waits. */
async function loaded(recipients: readonly string[]): Promise<Encrypt> {
  const encrypt = await encryptionTo(recipients);
  await encrypt(new Uint8Array());
  return encrypt;
}

function resultsOf(writer: RecordingWriter, maxRows: number): OpenRecording['results'] {
  const now = microsecondClock();
  return {
    get full() {
      return writer.full;
    },
    maxRows,
    maxBytes,
    write: (line) => writer.write(line),
    now,
    onDrain: (listener) => writer.onDrain(listener),
  };
}

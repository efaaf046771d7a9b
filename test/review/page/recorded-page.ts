/** A page of a session whose results and screen were recorded to an age key and an SSH key, made by hand so that each part can be attacked. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { DbguardError } from '../../../src/errors.js';
import { listSessions } from '../../../src/review/catalog.js';
import { collect } from '../../../src/review/page/collect.js';
import { dataText } from '../../../src/review/page/document.js';
import type { PageData } from '../../../src/review/page/page-data.js';
import { encryptionTo } from '../../../src/transcript/age/age.js';
import type { EntryBody } from '../../../src/transcript/entry.js';
import { beginEntry, chunkEntry, chunkKey, endEntry, type RecordedStream } from '../../../src/transcript/recording.js';
import { newSshKey } from '../../helpers/ssh-key.js';
import { clientId, testIssuer } from '../../transcript/people.js';
import { memorySource, objectsOf, record } from '../../transcript/recorded.js';

export interface RecordedPage {
  /** AGE-SECRET-KEY-1... */
  readonly key: string;
  /** An OpenSSH private key; either opens it. */
  readonly sshKey: string;
  readonly data: PageData;
  readonly text: string;
}

const secret = 'four thousand seven hundred and eleven';
/** What the client saw, and what was drawn. */
export const shown = { value: secret, screen: 'drawn on the screen' };

/** @param isThere what of the chunks lies in the bucket */
export async function recordedPage(isThere: (key: string) => boolean = () => true): Promise<RecordedPage> {
  const at = Date.UTC(2026, 10, 23, 12);
  const issuer = await testIssuer(undefined, 'k1', 'EdDSA');
  const login = await issuer.login('ada', { at });
  const key = await generateX25519Identity();
  const ssh = newSshKey();
  const recipients = [await identityToRecipient(key), ssh.publicLine];
  const encrypt = await encryptionTo(recipients);
  const us = (at + 1500) * 1000;
  const lines: Readonly<Record<RecordedStream, readonly unknown[][]>> = {
    results: [
      [
        { of: 2, t: us, columns: [['note', 25]] },
        { of: 2, rows: [[shown.value], [null]] },
      ],
      [{ of: 4, message: { severity: 'NOTICE', code: '00000', message: 'told' } }],
    ],
    terminal: [
      [
        [us, 's', '80x24'],
        [us + 10, 'o', `\u001b[31m${shown.screen}\u001b]0;title\u0007\r\n`],
      ],
      [[us + 500_000, 'o', 'and more']],
    ],
  };
  const entries: EntryBody[] = [];
  const chunks: {
    readonly stream: RecordedStream;
    readonly chunk: number;
    readonly digest: string;
    readonly bytes: Uint8Array;
  }[] = [];
  for (const stream of ['results', 'terminal'] as const) {
    entries.push(beginEntry({ stream, keepDays: 90, recipients }));
    for (const [chunk, part] of lines[stream].entries()) {
      const bytes = await encrypt(gzipSync(part.map((line) => `${JSON.stringify(line)}\n`).join('')));
      const digest = createHash('sha256').update(bytes).digest('base64url');
      entries.push(chunkEntry(stream, { chunk, digest, size: bytes.length }));
      chunks.push({ stream, chunk, digest, bytes });
    }
    entries.push(endEntry(stream, 'session'));
  }
  const session = record(login, { at: at + 1000, statements: 4, extra: entries.map((entry) => [entry] as const) });
  const objects = objectsOf(session, at + 10_000);
  const [, subject = ''] = session.prefix.split('/');
  const stored = new Map(
    chunks.map(({ stream, chunk, digest, bytes }) => {
      const place = { subject, sid: session.sid, stream, keepDays: 90, encrypted: true };
      return [chunkKey(place, chunk, digest), bytes] as const;
    }),
  );
  const memory = memorySource([
    ...objects,
    ...[...stored].flatMap(([key, bytes]) => (isThere(key) ? [{ key, bytes, createdAt: at + 10_000 }] : [])),
  ]);
  const source = {
    ...memory,
    read: async (key: string) => {
      if (stored.has(key) && !isThere(key)) throw new DbguardError('transcript-unknown', 'it has expired');
      return memory.read(key);
    },
  };
  const keys = { keysOf: async () => [{ ...issuer.keys, origin: 'test' }] };
  const how = { source, keys, demands: { clientId }, now: at + 3_600_000 };
  const sessions = [];
  for await (const one of listSessions(source)) sessions.push(one);
  const { reports: _, ...collected } = await collect(sessions, how, async () => [], true);
  const { demands, now: madeAt } = how;
  const data: PageData = { v: 1, madeAt, version: 'test', location: 'memory', keeping: 'kept', demands, ...collected };
  return { key, sshKey: ssh.privateFile, data, text: dataText(data) };
}

/** The page with other chunks, as somebody makes it who can make pages. */
export function withChunks(
  { data }: RecordedPage,
  change: (chunks: NonNullable<PageData['recordings']>) => NonNullable<PageData['recordings']>,
): PageData {
  return { ...data, recordings: change(data.recordings ?? []) };
}

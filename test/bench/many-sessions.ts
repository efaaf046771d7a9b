/**
 * What a person waits for in front of a bucket of many sessions: `list` and `search`, of all of them and of one day, and
 * `verify --all`, by the real command, in a folder and over S3.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startS3, testKey } from '../helpers/s3.js';
import { clientId, testIssuer } from '../transcript/people.js';
import { objectsOf, record } from '../transcript/recorded.js';
import { count, type Measured, runTranscripts } from './transcripts-command.js';

const DAY_MS = 86_400_000;
const firstDay = Date.UTC(2026, 0, 1, 9);
const days = 250;
const aDay = '2026-03-03';
const commands = [
  ['list'],
  ['list', '--day', aDay],
  ['search', 'SELECT 1'],
  ['search', 'no such text'],
  ['verify', '--all', '--offline', '--keys', 'keys.json', '--client-id', clientId],
];

export async function benchManySessions(sessions: number): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'dbguard-bench-'));
  const s3 = await startS3('many');
  s3.pageSize = 1000; // as a store's is: the tests' own is small
  try {
    const start = performance.now();
    const objects = await fill(root, sessions, (key, body) => {
      s3.buckets.get('many')?.put(key, { body, createdAt: new Date() });
    });
    const made = ((performance.now() - start) / 1000).toFixed(0);
    console.log(
      `\n${count(sessions)} sessions of 20 people on ${days} days, ${count(objects)} objects (made in ${made} s)`,
    );
    const env = {
      AWS_ACCESS_KEY_ID: testKey.id,
      AWS_SECRET_ACCESS_KEY: testKey.secret,
      AWS_ENDPOINT_URL: s3.endpoint,
      AWS_REGION: 'us-east-1',
    };
    const places = {
      folder: `file:${join(root, 'bucket')}`,
      S3: 's3://many',
    };
    for (const [place, bucket] of Object.entries(places)) {
      for (const args of commands) {
        const measured = await runTranscripts(root, [...args, '--bucket', bucket], env);
        console.log(`${place}: ${args.join(' ')}`.padEnd(60) + figures(measured));
      }
    }
  } finally {
    await s3.close();
    rmSync(root, { recursive: true });
  }
}

/** Returns how many objects there are. */
async function fill(root: string, sessions: number, alsoIn: (key: string, body: Buffer) => void): Promise<number> {
  const issuer = await testIssuer();
  writeFileSync(join(root, 'keys.json'), JSON.stringify(issuer.keys));
  let objects = 0;
  for (let n = 0; n < sessions; n++) {
    const at = firstDay + (n % days) * DAY_MS + n;
    const login = await issuer.login(`dev-${n % 20}`, { at: at - 1000 });
    for (const { key, bytes } of objectsOf(record(login, { at, statements: 3 }), at)) {
      const path = join(root, 'bucket', key);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
      alsoIn(key, Buffer.from(bytes));
      objects++;
    }
  }
  return objects;
}

function figures({ out, wall, cpu, peak }: Measured): string {
  const lines = out === '' ? 0 : out.trimEnd().split('\n').length;
  const columns = [
    `${count(lines)} lines`,
    `${wall.toFixed(1)} s`,
    `CPU ${cpu.toFixed(1)} s`,
    `${peak.toFixed(0)} MiB`,
  ];
  return columns.map((column) => column.padStart(14)).join('');
}

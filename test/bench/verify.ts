/**
 * How fast a bucket is verified and listed, by the real command, against the floor of one Ed25519 verification for each
 * signature, and whether memory stays flat.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { openBucket } from '../../src/io/bucket/open.js';
import { clientId, issuerUrl, testIssuer } from '../transcript/people.js';
import { isSignature, objectsOf, record } from '../transcript/recorded.js';
import { count, type Measured, runTranscripts } from './transcripts-command.js';

export interface Scale {
  readonly sessions: number;
  /** In each. */
  readonly statements: number;
}

interface Written {
  readonly entries: number;
  readonly signatures: number;
  readonly bytes: number;
}

export async function benchVerification({ sessions, statements }: Scale): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dbguard-bench-'));
  try {
    const { entries, signatures, bytes } = await fill(folder, sessions, statements);
    const floor = await ed25519Floor();
    const total = sessions * statements;
    console.log(
      `\ntranscripts: ${count(total)} statements in ${count(sessions)} sessions (${count(entries)} entries, ${count(signatures)} signatures, ${Math.round(bytes / 1e6)} MB); ${availableParallelism()} cores`,
    );
    console.log(`one Ed25519 verification, all cores busy: ${floor.toFixed(0)} us`);
    const verified = await runTranscripts(folder, ['verify', '--all', '--offline', '--keys', 'keys.json']);
    if (!verified.out.includes(`${sessions} proven, 0 not all proven, 0 changed`)) throw new Error(verified.out);
    const share = (100 * signatures * floor) / 1e6 / verified.cpu;
    console.log(`verify --all: ${rates(total, 'statements', verified)}; Ed25519 alone is ${share.toFixed(0)} % of it`);
    const listed = await runTranscripts(folder, ['list']);
    if (listed.out.trim().split('\n').length !== sessions) throw new Error('list is not complete');
    console.log(`list: ${rates(sessions, 'sessions', listed)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function fill(folder: string, sessions: number, statements: number): Promise<Written> {
  const issuer = await testIssuer();
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(issuer.keys));
  writeFileSync(
    join(folder, 'dbguard.yaml'),
    `version: 1\nbucket: file:./bucket\nidentity: { issuer: "${issuerUrl}", client_id: ${clientId} }\n`,
  );
  const bucket = await openBucket({ kind: 'file', path: join(folder, 'bucket') }, { env: {} });
  const people = await Promise.all(Array.from({ length: 20 }, (_, n) => issuer.login(`dev-${n}`)));
  const written = { entries: 0, signatures: 0, bytes: 0 };
  for (let n = 0; n < sessions; n++) {
    const session = record(people[n % people.length] ?? (await issuer.login('dev')), { statements });
    written.entries += session.size;
    for (const line of session.segments.flat()) if (isSignature(line)) written.signatures++;
    for (const { key, bytes } of objectsOf(session, 0)) {
      written.bytes += bytes.length;
      await bucket.create(key, bytes);
    }
  }
  return written;
}

function rates(amount: number, what: string, { wall, cpu, peak }: Measured): string {
  const perSecond = count(amount / wall);
  return `${wall.toFixed(1)} s, ${perSecond} ${what}/s, ${count(amount / cpu)} for each CPU second, peak memory ${peak.toFixed(0)} MiB`;
}

/** CPU microseconds of one verification while every core does nothing else: two threads of a core slow each other down. */
async function ed25519Floor(): Promise<number> {
  const program = `
    import { generateKeyPairSync, sign, verify } from 'node:crypto';
        const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const bytes = Buffer.alloc(400);
    const signature = sign(null, bytes, privateKey);
    for (let i = 0; i < ${verifications}; i++) verify(null, bytes, publicKey, signature);`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const threads = availableParallelism();
  const start = process.cpuUsage();
  await Promise.all(Array.from({ length: threads }, () => once(new Worker(url), 'exit')));
  const { user, system } = process.cpuUsage(start);
  return (user + system) / (threads * verifications);
}

const verifications = 20_000;

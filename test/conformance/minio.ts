/**
 * A real S3 server: MinIO over a folder, on a port of 127.0.0.1. The program is found on PATH, or where DBGUARD_MINIO says.
 * Its bucket policies know nobody by name: whoever may do little has keys of its STS, with a policy of their own.
 * https://min.io/docs/minio/linux/developers/security-token-service/AssumeRole.html
 */
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../helpers/free-port.js';
import { Daemon } from './daemon.js';
import { installed } from './installed.js';
import type { RealStore, Rights, StoreKey } from './real-store.js';

/** Undefined: it is not installed. */
export function minioProgram(): string | undefined {
  return process.env.DBGUARD_MINIO ?? installed('minio');
}

export async function startMinio(program: string): Promise<RealStore> {
  const dir = mkdtempSync(join(tmpdir(), 'dbguard-minio-'));
  const key: StoreKey = { id: 'OWNER', secret: randomUUID() };
  const [address, console] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const endpoint = `http://${address}`;
  const env = { PATH: process.env.PATH, HOME: dir, MINIO_ROOT_USER: key.id, MINIO_ROOT_PASSWORD: key.secret };
  const daemon = new Daemon(dir, program, ['server', dir, '--address', address, '--console-address', console], env);
  const stop = async (): Promise<void> => {
    await daemon.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await daemon.answering(endpoint);
    const narrow = (_bucket: string, rights: Rights): Promise<StoreKey> => assumeRole({ address, key }, rights);
    return { name: 'MinIO', endpoint, key, narrow, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assumeRole(of: { readonly address: string; readonly key: StoreKey }, rights: Rights): Promise<StoreKey> {
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...rights }] });
  const body = new URLSearchParams({ Action: 'AssumeRole', Version: '2011-06-15', Policy }).toString();
  const response = await fetch(`http://${of.address}/`, { method: 'POST', headers: signed(of, body), body });
  const answer = await response.text();
  const field = (name: string): string => {
    const found = new RegExp(`<${name}>([^<]+)<`).exec(answer)?.[1];
    if (found === undefined) throw new Error(`no ${name} in the answer to AssumeRole: ${answer}`);
    return found;
  };
  return { id: field('AccessKeyId'), secret: field('SecretAccessKey'), token: field('SessionToken') };
}

/** Signature Version 4. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */
function signed(
  { address, key }: { readonly address: string; readonly key: StoreKey },
  body: string,
): Record<string, string> {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const mac = (by: Buffer, text: string): Buffer => createHmac('sha256', by).update(text).digest();
  const [type, date] = ['application/x-www-form-urlencoded', new Date().toISOString().replace(/[-:]|\.\d+/g, '')];
  const scope = [date.slice(0, 8), 'us-east-1', 'sts', 'aws4_request'];
  const names = 'content-type;host;x-amz-date';
  const request = `POST\n/\n\ncontent-type:${type}\nhost:${address}\nx-amz-date:${date}\n\n${names}\n${hash(body)}`;
  const signature = mac(
    scope.reduce(mac, Buffer.from(`AWS4${key.secret}`)),
    `AWS4-HMAC-SHA256\n${date}\n${scope.join('/')}\n${hash(request)}`,
  ).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.id}/${scope.join('/')}, SignedHeaders=${names}, Signature=${signature}`;
  return { 'content-type': type, 'x-amz-date': date, authorization };
}

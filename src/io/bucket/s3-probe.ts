/** Trials on an S3 bucket: the only place that can replace or delete an object, and it does so to its own probes alone. */
import { createHash } from 'node:crypto';
import {
  type DefaultRetention,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { S3BucketConfig } from '../../policy/read-bucket.js';
import type { Answer, BucketProbe } from '../../transcript/bucket-probe.js';
import { isProbeKey } from '../../transcript/object-key.js';
import type { BucketAccess } from './access.js';
import { explain, openS3 } from './s3-client.js';
import { s3Keeping } from './s3-versions.js';

export function openS3Probe(config: S3BucketConfig, access: BucketAccess): BucketProbe {
  const opened = openS3(config, access);
  const { client, location, prefix } = opened;
  const place = (key: string) => {
    if (!isProbeKey(key)) throw new RangeError(`not a probe: ${key}`);
    return { Bucket: config.bucket, Key: prefix + key };
  };
  const answer = async (request: Promise<unknown>): Promise<Answer> => {
    try {
      await request;
      return 'done';
    } catch (error) {
      const meaning = error instanceof S3ServiceException ? meaningOf(error) : undefined;
      if (meaning === undefined) throw explain(error, location);
      return meaning;
    }
  };
  return {
    put: (key, text, { onlyIfNew, wrongChecksum = false }) =>
      answer(
        client.send(
          new PutObjectCommand({
            ...place(key),
            Body: text,
            ContentType: 'text/plain',
            ChecksumSHA256: createHash('sha256')
              .update(wrongChecksum ? `not ${text}` : text)
              .digest('base64'),
            ...(onlyIfNew ? { IfNoneMatch: '*' } : {}),
            ...(config.sse === undefined ? {} : { ServerSideEncryption: config.sse }),
          }),
        ),
      ),
    remove: (key) => answer(client.send(new DeleteObjectCommand(place(key)))),
    read: (key) => answer(client.send(new GetObjectCommand(place(key)))),
    keeping: () =>
      s3Keeping(opened).catch((error: unknown) => {
        throw explain(error, location);
      }),
    async lockDays() {
      const request = client.send(new GetObjectLockConfigurationCommand({ Bucket: config.bucket }));
      const asked = await answer(request).catch((error: unknown) =>
        isUnlocked(error) ? 'off' : Promise.reject(error),
      );
      if (asked === 'done') return daysOf((await request).ObjectLockConfiguration?.Rule?.DefaultRetention ?? {});
      return asked === 'off' || asked === 'denied' ? asked : 'unable';
    },
  };
}

function isUnlocked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof S3ServiceException && cause.name === 'ObjectLockConfigurationNotFoundError';
}

function daysOf({ Days = 0, Years = 0 }: DefaultRetention): number {
  return Days + 365 * Years;
}

/** Undefined for what says nothing about the bucket: no such bucket, wrong credentials, a store in trouble. */
function meaningOf({ name, $metadata: { httpStatusCode: status } }: S3ServiceException): Answer | undefined {
  if (name === 'PreconditionFailed' || status === 412) return 'exists';
  if (name === 'BadDigest' || name === 'XAmzContentChecksumMismatch' || name === 'InvalidDigest') return 'mismatch';
  if (name === 'NotImplemented' || name === 'MethodNotAllowed' || status === 501 || status === 405) return 'unable';
  if (name === 'AccessDenied' || name === 'Forbidden') return 'denied';
  return undefined;
}

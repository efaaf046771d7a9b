import { configKeys } from './config-keys.js';
import type { Value } from './yaml-source.js';

export type BucketConfig = FileBucketConfig | S3BucketConfig;

export interface FileBucketConfig {
  readonly kind: 'file';
  /** As written; relative to the folder of the configuration file. */
  readonly path: string;
}

export interface S3BucketConfig {
  readonly kind: 's3';
  readonly bucket: string;
  /** Without slashes at either end; empty for the whole bucket. */
  readonly prefix: string;
  readonly region?: string;
  /** For S3-compatible stores. */
  readonly endpoint?: string;
  /** Role taken on with the developer's ID token (AssumeRoleWithWebIdentity). */
  readonly roleArn?: string;
  /** Object Lock, mode COMPLIANCE. */
  readonly objectLockDays?: number;
  readonly sse?: 'AES256' | 'aws:kms';
}

const forms = 'file:./folder or s3://bucket/prefix';

/** `bucket: s3://...` for short, or a mapping with `url` and options. */
export function readBucket(value: Value): BucketConfig {
  if (value.isString) return readUrl(value);
  const fields = value.fields(configKeys.bucket);
  const bucket = fields.required('url', readUrl, 's3://bucket/prefix');
  const region = fields.optional('region', readRegion);
  const endpoint = fields.optional('endpoint', readEndpoint);
  const roleArn = fields.optional('role_arn', readRoleArn);
  const objectLockDays = fields.optional('object_lock_days', (item) => item.integer(1, 36_500));
  const sse = fields.optional('sse', (item) => item.oneOf(['AES256', 'aws:kms']));
  if (bucket.kind === 'file') {
    const extra = fields.present.find((key) => key !== 'url');
    return extra === undefined ? bucket : value.fail(`"${extra}" is for s3:// buckets only`);
  }
  return {
    ...bucket,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(roleArn === undefined ? {} : { roleArn }),
    ...(objectLockDays === undefined ? {} : { objectLockDays }),
    ...(sse === undefined ? {} : { sse }),
  };
}

function readUrl(value: Value): BucketConfig {
  const text = value.string(forms);
  const file = /^file:(?:\/\/(?=\/))?(.+)$/.exec(text)?.[1];
  if (file !== undefined && !file.startsWith('//')) return { kind: 'file', path: file };
  const s3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?#]*))?$/.exec(text);
  if (s3?.[1] === undefined) return value.fail(`expected ${forms}`);
  return { kind: 's3', bucket: s3[1], prefix: (s3[2] ?? '').replace(/^\/+|\/+$/g, '') };
}

function readEndpoint(value: Value): string {
  const text = value.string('the URL of an S3-compatible store');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['https:', 'http:'].includes(url.protocol)) return value.expected('an https URL');
  if (url.username || url.password) return value.fail('credentials do not belong into this file');
  return text;
}

/** It becomes a part of host names that credentials are sent to: no dot, no slash. */
function readRegion(value: Value): string {
  const text = value.string('an AWS region');
  return /^[a-z0-9][a-z0-9-]{0,40}$/.test(text) ? text : value.expected('an AWS region such as eu-central-1');
}

function readRoleArn(value: Value): string {
  const text = value.string('an IAM role ARN');
  return /^arn:[\w-]+:iam::\d{12}:role\/.+$/.test(text) ? text : value.expected('arn:aws:iam::123456789012:role/name');
}

/** The page's own bundle, as the browser gets it, run by Node's WebCrypto in a realm of its own that has nothing of Node. */

import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import type * as buffer from '../../../src/review/page/buffer-web.js';
import type * as gzip from '../../../src/review/page/gzip-web.js';
import type * as overall from '../../../src/review/page/overall.js';
import type * as data from '../../../src/review/page/page-data.js';
import type * as digests from '../../../src/review/page/sha256-web.js';
import type * as verification from '../../../src/review/page/verify-page.js';
import type * as recordings from '../../../src/review/read-recordings.js';
import type * as age from '../../../src/transcript/age/age.js';
import type * as identities from '../../../src/transcript/age/identities.js';
import { repositoryRoot } from '../../helpers/repository.js';

export type PageBundle = Pick<typeof data, 'parsePageData'> &
  Pick<typeof verification, 'verifyPage'> &
  /** Of page-recorded.js alone. */
  Pick<typeof recordings, 'readRecordings' | 'recordingFaults'> &
  Pick<typeof data, 'chunkSource'> &
  Pick<typeof age, 'decryptionWith'> &
  Pick<typeof identities, 'readIdentities'> &
  Pick<typeof overall, 'overallOf'> &
  Pick<typeof buffer, 'WebBuffer'> &
  Pick<typeof gzip, 'gunzipAtOnce'> &
  Pick<typeof digests, 'sha256' | 'newSha256'> & { knowsEd25519(): Promise<boolean> };

export const pageFile = (name: string): string => readFileSync(join(repositoryRoot, 'dist/bin', name), 'utf8');

/** @param name of the page with recordings, or without */
export function pageBundle(subtle: unknown = webcrypto.subtle, name = 'page.js'): PageBundle {
  const realm = {
    crypto: { subtle },
    TextEncoder,
    TextDecoder,
    URL,
    Headers,
    setTimeout,
    performance,
    atob,
    btoa,
    CryptoKey: webcrypto.CryptoKey,
    // the emulator asks which browser it is in
    navigator: { userAgent: '', platform: '' },
    window: {},
    queueMicrotask,
    ReadableStream,
    Response,
    TransformStream,
    clearTimeout,
  };
  const context = createContext(realm);
  runInContext(pageFile(name), context);
  return runInContext('dbguardPage', context);
}

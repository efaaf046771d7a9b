// The public half of the key that signs releases: as it is pinned (32 bytes in base64url), or in PEM with --pem.
import { createPublicKey } from 'node:crypto';
import { releaseKey } from './signed-list.mjs';

const key = createPublicKey(releaseKey());
process.stdout.write(process.argv.includes('--pem') ? key.export({ type: 'spki', format: 'pem' }) : key.export({ format: 'jwk' }).x);

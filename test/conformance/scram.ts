/** SCRAM-SHA-256 as a client (RFC 5802, RFC 7677), for ASCII passwords, without checking the server. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

export interface ScramExchange {
  readonly first: string;
  final(serverFirst: string): string;
}

export function scram(password: string): ScramExchange {
  const bare = `n=,r=${randomBytes(18).toString('base64')}`;
  return {
    first: `n,,${bare}`,
    final(serverFirst) {
      const field = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(serverFirst)?.[1] ?? '';
      const salted = pbkdf2Sync(password, Buffer.from(field('s'), 'base64'), Number(field('i')), 32, 'sha256');
      const clientKey = hmac(salted, 'Client Key');
      const storedKey = createHash('sha256').update(clientKey).digest();
      const final = `c=biws,r=${field('r')}`;
      const signature = hmac(storedKey, `${bare},${serverFirst},${final}`);
      const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
      return `${final},p=${Buffer.from(proof).toString('base64')}`;
    },
  };
}

function hmac(key: Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

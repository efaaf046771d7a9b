/**
 * The channel binding `tls-server-end-point` (RFC 5929 section 4.1): a hash of the server's certificate, by the hash
 * function of the certificate's own signature.
 */
import { createHash } from 'node:crypto';

/** DER of the signature algorithms' object identifiers, in hexadecimal, and the hash each one uses. */
const hashes: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256', // md5WithRSAEncryption: MD5 and SHA-1 count as SHA-256
  '2a864886f70d010105': 'sha256', // sha1WithRSAEncryption
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a864886f70d01010e': 'sha224',
  '2a8648ce3d0401': 'sha256', // ecdsa-with-SHA1
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};

/** id-RSASSA-PSS (RFC 4055): the hash is a parameter, SHA-1 when it is left out. */
const rsaPss = '2a864886f70d01010a';

const pssHashes: Readonly<Record<string, string>> = {
  '2b0e03021a': 'sha256', // id-sha1
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
  '608648016503040204': 'sha224',
};

interface DerValue {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** One tag-length-value of DER; undefined where the bytes are none. */
function readDer(bytes: Buffer, at: number): DerValue | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  if (first < 0x80) return within(bytes, { tag, start: at + 2, end: at + 2 + first });
  const lengthBytes = first & 0x7f;
  if (lengthBytes < 1 || lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) return undefined;
  const start = at + 2 + lengthBytes;
  return within(bytes, { tag, start, end: start + bytes.readUIntBE(at + 2, lengthBytes) });
}

function within(bytes: Buffer, value: DerValue): DerValue | undefined {
  return value.end <= bytes.length ? value : undefined;
}

function hex(bytes: Buffer, value: DerValue | undefined): string {
  return value?.tag === 0x06 ? bytes.toString('hex', value.start, value.end) : '';
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, parameters }, signature } */
function signatureHash(certificate: Buffer): string | undefined {
  const outer = readDer(certificate, 0);
  const tbs = outer && readDer(certificate, outer.start);
  const algorithm = tbs && readDer(certificate, tbs.end);
  const identifier = algorithm && readDer(certificate, algorithm.start);
  const oid = hex(certificate, identifier);
  if (oid !== rsaPss || !identifier) return hashes[oid];
  // RSASSA-PSS-params ::= SEQUENCE { [0] SEQUENCE { OID of the hash } DEFAULT sha1, ... }
  const parameters = readDer(certificate, identifier.end);
  const tagged = parameters && readDer(certificate, parameters.start);
  if (tagged?.tag !== 0xa0) return 'sha256';
  const hash = readDer(certificate, tagged.start);
  return pssHashes[hex(certificate, hash && readDer(certificate, hash.start))];
}

/** `certificate` is DER. undefined where RFC 5929 defines no hash, as with Ed25519: then there is no channel binding. */
export function tlsServerEndPoint(certificate: Buffer): Buffer | undefined {
  const hash = signatureHash(certificate);
  return hash === undefined ? undefined : createHash(hash).update(certificate).digest();
}

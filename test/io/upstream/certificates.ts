/**
 * Makes X.509 certificates and revocation lists for tests (RFC 5280), so that none is stored and none expires.
 */

import { constants, createPrivateKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { newKeyPair } from '../../helpers/keys.js';

export interface Certificate {
  readonly name: string;
  readonly pem: string;
  readonly der: Buffer;
  readonly keyPem: string;
  readonly key: KeyObject;
  readonly serial: Buffer;
}

export type Signature =
  | 'ecdsa-sha256'
  | 'ecdsa-sha384'
  | 'ecdsa-sha512'
  | 'rsa-sha1'
  | 'rsa-sha256'
  | 'rsa-pss-sha384'
  | 'ed25519';

export interface CertificateRequest {
  /** Common name. */
  readonly name: string;
  /** Self-signed without. */
  readonly issuer?: Certificate;
  /** How this certificate is signed: it must fit the issuer's key, or makes the key when self-signed. */
  readonly signature?: Signature;
  /** Subject alternative names: DNS names and IP addresses. */
  readonly hosts?: readonly string[];
  readonly authority?: boolean;
  /** Years from now; negative: expired. */
  readonly years?: number;
}

export function makeCertificate(request: CertificateRequest): Certificate {
  const signature = request.signature ?? 'ecdsa-sha256';
  const { privateKey, publicKey } = request.issuer ? newKeyPair('ec') : makeKey(signature);
  const serial = Buffer.concat([Buffer.from([0x40]), randomBytes(8)]);
  const years = request.years ?? 10;
  const now = new Date().getUTCFullYear();
  const [from, to] = years < 0 ? [now + years - 1, now + years] : [now - 1, now + years];
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    signatureAlgorithm(signature),
    distinguishedName(request.issuer?.name ?? request.name),
    sequence(time(from), time(to)),
    distinguishedName(request.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions(request))),
  );
  const der = signed(body, signature, request.issuer?.key ?? privateKey);
  return {
    name: request.name,
    pem: pem('CERTIFICATE', der),
    der,
    keyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    key: privateKey,
    serial,
  };
}

/** A list of the issuer's that revokes these certificates, PEM. */
export function makeRevocationList(issuer: Certificate, revoked: readonly Certificate[]): string {
  const year = new Date().getUTCFullYear();
  const body = sequence(
    integer(Buffer.from([1])),
    signatureAlgorithm('ecdsa-sha256'),
    distinguishedName(issuer.name),
    time(year - 1),
    time(year + 10),
    ...(revoked.length === 0
      ? []
      : [sequence(...revoked.map(({ serial }) => sequence(integer(serial), time(year - 1))))]),
  );
  return pem('X509 CRL', signed(body, 'ecdsa-sha256', issuer.key));
}

/** The key, encrypted with a password, PEM. */
export function encryptKey(certificate: Certificate, passphrase: string): string {
  const key = createPrivateKey(certificate.keyPem);
  return String(key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }));
}

function makeKey(signature: Signature): { privateKey: KeyObject; publicKey: KeyObject } {
  if (signature === 'ed25519') return newKeyPair('ed25519');
  if (signature.startsWith('rsa')) return newKeyPair('rsa');
  return newKeyPair('ec');
}

function signed(body: Buffer, signature: Signature, key: KeyObject): Buffer {
  const hash = signature === 'ed25519' ? null : signature.slice(signature.lastIndexOf('-') + 1);
  const bytes = sign(
    hash,
    body,
    signature === 'rsa-pss-sha384' ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 } : key,
  );
  return sequence(body, signatureAlgorithm(signature), bitString(bytes));
}

const sha384 = '608648016503040202';

function signatureAlgorithm(signature: Signature): Buffer {
  const oids = {
    'ecdsa-sha256': '2a8648ce3d040302',
    'ecdsa-sha384': '2a8648ce3d040303',
    'ecdsa-sha512': '2a8648ce3d040304',
    'rsa-sha1': '2a864886f70d010105',
    'rsa-sha256': '2a864886f70d01010b',
    'rsa-pss-sha384': '2a864886f70d01010a',
    ed25519: '2b6570',
  };
  const identifier = oid(oids[signature]);
  if (signature === 'rsa-pss-sha384') {
    const hash = sequence(oid(sha384), nothing());
    const mask = sequence(oid('2a864886f70d010108'), hash);
    return sequence(identifier, sequence(tagged(0, hash), tagged(1, mask), tagged(2, integer(Buffer.from([48])))));
  }
  return signature.startsWith('rsa') ? sequence(identifier, nothing()) : sequence(identifier);
}

function extensions({ hosts = [], authority = false }: CertificateRequest): Buffer[] {
  const list = [extension('551d13', sequence(...(authority ? [der(0x01, Buffer.from([0xff]))] : [])), true)];
  if (hosts.length > 0) {
    const names = hosts.map((host) => {
      if (isIP(host) === 4) return der(0x87, Buffer.from(host.split('.').map(Number)));
      if (isIP(host) === 6) return der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])); // ::1 alone is needed
      return der(0x82, Buffer.from(host, 'latin1'));
    });
    list.push(extension('551d11', sequence(...names), false));
  }
  return list;
}

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...items: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items));
}

function tagged(number: number, content: Buffer): Buffer {
  return der(0xa0 | number, content);
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function nothing(): Buffer {
  return der(0x05, Buffer.alloc(0));
}

function bitString(bytes: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name, 'utf8')))));
}

function time(year: number): Buffer {
  return der(0x17, Buffer.from(`${String(year % 100).padStart(2, '0')}0101000000Z`, 'latin1'));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

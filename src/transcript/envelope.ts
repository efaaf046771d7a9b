/**
 * DSSE envelopes of one signature: a payload with its type, both signed. Session certificates and the three objects of
 * an approval are such. https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
 */
import { isSignature, type VerifyingKey } from '../ed25519.js';
import { DbguardError, messageOf } from '../errors.js';
import { isRecord } from './line.js';
import { hasRepeatedKeys, isNestedDeeply } from './repeated-keys.js';

/** `keyid` proves nothing: a hint for people. */
export interface EnvelopeSigner {
  readonly keyid: string;
  sign(bytes: Uint8Array): Uint8Array;
}

export interface ReadEnvelope {
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body. */
function preAuthEncoding(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** As JSON text. */
export function envelopeText(type: string, claims: object, signer: EnvelopeSigner): string {
  const payload = Buffer.from(JSON.stringify(claims));
  const signature = Buffer.from(signer.sign(preAuthEncoding(type, payload)));
  return JSON.stringify({
    payloadType: type,
    payload: payload.toString('base64'),
    signatures: [{ keyid: signer.keyid, sig: signature.toString('base64') }],
  });
}

/** Reads attacker-controlled text. Throws `transcript-invalid`. @param what it is, for the sentence: `the session certificate` */
export function readEnvelope(text: string, type: string, what: string): ReadEnvelope {
  const envelope = parseSigned(text, what);
  const { signatures, payload } = envelope;
  const first: unknown = Array.isArray(signatures) && signatures.length === 1 ? signatures[0] : undefined;
  const sig = isRecord(first) ? first.sig : undefined;
  if (envelope.payloadType !== type || typeof payload !== 'string' || typeof sig !== 'string') {
    throw unusable(`${what} is not an envelope of the expected type with one signature`);
  }
  return { payload: Buffer.from(payload, 'base64'), signature: Buffer.from(sig, 'base64') };
}

export async function isEnvelopeBy(
  key: VerifyingKey,
  type: string,
  { payload, signature }: ReadEnvelope,
): Promise<boolean> {
  return isSignature(key, preAuthEncoding(type, payload), signature);
}

/** A JSON object that says the same to every reader. Throws `transcript-invalid`. */
export function parseSigned(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unusable(`${what} is not JSON: ${messageOf(error)}`);
  }
  if (!isRecord(value)) throw unusable(`${what} is not a JSON object`);
  if (isNestedDeeply(value)) throw unusable(`${what} is nested too deeply`);
  if (hasRepeatedKeys(text, value)) throw unusable(`a key stands twice in ${what}`);
  return value;
}

function unusable(message: string): DbguardError {
  return new DbguardError('transcript-invalid', message);
}

/**
 * Is this document, around its data, the one that dbguard writes? The policy stops a script or a style that was changed;
 * this finds a policy that was changed, and anything else that the browser has read differently. Letters that a browser
 * takes for the same (the case of a tag's name) make the same document.
 */
import { sha256, sha256Bytes } from '../../../sha256.js';
import { htmlElement, policyFor } from '../document.js';

/** SHA-256 of the style this script was built with, base64. */
declare const STYLE_DIGEST: string;

export interface OwnDocument {
  readonly data: string;
  /** One sentence; undefined where nothing is wrong. */
  readonly fault?: string;
}

/** As the parser has left it, before anything is drawn. */
export async function readOwnDocument(script: string): Promise<OwnDocument> {
  const holder = document.getElementById('data');
  const data = holder?.textContent ?? '';
  const style = document.querySelector('style')?.textContent ?? '';
  const policy = document.querySelector('meta[http-equiv]')?.getAttribute('content') ?? '';
  const digest = holder?.getAttribute('data-sha256') ?? '';
  const fault = faultOf({ script, style, data, policy, digest }) ?? (await arithmeticFault(data));
  return { data, ...(fault === undefined ? {} : { fault }) };
}

interface Found {
  readonly script: string;
  readonly style: string;
  readonly data: string;
  readonly policy: string;
  readonly digest: string;
}

function faultOf({ script, style, data, policy, digest }: Found): string | undefined {
  if (sha256Bytes(style).toString('base64') !== STYLE_DIGEST) return 'how it looks was changed';
  if (policy !== policyFor({ script, style })) return 'its security policy was changed';
  if (document.characterSet !== 'UTF-8' || document.compatMode !== 'CSS1Compat' || document.childNodes.length !== 2)
    return 'what stands around it was changed';
  if (document.documentElement.outerHTML !== htmlElement({ script, style, data }, policy, digest))
    return 'what stands around its data was changed, maybe by an extension of this browser';
  if (sha256(data, 'hex') !== digest) return 'its data was changed';
  return undefined;
}

/** The digests of the chain are this script's own arithmetic: held once against the browser's. */
async function arithmeticFault(data: string): Promise<string | undefined> {
  const bytes = new TextEncoder().encode(data);
  const native = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const own = sha256Bytes(bytes);
  const same = native.every((byte, at) => byte === own[at]);
  return same ? undefined : 'this browser computes SHA-256 in two ways, with two results';
}

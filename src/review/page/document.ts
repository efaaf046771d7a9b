/**
 * The bytes of a page: one HTML document that fetches nothing, runs no script and takes no style but its own. Written the
 * way a browser writes the same document out again, so that the page itself can see a change in what is around its parts.
 */
import { DbguardError } from '../../errors.js';
import { sha256Bytes } from '../../sha256.js';

export interface PageParts {
  /** The bundle that verifies and shows. */
  readonly script: string;
  readonly style: string;
  /** `PageData` as `dataText` writes it. */
  readonly data: string;
}

/** Seen until the script has something else to say: where it does not run, this is all there is. */
const unproven =
  'NOT CHECKED: nothing on this page is proven. The script that checks it did not run: this file was changed, or this browser runs no scripts. Ask for the transcript and run: dbguard transcripts verify';

/** Throws `internal` for parts that would end their element. */
export function pageDocument(parts: PageParts): string {
  if (/<\/script|<!--/i.test(parts.script) || /<\//.test(parts.style) || parts.data.includes('<'))
    throw new DbguardError('internal', 'a part of the page would end before its end');
  return `<!DOCTYPE html>${htmlElement(parts, policyFor(parts), dataDigest(parts.data))}`;
}

/** As `outerHTML` of the document's element gives it. */
export function htmlElement({ script, style, data }: PageParts, policy: string, digest: string): string {
  const head = [
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="referrer" content="no-referrer">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>dbguard transcripts</title>',
    `<style>${style}</style>`,
  ];
  const body = [
    `<main id="page"><p id="unproven" role="alert">${unproven}</p></main>`,
    `<script type="application/json" id="data" data-sha256="${digest}">${data}</script>`,
    `<script>${script}</script>`,
  ];
  return `<html lang="en"><head>${head.join('')}</head><body>${body.join('')}</body></html>`;
}

/** Content Security Policy level 3: no network, no frame, no form, no other script or style; no text becomes markup. */
export function policyFor({ script, style }: Pick<PageParts, 'script' | 'style'>): string {
  return [
    "default-src 'none'",
    `script-src 'sha256-${base64Digest(script)}'`,
    `style-src 'sha256-${base64Digest(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/** Of the data as it stands in the page. */
function dataDigest(data: string): string {
  return sha256Bytes(data).toString('hex');
}

function base64Digest(text: string): string {
  return sha256Bytes(text).toString('base64');
}

/** JSON in which nothing is markup, and nothing but ASCII stands. */
export function dataText(data: object): string {
  return JSON.stringify(data).replace(
    /[<>&\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

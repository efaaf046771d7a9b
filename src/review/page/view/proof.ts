/** What is proven of each session and what is not, in the words of `transcripts verify`; and what a page cannot know. */
import { calculateJwkThumbprint } from 'jose';
import type { JsonWebKeySet } from '../../../identity/signed-claims.js';
import { verdictWords } from '../../proof-words.js';
import { limitsOf } from '../limits.js';
import type { IssuerAnswer, PageData } from '../page-data.js';
import type { VerifiedSession } from '../verify-page.js';
import { el, foreign } from './dom.js';

const marks = { yes: '✓', no: '✗', unknown: '?' } as const;
const markWords = { yes: 'proven', no: 'not so', unknown: 'not proven' } as const;

export function sessionProof({ session, report, proof }: VerifiedSession): HTMLElement {
  const heading = `proof-${session.sid}`;
  const connection = report.open?.connection?.name;
  // how it ends is said in a line already
  const findings = report.findings.filter(({ code }) => code !== 'not-final' && code !== 'still-open');
  return el(
    'section',
    { class: `proof ${report.verdict}`, 'aria-labelledby': heading },
    el(
      'h2',
      { id: heading },
      'Session ',
      el('code', {}, foreign(session.sid)),
      ...(connection ? [' on ', foreign(connection)] : []),
    ),
    el('p', { class: `verdict ${report.verdict}` }, verdictWords(report)),
    el(
      'ul',
      { class: 'lines' },
      ...proof.map(({ holds, label, text }) =>
        el(
          'li',
          { class: holds },
          el('span', { class: 'mark', role: 'img', 'aria-label': markWords[holds] }, marks[holds]),
          el('span', { class: 'label' }, label),
          el('bdi', {}, foreign(text)),
        ),
      ),
    ),
    findings.length > 0 &&
      el(
        'ul',
        { class: 'findings' },
        ...findings.map(({ severity, code, message, segment, more }) =>
          el(
            'li',
            { class: severity },
            el('strong', {}, `${severity} ${code}`),
            ' ',
            segment === undefined ? '' : `segment ${segment}: `,
            el('bdi', {}, foreign(message)),
            more === undefined ? '' : ` (and ${more} more like it)`,
          ),
        ),
      ),
  );
}

/** @param onKeys gets what the reader gives in place of the page's own keys; undefined: the page's own again */
export async function pageLimits(
  data: PageData,
  own: boolean,
  onKeys: (keys: JsonWebKeySet | undefined) => void,
): Promise<HTMLElement> {
  const file = el('input', { type: 'file', id: 'own-keys', accept: '.json,application/json' });
  const said = el('p', { role: 'status' }, own ? 'Checked under the key set that you gave.' : '');
  file.addEventListener('change', async () => {
    const keys = keysIn((await file.files?.[0]?.text()) ?? '');
    if (keys === undefined) said.replaceChildren('That file holds no JSON Web Key Set: {"keys": [...]}');
    else onKeys(keys);
  });
  return el(
    'section',
    { class: 'limits', 'aria-labelledby': 'limits-heading' },
    el('h2', { id: 'limits-heading' }, 'What this page cannot know'),
    el('ul', {}, ...limitsOf(data).map((text) => el('li', {}, el('bdi', {}, foreign(text))))),
    el(
      'h3',
      {},
      own ? 'The issuer’s keys that came with this page, not used now' : 'The issuer’s keys that came with this page',
    ),
    el('ul', { class: 'keys' }, ...(await Promise.all(data.issuerKeys.map(issuerItem)))),
    el('p', {}, el('label', { for: 'own-keys' }, 'Check under the issuer’s key set as you have it: '), file),
    said,
  );
}

async function issuerItem(answer: IssuerAnswer): Promise<HTMLElement> {
  const issuer = el('bdi', {}, foreign(answer.issuer));
  if ('failed' in answer) return el('li', {}, issuer, ': ', foreign(answer.failed));
  const keys = answer.found.flatMap(({ keys, origin }) => keys.map((key) => ({ key, origin })));
  if (keys.length === 0) return el('li', {}, issuer, ': none, so that nobody’s identity can be proven');
  const items = await Promise.all(
    keys.map(async ({ key, origin }) => {
      const thumbprint = await calculateJwkThumbprint({ ...key } as never).catch(() => 'no thumbprint');
      const kid = typeof key.kid === 'string' ? ` kid ${key.kid}` : '';
      return el('li', {}, el('code', {}, thumbprint), el('bdi', {}, foreign(`${kid}, from ${origin}`)));
    }),
  );
  return el('li', {}, issuer, el('ul', {}, ...items));
}

function keysIn(text: string): JsonWebKeySet | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const keys = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
    return Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null) ? { keys } : undefined;
  } catch {
    return undefined;
  }
}

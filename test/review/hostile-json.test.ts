/**
 * Whatever JSON a stranger writes where some is read, verification ends in a verdict: a foreign object takes nothing from
 * the session, and never the program.
 */
import { test } from 'tap';
import { listSessions } from '../../src/review/catalog.js';
import type { IssuerKeySource } from '../../src/review/issuer-keys.js';
import { redactionEntry } from '../../src/review/redaction.js';
import { endsOf, summarise } from '../../src/review/summary.js';
import { verifySession } from '../../src/review/verify-session.js';
import { redactionKey, segmentKey } from '../../src/transcript/object-key.js';
import { clientId, testIssuer } from '../transcript/people.js';
import { besideKey, memorySource, objectsOf, pack, record } from '../transcript/recorded.js';

const now = Date.UTC(2026, 10, 23, 12);
const stored = now + 10_000;
const issuer = await testIssuer();
const login = await issuer.login('dev', { at: now });
const lead = await issuer.login('lead', { at: now });
const keys: IssuerKeySource = { keysOf: async () => [{ ...issuer.keys, origin: 'test' }] };

const deep = (open: string, close: string): string => `${open.repeat(30_000)}1${close.repeat(30_000)}`;
const values: Readonly<Record<string, string>> = {
  'arrays in arrays': deep('[', ']'),
  'objects in objects': deep('{"x":', '}'),
  'twenty thousand keys': `{${Array.from({ length: 20_000 }, (_, n) => `"${n}":0`).join(',')}}`,
  'a prototype': '{"__proto__":{"kty":"OKP"},"constructor":{"prototype":1},"toString":1}',
  'a number that is none': '1e999',
  null: 'null',
  'an empty object': '{}',
  'half a surrogate pair': '"\\ud800"',
};

/** The payload with that in the place of the field's value, or beside it. */
function replaced(line: string, field: string, value: string): string {
  const [payload = '', ...rest] = line.split('\t');
  const fields: Record<string, unknown> = JSON.parse(payload);
  const members = Object.entries({ ...fields, [field]: 0 }).map(
    ([name, own]) => `${JSON.stringify(name)}:${name === field ? value : JSON.stringify(own)}`,
  );
  return [`{${members.join(',')}}`, ...rest].join('\t');
}

for (const [what, value] of Object.entries(values)) {
  test(`${what} in any field of any entry`, async (t) => {
    const session = record(login);
    const [opening = [], statements = []] = session.segments;
    const redacting = record(lead, {
      statements: 0,
      extra: [[redactionEntry({ sid: session.sid, n: 2, digests: {} }, 'a reason')]],
    });
    const places: readonly (readonly [readonly string[], (bytes: Uint8Array) => string])[] = [
      [opening, (bytes) => besideKey(session.prefix, 0, bytes)],
      [statements, (bytes) => besideKey(session.prefix, 1, bytes)],
      [redacting.segments.flat(), () => redactionKey(session.prefix, redacting.sid)],
    ];
    for (const [lines, keyOf] of places) {
      for (const [place, line] of lines.entries()) {
        if (line.startsWith('{"size":')) continue;
        for (const field of [...Object.keys(JSON.parse(line.split('\t', 1)[0] ?? '')), 'previous', 'unheard']) {
          const changed = replaced(line, field, value);
          const bytes = pack(lines.map((one, at) => (at === place ? changed : one)));
          const beside = { key: keyOf(bytes), bytes, createdAt: stored };
          const alone = { ...beside, key: segmentKey(session.prefix, 0) };
          const without = objectsOf(session, stored).filter(({ key }) => key !== alone.key);
          for (const objects of [
            [...objectsOf(session, stored), beside],
            [...without, alone],
          ]) {
            const source = memorySource(objects);
            for await (const found of listSessions(source)) {
              const report = await verifySession(found, { source, keys, demands: { clientId }, now: stored });
              if (objects.includes(beside) && report.verdict !== 'proven') t.fail(`${field} turns the verdict`);
              JSON.stringify([report, await summarise(endsOf(found), source)]);
            }
          }
        }
      }
    }
    t.pass('each ended in a verdict');
  });
}

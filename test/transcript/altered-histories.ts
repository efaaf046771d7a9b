/**
 * Histories that a session's own key has signed, each altered in a place or two: a field of another type, a word that
 * stands elsewhere, an entry moved, repeated or left out. What they are worth is for the verifiers to say.
 */
import * as fc from 'fast-check';
import type { Disclosures } from '../../src/transcript/entry.js';
import { otherSid, recorded, type Step, type Written } from './vector.js';

/** Everything that a session may hold; entry 2 is the first of these. */
const history: readonly Step[] = [
  [{ k: 'connection', conn: 1, event: 'open', user: 'app', database: 'shop', applicationName: 'psql' }],
  [{ k: 'parse', conn: 1, facts: [{ command: 'SELECT' }] }, { sql: 'SELECT $1' }],
  [
    { k: 'statement', conn: 1, protocol: 'execute', text: 3, decision: 'allow', hex: [0], tx: 'I' },
    { bind: ['\\x41', 'a'] },
  ],
  [{ k: 'outcome', of: 4, how: 'done', tag: 'SELECT 1', bytes: 10, us: 50 }],
  [{ k: 'statement', conn: 1, decision: 'ask', rule: 'r', facts: 3, tx: 'I' }, { sql: 'DELETE FROM a' }],
  [{ k: 'dry-run', of: 6 }],
  'sign',
  [{ k: 'verdict', of: 6, decision: 'allow', by: 'person', scope: 'once', estimatedRows: 3.5 }, { reason: 'because' }],
  [{ k: 'grant', of: 6, role: 'w', access: 'x', lacking: ['update a'] }, { reason: 'INC' }],
  [{ k: 'outcome', of: 6, how: 'done', role: 'w', rows: 3, masked: ['a'] }],
  [
    { k: 'statement', decision: 'second-person' },
    { sql: 'DROP TABLE a', bind: [null] },
  ],
  [{ k: 'verdict', of: 11, decision: 'deny', by: 'timeout' }],
  [{ k: 'statement', decision: 'deny', text: 11 }],
  [{ k: 'verdict', of: 13, decision: 'deny', by: 'rule' }],
  'seal',
  [{ k: 'heartbeat' }],
  [{ k: 'statement', decision: 'ask' }, { sql: 'UPDATE b SET c = 1' }],
  [{ k: 'verdict', of: 17, decision: 'allow', by: 'person', scope: 'once' }],
  [{ k: 'outcome', of: 17, how: 'done' }],
  [{ k: 'statement', decision: 'ask', text: 17 }],
  [{ k: 'verdict', of: 20, decision: 'allow', by: 'person', under: 17, scope: 'transaction' }],
  [{ k: 'outcome', of: 20, how: 'failed', sqlstate: '23505' }],
  [{ k: 'statement', continues: 4, portal: 'p' }],
  [{ k: 'outcome', of: 23, how: 'skipped' }],
  [
    { k: 'statement', decision: 'ask', hidden: { salt: 'A'.repeat(22), digest: 'A'.repeat(43) } },
    { sql: 'ALTER ROLE a PASSWORD <hidden>' },
  ],
  [{ k: 'outcome', of: 25, how: 'rejected' }],
  [{ k: 'intent', event: 'prompt', agent: 'a', session: 's', pid: 7, program: 'sh' }, { said: 'clean up' }],
  [{ k: 'intent', event: 'tool', agent: 'a', session: 's', call: 'c', tool: 'Bash', prompt: 27 }, { said: 'psql' }],
  [{ k: 'connection', conn: 1, event: 'process', pid: 8, ancestors: ['sh'], trace: 't' }, { arguments: 'psql' }],
  [{ k: 'statement', decision: 'allow', text: 17, intent: 28, fit: 'process' }],
  [{ k: 'outcome', of: 30, how: 'done' }],
  'final',
];

const words = [
  ...['allow', 'ask', 'deny', 'abort', 'done', 'failed', 'lost', 'undone', 'skipped', 'rejected', 'person', 'rule'],
  ...['nobody', 'earlier-approval', 'second-person', 'session', 'once', 'transaction', 'close', 'execute', 'T', 'x'],
  ...['prompt', 'tool', 'process', 'other'],
];
const oddities = [null, true, 1.5, -1, 2 ** 53, 1e300, [], [0], [0, 1], ['a'], [{}], {}, { unparseable: 'x' }];
const spelledOtherwise = { salt: `${'A'.repeat(21)}B`, digest: 'A'.repeat(43) };
const value = fc.oneof(
  fc.constantFrom(...words),
  fc.integer({ min: 0, max: 33 }),
  fc.constantFrom<unknown>(...oddities, spelledOtherwise),
);
const fields = [
  ...['of', 'decision', 'by', 'how', 'scope', 'under', 'text', 'continues', 'hex', 'facts', 'hidden', 'tx', 'role'],
  ...['conn', 'us', 'waitedMs', 'rows', 'estimatedRows', 'masked', 'totals', 'final', 'event', 'reason', 'extra'],
  ...['intent', 'fit', 'prompt', 'agent', 'pid', 'ancestors'],
];
const kinds = [
  'parse',
  'statement',
  'dry-run',
  'verdict',
  'grant',
  'outcome',
  'redaction',
  'seal',
  'novel',
  'open',
  'intent',
];
const before = { sid: otherSid, size: 3, head: 'A'.repeat(43) };
const openings = fc.oneof(
  fc.constantFrom('level', 'method', 'agent', 'version', 'audience').map((name) => ({ [name]: ['x'] })),
  fc.constantFrom('dpop', 'asserted', 'sure').map((level) => ({ level })),
  fc.constantFrom<unknown>(before, { ...before, size: '3' }, { sid: otherSid }, {}).map((previous) => ({ previous })),
  fc
    .constantFrom<unknown>({ name: 'a' }, { name: 'a', port: 1.5 }, { host: 'a' }, 'a')
    .map((connection) => ({ connection })),
);

type Body = Written[0];
type Edit = (body: Body, disclosed: Disclosures) => Written;
const edits = fc.oneof(
  fc.record({ field: fc.constantFrom(...fields), value }).map(
    ({ field, value }): Edit =>
      (body, disclosed) => [{ ...body, [field]: value } as Body, disclosed],
  ),
  fc.nat({ max: 9 }).map(
    (which): Edit =>
      (body, disclosed) => {
        const names = Object.keys(body).filter((name) => name !== 'k');
        const gone = names[which % Math.max(names.length, 1)];
        return [Object.fromEntries(Object.entries(body).filter(([name]) => name !== gone)) as Body, disclosed];
      },
  ),
  fc.constantFrom(...kinds).map(
    (k): Edit =>
      (body, disclosed) => [{ ...body, k } as Body, disclosed],
  ),
  fc
    .record({
      name: fc.constantFrom('sql', 'bind', 'reason', 'other'),
      value: fc.constantFrom<unknown>('x', [null], ['\\x4']),
    })
    .map(
      ({ name, value }): Edit =>
        (body, disclosed) => [body, { ...disclosed, [name]: value } as Disclosures],
    ),
);

const place = fc.nat({ max: history.length - 2 });
const alteration = fc.oneof(
  { weight: 6, arbitrary: fc.record({ at: place, edit: edits }) },
  { weight: 1, arbitrary: fc.record({ at: place, to: place }) },
  { weight: 1, arbitrary: fc.record({ at: place, again: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ at: place, gone: fc.constant(true) }) },
);

function altered(steps: Step[], how: { at: number; edit?: Edit; to?: number; again?: true; gone?: true }): void {
  const step = steps[how.at];
  if (step === undefined) return;
  if (how.edit) {
    if (typeof step === 'object') steps[how.at] = how.edit(step[0], step[1] ?? {});
  } else if (how.to !== undefined) steps.splice(how.to, 0, ...steps.splice(how.at, 1));
  else steps.splice(how.at, how.gone ? 1 : 0, ...(how.again ? [step] : []));
}

/** Lines by segment. */
export const alteredHistories: fc.Arbitrary<string[][]> = fc
  .record({
    alterations: fc.array(alteration, { minLength: 1, maxLength: 2 }),
    open: fc.option(openings, { freq: 8, nil: {} }),
  })
  .map(({ alterations, open }) => {
    const steps = [...history];
    for (const one of alterations) altered(steps, one);
    return recorded({ steps, open });
  });

/** Histories that hang together, and each way in which one cannot. */
import { test } from 'tap';
import { Contradictions, type Purpose } from '../../src/transcript/contradictions.js';
import { disclosable, entryFields } from '../../src/transcript/entry-fields.js';
import { Findings } from '../../src/transcript/finding.js';

type Step = readonly [
  kind: string,
  fields?: Readonly<Record<string, unknown>>,
  disclosed?: string | Readonly<Record<string, unknown>>,
];

const query = (decision: string): Step => ['statement', { decision }, 'sql'];
const verdict = (of: number, decision: string, more = {}): Step => ['verdict', { of, decision, by: 'person', ...more }];
const outcome = (of: number, how: string): Step => ['outcome', { of, how }];
const part = (of: number, object: string, id = 'x'): Step => ['approval', { of, id, object, envelope: {} }];
const byPerson = { by: 'person', scope: 'once' };
const grant = (of: number, more = {}): Step => ['grant', { of, role: 'writer', access: 'fix', ...more }, 'reason'];
const open = (more = {}): Step => [
  'window',
  { event: 'open', access: 'fix', role: 'writer', forMs: 60_000, channel: 'terminal', ...more },
  'reason',
];
/** Without this field. */
const lacking = ([kind, fields, disclosed = {}]: Step, field: string): Step => [
  kind,
  Object.fromEntries(Object.entries(fields ?? {}).filter(([name]) => name !== field)),
  disclosed,
];
const ended = (of: number): Step => ['window', { event: 'end', of, why: 'time' }];
const ranAs = (of: number, how: string, role = 'writer'): Step => ['outcome', { of, how, role }];
const begun = (stream = 'results'): Step => ['recording', { event: 'begin', stream }];
const chunk = (number: number, stream = 'results', more = {}): Step => [
  'recording',
  { event: 'chunk', stream, chunk: number, digest: 'A'.repeat(43), size: 9, ...more },
];
const ends = (why = 'session', stream = 'results'): Step => ['recording', { event: 'end', stream, why }];
const asked: Step = ['intent', { event: 'prompt', agent: 'a' }, 'said'];
const used = (prompt?: number): Step => [
  'intent',
  { event: 'tool', agent: 'a', ...(prompt === undefined ? {} : { prompt }) },
  'said',
];
const from = (intent?: number, fit?: string): Step => [
  'statement',
  { decision: 'allow', ...(intent === undefined ? {} : { intent }), ...(fit === undefined ? {} : { fit }) },
  'sql',
];
const sealed: Step = ['seal', { totals: {}, final: true }];

const values = (hex: unknown, bind: unknown): Step => [
  'statement',
  { decision: 'allow', ...(hex === undefined ? {} : { hex }) },
  { sql: 'SELECT 1', bind },
];
const deciders = {
  allows: ['person', 'second-person', 'rule', 'earlier-approval'],
  denies: ['person', 'second-person', 'rule', 'earlier-denial', 'timeout', 'disconnect', 'cancel', 'nobody'],
} as const;
const done = [outcome(0, 'done'), sealed];

function said(steps: readonly Step[], purpose?: Purpose): string[] {
  const findings = new Findings();
  const contradictions = new Contradictions(findings, (n) => ({ n, segment: 0 }), purpose);
  for (const [n, [k, fields = {}, given = {}]] of steps.entries()) {
    const disclosed = typeof given === 'string' ? { [given]: undefined } : given;
    const entry = { n, t: 0, k, c: Object.fromEntries(Object.keys(disclosed).map((name) => [name, 'x'])), fields };
    contradictions.add(entry);
    contradictions.disclosed(entry, disclosed);
  }
  return findings.list.map(({ severity, message }) => `${severity}: ${message}`);
}

test('what an honest writer writes', async (t) => {
  const histories: Readonly<Record<string, readonly Step[]>> = {
    allowed: [query('allow'), outcome(0, 'done'), sealed],
    failed: [query('allow'), outcome(0, 'failed'), sealed],
    'pipelined, answered in order': [
      query('allow'),
      query('allow'),
      outcome(0, 'failed'),
      outcome(1, 'skipped'),
      sealed,
    ],
    'what an agent says it was asked': [asked, used(0), from(1, 'process'), outcome(2, 'done'), used(), sealed],
    lost: [query('allow'), outcome(0, 'lost'), sealed],
    'denied by a rule': [query('deny'), verdict(0, 'deny'), sealed],
    'no grammar of ours reads it, nor does the server': [query('deny'), outcome(0, 'rejected'), sealed],
    'approved, after a dry run': [
      query('ask'),
      ['dry-run', { of: 0 }],
      verdict(0, 'allow'),
      outcome(0, 'done'),
      sealed,
    ],
    'approved, and the connection is gone': [query('ask'), verdict(0, 'allow'), outcome(0, 'skipped'), sealed],
    'nobody was asked': [query('ask'), outcome(0, 'skipped'), sealed],
    aborted: [query('second-person'), verdict(0, 'abort'), sealed],
    prepared: [['parse', {}, 'sql'], ['statement', { text: 0, decision: 'allow' }], outcome(1, 'done'), sealed],
    'more rows': [query('allow'), outcome(0, 'done'), ['statement', { continues: 0 }], outcome(2, 'done'), sealed],
    'a migration as one transaction': [
      query('ask'),
      verdict(0, 'allow', { scope: 'once' }),
      outcome(0, 'done'),
      query('ask'),
      verdict(3, 'allow', { scope: 'transaction', under: 0 }),
      outcome(3, 'done'),
      sealed,
    ],
    'values that are bytes, and one that is empty': [values([0, 2], ['\\x41', '\\x4', '\\x', null]), ...done],
    'values that look like bytes': [values(undefined, ['\\x41', '\\xzz', null]), ...done],
    'no value is bytes, as far as anybody may see': [values([], ['<hidden>']), ...done],
    'values that were not held': [values([7], undefined), ...done],
    'run as a role': [query('ask'), verdict(0, 'allow', byPerson), grant(0), ranAs(0, 'done'), sealed],
    'a role that was not taken': [query('ask'), verdict(0, 'allow', byPerson), grant(0), outcome(0, 'skipped'), sealed],
    'asked of a second person, who has not answered': [
      query('second-person'),
      part(0, 'request'),
      verdict(0, 'deny', { by: 'timeout' }),
      query('second-person'),
      ...['request', 'verdict', 'verdict', 'claim'].map((object) => part(3, object)),
      verdict(3, 'allow', { by: 'second-person' }),
      outcome(3, 'done'),
      sealed,
    ],
    'run as a role in a time': [
      open(),
      query('ask'),
      verdict(1, 'allow', { by: 'rule' }),
      ...[grant(1, { window: 0 }), ranAs(1, 'done'), ended(0), open(), sealed],
    ],
    'a time that was opened with an approval': [
      query('ask'),
      verdict(0, 'allow', byPerson),
      ...[open({ of: 0 }), grant(0), ranAs(0, 'done')],
      query('ask'),
      verdict(5, 'allow', byPerson),
      ...[grant(5, { window: 2 }), ranAs(5, 'failed'), sealed],
    ],
    'recorded, and one of the recordings could not be written any more': [
      ...[begun('results'), begun('terminal'), chunk(0), chunk(1), chunk(0, 'terminal')],
      ...[ends('failed', 'terminal'), chunk(2), ends(), sealed],
    ],
    'recorded, and still running': [begun(), chunk(0), ['seal', { totals: {} }]],
    'still running': [query('allow'), query('ask'), ['seal', { totals: {} }]],
  };
  for (const [name, steps] of Object.entries(histories)) t.strictSame(said(steps), [], name);
});

test('and what it does not', async (t) => {
  const histories: readonly (readonly [RegExp, ...Step[]])[] = [
    [/intent 0 says nothing/, ['intent', { event: 'prompt', agent: 'a' }]],
    [/intent 0 is said to follow a prompt that is none/, used(0)],
    [/intent 1 is said to follow a prompt that is none/, used(), used(0)],
    [/intent 1 is said to follow a prompt that is none/, asked, ['intent', { ...asked[1], prompt: 0 }, 'said']],
    [/statement 0 comes from an intent that nobody has said/, from(0, 'process')],
    [/statement 1 says what it comes from, and not how that is known/, asked, from(0)],
    [/statement 0 says what it comes from, and not how that is known/, from(undefined, 'time')],
    [/outcome done of statement 0, that nobody has approved/, query('ask'), outcome(0, 'done')],
    [/outcome lost of statement 0, that nobody has approved/, query('second-person'), outcome(0, 'lost')],
    [/outcome failed of statement 0, that is denied/, query('deny'), outcome(0, 'failed')],
    [/an outcome of statement 0, that waits for none/, query('deny'), verdict(0, 'deny'), outcome(0, 'done')],
    [/an outcome of statement 0, that waits for none/, query('ask'), verdict(0, 'abort'), outcome(0, 'skipped')],
    [/an outcome of statement 0, that waits for none/, query('allow'), outcome(0, 'done'), outcome(0, 'done')],
    [/an outcome of no statement/, outcome(0, 'done')],
    [/recording 1 begins a second time/, begun(), begun()],
    [/recording 2 begins a second time/, begun(), ends(), begun()],
    [/recording 0 goes on with what has not begun/, chunk(0)],
    [/recording 1 goes on with what has not begun/, begun(), chunk(0, 'terminal')],
    [/recording 2 goes on with what .* has ended/, begun(), ends(), chunk(0)],
    [/recording 2 goes on with what .* has ended/, begun(), ends(), ends()],
    [/recording 1 is chunk 1, where 0 comes next/, begun(), chunk(1)],
    [/recording 2 is chunk 0, where 1 comes next/, begun(), chunk(0), chunk(0)],
    [/recording 1 does not say which chunk/, begun(), lacking(chunk(0), 'digest')],
    [/recording 1 does not say which chunk/, begun(), lacking(chunk(0), 'size')],
    [/recording 1 does not say which chunk/, begun(), lacking(chunk(0), 'chunk')],
    [/recording 1 does not say why/, begun(), lacking(ends(), 'why')],
    [/its recording of results has no end/, begun(), chunk(0), sealed],
    [/entry 0 \(recording\) says no stream/, lacking(begun(), 'stream')],
    [/digest of entry 1 \(recording\) is nothing/, begun(), chunk(0, 'results', { digest: 'short' })],
    [/an outcome of no statement/, outcome(1, 'done'), query('allow')],
    [/an outcome of no statement/, ['parse', {}, 'sql'], outcome(0, 'done')],
    [/an outcome of no statement/, ['outcome', { how: 'done' }]],
    [/entry 1 \(outcome\) says no how/, query('allow'), ['outcome', { of: 0 }]],
    [/a verdict of statement 0, that waits for none/, query('ask'), outcome(0, 'skipped'), verdict(0, 'deny')],
    [/a verdict of statement 0, that waits for none/, query('ask'), verdict(0, 'deny'), verdict(0, 'allow')],
    [/a verdict of statement 0, that waits for none/, query('allow'), verdict(0, 'deny')],
    [/a verdict of no statement/, verdict(0, 'allow')],
    [/part of an approval of statement 0, that nobody is being asked/, query('allow'), part(0, 'request')],
    [/part of an approval of no statement/, part(0, 'request')],
    [/a verdict that belongs to no request/, query('ask'), part(0, 'verdict')],
    [/a request that belongs to no request/, query('ask'), part(0, 'request'), part(0, 'request')],
    [/a claim that belongs to no request/, query('ask'), part(0, 'request'), part(0, 'claim', 'y')],
    [/a verdict that belongs/, query('ask'), part(0, 'request'), part(0, 'claim'), part(0, 'verdict')],
    [/a request that belongs/, query('ask'), ['approval', { of: 0, object: 'request' }]],
    [
      /nothing of theirs/,
      query('ask'),
      part(0, 'request'),
      part(0, 'verdict'),
      verdict(0, 'allow', { by: 'second-person' }),
    ],
    [/nothing of theirs/, query('ask'), part(0, 'request'), verdict(0, 'deny', { by: 'second-person' })],
    [/nothing of theirs/, query('second-person'), verdict(0, 'allow', { by: 'second-person' })],
    [/an approval of statement 0, that a rule denies/, query('deny'), verdict(0, 'allow')],
    [/entry 1 \(verdict\) says no decision/, query('ask'), ['verdict', { of: 0, by: 'person' }]],
    [/entry 1 \(verdict\) says no by/, query('ask'), ['verdict', { of: 0, decision: 'allow' }]],
    [/entry 0 \(connection\) says no event/, ['connection', { conn: 1 }]],
    [/under an approval that is none/, query('ask'), verdict(0, 'allow', { scope: 'transaction', under: 0 })],
    ...(['rule', 'timeout'] as const).map((by): [RegExp, ...Step[]] => [
      by === 'rule' ? /under an approval that is none/ : /which never decides so/,
      ...[query('ask'), verdict(0, 'allow', { by }), query('ask')],
      verdict(2, 'allow', { scope: 'transaction', under: 0 }),
    ]),
    [
      /under an approval that is none/,
      ...[query('allow'), query('ask'), verdict(1, 'allow', { scope: 'transaction', under: 0 })],
    ],
    [
      /under an approval that is none/,
      ...[query('ask'), verdict(0, 'allow'), query('ask'), verdict(2, 'deny', { scope: 'transaction', under: 0 })],
    ],
    [/under no approval of it/, query('ask'), verdict(0, 'allow', { scope: 'transaction' })],
    [/under no approval of it/, query('ask'), verdict(0, 'allow'), query('ask'), verdict(2, 'allow', { under: 0 })],
    [/has a decision of its own/, query('allow'), ['statement', { continues: 0, decision: 'allow' }]],
    [/a dry run of statement 0, that nobody is being asked about/, query('allow'), ['dry-run', { of: 0 }]],
    [/a dry run of no statement/, ['dry-run', { of: 7 }]],
    [/ran as the role "writer", which nobody has granted/, query('allow'), ranAs(0, 'done')],
    [
      /ran as the role "writer", which nobody has granted/,
      query('ask'),
      verdict(0, 'allow', byPerson),
      ranAs(0, 'done'),
    ],
    [/did not run as the role/, query('ask'), verdict(0, 'allow', byPerson), grant(0), outcome(0, 'done')],
    [/did not run as the role/, query('ask'), verdict(0, 'allow', byPerson), grant(0), ranAs(0, 'undone', 'owner')],
    [/a role of statement 0, that nobody has approved/, query('allow'), grant(0)],
    [/a role of statement 0, that nobody has approved/, query('ask'), grant(0)],
    [/a role of statement 0, that nobody has approved/, query('ask'), verdict(0, 'allow', { by: 'rule' }), grant(0)],
    [/a role of statement 0, that/, query('ask'), verdict(0, 'allow', { ...byPerson, scope: 'session' }), grant(0)],
    [/or that has one/, query('ask'), verdict(0, 'allow', byPerson), grant(0), grant(0)],
    [/a role of no statement/, grant(4)],
    [
      /entry 2 \(grant\) says no role/,
      query('ask'),
      verdict(0, 'allow', byPerson),
      ['grant', { of: 0, access: 'fix' }],
    ],
    ...[{ ...{ window: 1 } }, { window: 0, role: 'owner' }, { window: 0, access: 'other' }].map(
      (more) => [/a role of statement 1, that nobody has approved/, open(), query('allow'), grant(1, more)] as const,
    ),
    [/a role of statement 2, that nobody/, open(), ended(0), query('allow'), grant(2, { window: 0 })],
    [/a role of statement 1, that nobody/, open(), query('ask'), grant(1, { window: 0 })],
    [/a role of statement 1, that nobody/, open(), query('allow'), grant(1)],
    [/a role of no statement/, open(), grant(4, { window: 0 })],
    [/opened while one for the same is open/, open(), open()],
    [/opened with a statement that nobody has approved/, query('allow'), open({ of: 0 })],
    [/opened with a statement that nobody has approved/, query('ask'), open({ of: 0 })],
    [/opened with a statement that nobody has approved/, open({ of: 7 })],
    ...['access', 'role', 'forMs', 'channel'].map(
      (field) => [/does not say for what, how long/, lacking(open(), field)] as const,
    ),
    [/ends a window that is not open/, ended(0)],
    [/ends a window that is not open/, open(), ended(0), ended(0)],
    [/does not say why/, open(), ['window', { event: 'end', of: 0 }]],
    [/hex of statement 0 names value 1, which is not written as bytes/, values([1], ['\\x41'])],
    [/hex of statement 0 names value 0, which is not written as bytes/, values([0], [])],
    [/hex of statement 0 names value 0, which is not written as bytes/, values([0], [null])],
    [/hex of statement 0 names value 1, which is not written as bytes/, values([0, 1], ['\\x41', 'A'])],
    [/hex of statement 0 names value 0, which is not written as bytes/, values([0], ['\\x4'])],
    [/hex of statement 0 names value 0, which is not written as bytes/, values([0], ['\\xAA'])],
    [/hex of statement 0 names value 0, which is not written as bytes/, values([0], ['x41'])],
    [/hex of statement 0 names value 0, which is not written as bytes/, values([0, 0], ['\\x41'])],
    [/hex of statement 0 names value 0, which is not written as bytes/, values([1, 0], ['\\x41', '\\x41'])],
    [/says which of its values are bytes, and has none/, ['statement', { decision: 'allow', hex: [0] }, 'sql']],
    [
      /statement 2 continues another one, and has values of its own/,
      ...[query('allow'), outcome(0, 'done'), ['statement', { continues: 0 }, 'bind'] as const],
    ],
    [/entry 0 is a redaction, in a session that is none/, ['redaction', { session: 'x', of: 0, digests: {} }]],
    [/statement 0 has no text/, ['statement', { decision: 'allow' }, 'bind']],
    [/has its text from an entry that has none/, ['heartbeat'], ['statement', { decision: 'allow', text: 0 }]],
    [/has its text from an entry that has none/, ['statement', { decision: 'allow', text: 0 }]],
    [/has its text from an entry that has none/, ['statement', { decision: 'allow', text: 1 }], ['parse', {}, 'sql']],
    [/continues one that was not let through/, query('ask'), ['statement', { continues: 0 }]],
    [/continues one that was not let through/, query('deny'), verdict(0, 'deny'), ['statement', { continues: 0 }]],
    [/statement 0 has no decision/, ['statement', {}, 'sql']],
    [/decision of entry 0 .* nothing that may stand there/, query('perhaps')],
    [/how of entry 1 .* nothing that may stand there/, query('allow'), outcome(0, 'fine')],
    [/sealed, and statement 0 has no outcome/, query('allow'), sealed],
    [/sealed, and statement 0 and 1 more has no outcome/, query('allow'), query('allow'), sealed],
    [/sealed, and statement 0 has neither verdict nor outcome/, query('ask'), sealed],
    [/sealed, and statement 0 has neither verdict nor outcome/, query('deny'), sealed],
    [/sealed, and statement 0 has no outcome/, query('ask'), verdict(0, 'allow'), sealed],
    [/final of entry 0 .* nothing that may stand there/, ['seal', { totals: {}, final: 'true' }]],
  ];
  for (const [expected, ...steps] of histories) {
    const found = said(steps);
    t.match(found[0], expected, JSON.stringify(steps));
    t.match(found[0], /^failure/);
  }
});

test('who lets through, and who denies', async (t) => {
  for (const by of new Set([...deciders.allows, ...deciders.denies])) {
    const asked = [query('ask'), ...(by === 'second-person' ? [part(0, 'request'), part(0, 'verdict')] : [])];
    const claimed = by === 'second-person' ? [part(0, 'claim')] : [];
    const allowed = said([...asked, ...claimed, verdict(0, 'allow', { by })]);
    const denied = said([...asked, verdict(0, 'deny', { by })]);
    const abort = said([...asked, verdict(0, 'abort', { by })]);
    const isWrong = (decision: string): RegExp =>
      new RegExp(`^failure: verdict ${asked.length} is ${decision} by ${by}, which never`);
    if ((deciders.allows as readonly string[]).includes(by)) t.strictSame(allowed, [], `allow by ${by}`);
    else t.match(allowed, [isWrong('allow')], `allow by ${by}`);
    if ((deciders.denies as readonly string[]).includes(by)) t.strictSame([denied, abort], [[], []], `deny by ${by}`);
    else t.match([denied, abort], [[isWrong('deny')], [isWrong('abort')]], `deny by ${by}`);
  }
});

test('a redaction holds redactions, a session everything else', async (t) => {
  const others = Object.keys(entryFields).filter((kind) => !['open', 'redaction', 'seal'].includes(kind));
  const redaction: Step = ['redaction', { session: 'x', of: 0, digests: {} }];
  t.strictSame(said([['open'], redaction, sealed], 'redaction'), []);
  for (const kind of others)
    t.match(
      said([['open'], [kind], redaction, sealed], 'redaction')[0],
      new RegExp(`entry 1 \\(${kind}\\) stands in a redaction`),
    );
});

test('kinds and fields that nobody knows are said once, and prove nothing', async (t) => {
  t.match(said([['wish'], ['wish'], ['toString']]), [
    /^warning: entry 0 is of the kind "wish", which this dbguard does not know/,
    /^warning: .*"toString"/,
  ]);
  t.match(
    said([
      ['heartbeat', { mood: 1 }],
      ['heartbeat', { mood: 1, constructor: 1 }],
    ]),
    [/^note: .*"mood"/, /^note: .*"constructor"/],
  );
  const flood = Array.from({ length: 1000 }, (_, i): Step => [`kind ${i}`]);
  t.ok(said(flood).length <= 20);
});

test('every field refuses something, but for those that others judge', async (t) => {
  const oddities = [{}, [], -1, 1.5, Number.NaN, 'nothing', false, null];
  for (const [kind, fields] of Object.entries(entryFields)) {
    if (kind === 'open') continue;
    for (const [name, check] of Object.entries(fields)) {
      if (name === 'facts') continue;
      t.ok(
        oddities.some((oddity) => !check(oddity)),
        `${kind}.${name}`,
      );
    }
  }
});

test('a disclosure is of the type that it has in the document', async (t) => {
  const value = { sql: 'text', bind: 'list', reason: 'text', shown: 'text', said: 'text', arguments: 'text' } as const;
  for (const [kind, names] of Object.entries(disclosable)) {
    for (const [name, type] of Object.entries(names)) {
      t.equal(type, value[name as keyof typeof value], `${kind}.${name}`);
      for (const [given, right] of [
        ['a text', type === 'text'],
        [['a list'], type === 'list'],
      ] as const) {
        const findings = new Findings();
        const contradictions = new Contradictions(findings, (n) => ({ n, segment: 0 }));
        contradictions.disclosed({ n: 2, t: 0, k: kind, c: {}, fields: {} }, { [name]: given });
        t.equal(findings.failures, right ? 0 : 1, `${kind}.${name} as ${JSON.stringify(given)}`);
        contradictions.disclosed({ n: 2, t: 0, k: kind, c: {}, fields: {} }, { unheard: given });
        t.match(findings.list.at(-1), { severity: 'note', code: 'unknown-field', message: /unheard/ });
      }
    }
  }
});

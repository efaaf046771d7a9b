/** Good and bad transcripts with the verdict that every reader has to reach. One line each says what is special. */
import { createHash } from 'node:crypto';
import { bindingNonce, publicHalf, thumbprint } from '../../src/identity/binding.js';
import type { IssuerKey } from '../../src/identity/identity.js';
import type { IdentityDemands } from '../../src/review/identity-demands.js';
import { RawJson } from '../../src/transcript/entry.js';
import { subjectHash } from '../../src/transcript/object-key.js';
import { editDisclosures, editPayload, isSignature } from './recorded.js';
import {
  certificate,
  degenerate,
  details,
  issuerKeys,
  keys,
  olderSid,
  otherSid,
  recorded,
  type Signing,
  type Step,
  salt,
  sid,
  signing,
  startedAt,
  subject,
  token,
  type Written,
} from './vector.js';
import { badApprovals, doubtfulApprovals, goodApprovals, secondPerson } from './vector-approvals.js';
import { gatewayCases, gatewayIssuerKeys, gatewayReader } from './vector-gateway.js';
import { localCases, localOpen, localSubject } from './vector-local.js';

export interface VectorCase {
  readonly name: string;
  readonly verdict: 'proven' | 'local' | 'unproven' | 'invalid';
  /** The session's folder: `v1/<subject>/<sid>/`. */
  readonly sid: string;
  readonly subject: string;
  /** Lines of each segment, before gzip. */
  readonly segments: readonly (readonly string[])[];
  /** Public keys of the issuer that the reader has from elsewhere. */
  readonly issuerKeys: { readonly keys: readonly IssuerKey[] };
  readonly reader: VectorReader;
}

/** What the reader demands; of no issuer named, any of people whose keys are at hand. */
export interface VectorReader
  extends Pick<
    IdentityDemands,
    'issuer' | 'clientId' | 'audience' | 'workloadIssuers' | 'minimumLevel' | 'identityRequired' | 'gateway'
  > {
  readonly maxLoginAgeMs?: number;
  /** Objects of the leads' archive: the content by the name. */
  readonly revoked?: Readonly<Record<string, string>>;
}

type Verdict = VectorCase['verdict'];

const query = (decision: string, sql = 'SELECT 1'): Written => [
  { k: 'statement', conn: 1, tx: 'I', decision, rule: 'builtin:read' },
  { sql },
];
const recordingBegins = (stream = 'results'): Written => [
  { k: 'recording', event: 'begin', stream, keepDays: 90, maxRows: 1000, maxBytes: 1 << 20 },
];
const recordedChunk = (chunk: number, stream = 'results', more = {}): Written => [
  { k: 'recording', event: 'chunk', stream, chunk, digest: 'A'.repeat(43), size: 512, ...more },
];
function recordingEnds(why: string | undefined = 'session', stream = 'results'): Written {
  return [{ k: 'recording', event: 'end', stream, why }];
}
const outcome = (of: number, how: string): Written => [{ k: 'outcome', of, how, tag: 'SELECT 1' }];
const verdict = (of: number, decision: string, more = {}): Written => [
  { k: 'verdict', of, decision, by: 'person', channel: 'terminal', waitedMs: 4100, ...more },
];
const granted = (of: number, more = {}): Written => [
  { k: 'grant', of, role: 'shop_writer', access: 'fix-orders', lacking: ['update public.orders'], ...more },
  { reason: 'INC-42' },
];
const opened = (more = {}): Written => [
  {
    k: 'window',
    event: 'open',
    access: 'fix-orders',
    role: 'shop_writer',
    forMs: 900_000,
    channel: 'terminal',
    ...more,
  },
  { reason: 'INC-42' },
];
const askedToConnect = (more = {}): Written => [
  { k: 'statement', conn: 1, protocol: 'connection', tx: 'I', decision: 'ask', rule: 'connection:shop', ...more },
  { sql: 'connect to shop for 30m' },
];
const granted30m = (more = {}): Written => [
  { k: 'window', event: 'open', connection: 'shop', forMs: 1_800_000, channel: 'terminal', ...more },
  { reason: 'INC-42' },
];
const ranAs = (of: number): Written => [{ k: 'outcome', of, how: 'done', tag: 'UPDATE 1', role: 'shop_writer' }];
const valued = (hex: readonly number[], bind: readonly (string | null)[]): Written => [
  { k: 'statement', conn: 1, protocol: 'execute', decision: 'allow', hex },
  { sql: 'SELECT $1', bind },
];
const connection: Written = [
  { k: 'connection', conn: 1, event: 'open', user: 'app', database: 'shop', applicationName: 'psql', backendPid: 4711 },
];

const connectedIn = (window?: number): Written => [{ ...connection[0], window }];
const onRequest = { connection: { name: 'shop', access: 'on-request' } };
/** Entries 2 to 5: asked, granted, open. */
const connectedOnRequest: readonly Step[] = [
  askedToConnect(),
  verdict(2, 'allow', { scope: 'once' }),
  granted30m({ of: 2 }),
  outcome(2, 'done'),
];

/** Entries 0 and 1 open the session; 2 connects; 3 to 6 are a read with its outcome and a deletion that is denied. */
const ordinary: readonly Step[] = [
  connection,
  query('allow', 'SELECT \'é\', "Name" FROM t -- 😀\n'),
  'sign',
  outcome(3, 'done'),
  [
    { k: 'statement', conn: 1, protocol: 'execute', tx: 'I', decision: 'ask', rule: 'builtin:delete-unbounded' },
    { sql: 'DELETE FROM orders WHERE id < $1 AND note IS DISTINCT FROM $2', bind: ['10', null] },
  ],
  'sign',
  [...verdict(5, 'deny'), { reason: 'not today' }] as unknown as Written,
  'seal',
  'final',
];

export async function makeVectors(): Promise<VectorCase[]> {
  return [
    ...good(),
    ...(await doubtful()),
    ...tampered(),
    ...signedNonsense(),
    ...badConnections(),
    ...(await badIdentities()),
    ...(await lookAlikes()),
    ...(await readers()),
    ...(await approvals()),
    ...locals(),
    ...(await gateways()),
  ];
}

function locals(): VectorCase[] {
  const cases = Object.entries(localCases).map(([name, { verdict, open, reader = {} }]) => {
    const fields = { ...localOpen, ...open };
    const segments = recorded({ steps: ordinary, open: fields });
    return given(name, verdict, segments, { subject: subjectHash(fields.subject), reader });
  });
  const cut = recorded({ steps: ordinary.filter((step) => step !== 'final'), open: localOpen });
  const its = { subject: subjectHash(localSubject), reader: {} };
  return [...cases, given('a local key, and no final seal', 'unproven', cut, its)];
}

async function gateways(): Promise<VectorCase[]> {
  const steps: readonly Step[] = [connection, query('allow'), outcome(3, 'done'), 'final'];
  return (await gatewayCases()).map(({ name, verdict, open, reader = gatewayReader }) =>
    given(name, verdict, recorded({ steps, open }), { issuerKeys: gatewayIssuerKeys, reader }),
  );
}

async function approvals(): Promise<VectorCase[]> {
  const cases: VectorCase[] = [];
  const tables = { proven: goodApprovals, unproven: doubtfulApprovals, invalid: badApprovals };
  for (const [verdict, table] of Object.entries(tables)) {
    for (const [name, special] of Object.entries(table)) {
      const steps: readonly Step[] = [...(await secondPerson(special)), 'final'];
      cases.push(given(name, verdict as Verdict, recorded({ steps })));
    }
  }
  const twice: readonly Step[] = [...(await secondPerson()), ...(await secondPerson({ of: 8 })), 'final'];
  return [...cases, given('an approval used twice', 'invalid', recorded({ steps: twice }))];
}

function given(name: string, verdict: Verdict, segments: readonly (readonly string[])[], more = {}): VectorCase {
  const reader = { clientId: 'dbguard' };
  return { name, verdict, sid, subject: subjectHash(subject), segments, issuerKeys, reader, ...more };
}

function good(): VectorCase[] {
  const nasty = { sql: 'a"b\\c\t\u0000\u001f\u2028\ud800é😀\n' };
  const proven = (name: string, steps: readonly Step[], open = {}): VectorCase =>
    given(name, 'proven', recorded({ steps: [...steps, 'final'], open }));
  return [
    given('an ordinary session', 'proven', recorded({ steps: ordinary })),
    proven('nothing but the end', []),
    proven('signatures by count', [
      connection,
      ...Array.from({ length: 40 }, (_, i): Step[] => [query('allow'), outcome(3 + 2 * i, 'done')])
        .flat()
        .flatMap((step, i): Step[] => (i % 32 === 31 ? [step, 'sign'] : [step])),
    ]),
    proven('every character', [[{ k: 'statement', decision: 'allow', rule: nasty.sql }, nasty], outcome(2, 'failed')]),
    proven('a prepared statement, bytes among its values, more of its rows', [
      [{ k: 'parse', conn: 1, facts: [{ command: 'SELECT' }] }, { sql: 'SELECT $1, $2, $3' }],
      [
        { k: 'statement', conn: 1, protocol: 'execute', name: 's', text: 2, decision: 'allow', hex: [1] },
        { bind: ['\\x41', '\\x41', null] },
      ],
      outcome(3, 'done'),
      [{ k: 'statement', conn: 1, protocol: 'execute', continues: 3, tx: 'T' }],
      outcome(5, 'done'),
    ]),
    proven('a text and facts that were said before', [
      [{ k: 'statement', conn: 1, facts: [{ command: 'BEGIN' }], decision: 'allow' }, { sql: 'BEGIN' }],
      outcome(2, 'done'),
      [{ k: 'statement', conn: 1, text: 2, decision: 'allow' }],
      outcome(4, 'done'),
      [{ k: 'parse', conn: 2, text: 2, facts: [{ command: 'BEGIN', effects: [] }] }],
      [{ k: 'statement', conn: 2, facts: 6, decision: 'allow' }, { sql: 'BEGIN WORK' }],
      outcome(7, 'done'),
      [{ k: 'statement', conn: 2, text: 7, facts: 2, decision: 'allow' }],
      outcome(9, 'done'),
    ]),
    proven('run as a role', [
      query('ask', 'UPDATE orders SET note = NULL'),
      verdict(2, 'allow', { scope: 'once' }),
      granted(2),
      [{ k: 'outcome', of: 2, how: 'done', role: 'shop_writer' }],
    ]),
    proven('run as a role for a time, and once more as somebody approved', [
      opened(),
      query('ask', 'UPDATE orders SET note = NULL'),
      verdict(3, 'allow', { by: 'rule', channel: undefined }),
      granted(3, { window: 2 }),
      ranAs(3),
      [{ k: 'window', event: 'end', of: 2, why: 'time' }],
      query('ask', 'UPDATE orders SET note = NULL'),
      verdict(8, 'allow', { scope: 'once' }),
      opened({ of: 8 }),
      granted(8),
      ranAs(8),
    ]),
    proven(
      'a connection on request, granted twice',
      [
        ...connectedOnRequest,
        connectedIn(4),
        query('allow'),
        [{ k: 'window', event: 'end', of: 4, why: 'time' }],
        outcome(7, 'lost'),
        [{ k: 'connection', conn: 1, event: 'close' }],
        granted30m(),
        [{ ...connection[0], conn: 2, window: 11 }],
      ],
      onRequest,
    ),
    proven('approved after a dry run, and what it covers', [
      query('ask', 'DELETE FROM a'),
      [{ k: 'dry-run', of: 2 }],
      verdict(2, 'allow', { scope: 'once' }),
      'sign',
      outcome(2, 'done'),
      query('ask', 'DELETE FROM b'),
      verdict(6, 'allow', { scope: 'transaction', under: 2 }),
      outcome(6, 'lost'),
    ]),
    proven('asked about, and skipped or rejected', [
      query('second-person'),
      outcome(2, 'skipped'),
      query('deny', 'SELEC'),
      outcome(4, 'rejected'),
    ]),
    proven('the session before', [], {
      previous: { sid: olderSid, size: 9, head: 'A'.repeat(43) },
    }),
    proven('recorded, and one of the recordings could not be written any more', [
      ...[recordingBegins('results'), recordingBegins('terminal'), recordedChunk(0), recordedChunk(0, 'terminal')],
      query('allow'),
      outcome(6, 'done'),
      ...[recordedChunk(1), recordingEnds('failed', 'terminal'), recordingEnds()],
    ]),
    proven('a field from later', [[{ k: 'heartbeat', mood: 'good' }]]),
  ];
}

async function doubtful(): Promise<VectorCase[]> {
  const { length } = recorded({ steps: ordinary });
  const cut = (count: number): string[][] => {
    const segments = recorded({ steps: ordinary });
    const last = segments[length - 1];
    last?.splice(last.length - count);
    return segments.filter((lines) => lines.length > 0);
  };
  const asserted = { level: 'asserted', idToken: await token({ nonce: undefined }) };
  return [
    given('no keys of the issuer at hand', 'unproven', recorded({ steps: ordinary }), { issuerKeys: { keys: [] } }),
    given('the token names no key', 'unproven', recorded({ steps: ordinary, open: asserted })),
    given(
      'a token whose key is not at hand',
      'unproven',
      recorded({ steps: ordinary, open: { idToken: await token({}, keys.other, { kid: 'vector-2' }) } }),
    ),
    given('a final seal that nobody signed', 'unproven', cut(1)),
    given('no final seal', 'unproven', cut(2)),
    given('entries behind the last signature', 'unproven', recorded({ steps: [connection, query('ask')] })),
    given('a kind from later', 'unproven', recorded({ steps: [[{ k: 'wish' as 'seal' }], 'final'] })),
  ];
}

function tampered(): VectorCase[] {
  const changed = (name: string, change: (segments: string[][]) => unknown): VectorCase => {
    const segments = recorded({ steps: ordinary });
    change(segments);
    return given(name, 'invalid', segments);
  };
  const edit = (name: string, segment: number, line: number, change: (text: string) => string): VectorCase =>
    changed(name, (segments) => {
      const lines = segments[segment];
      const before = lines?.[line] ?? '';
      const after = change(before);
      if (!lines || before === after) throw new Error(`${name}: no change`);
      lines[line] = after;
    });
  const lines = (segments: string[][], segment: number): string[] => segments[segment] ?? [];
  const signature = 2; // its place in segment 1
  return [
    edit('a word in an entry', 1, 1, (line) => editPayload(line, (p) => p.replace('"allow"', '"alloy"'))),
    edit('a digit in a time', 1, 3, (line) => editPayload(line, (p) => p.replace('"t":179', '"t":178'))),
    edit('a letter of a disclosure', 1, 1, (line) => line.replace('Name', 'Nume')),
    edit('a disclosure taken out', 1, 1, (line) => editDisclosures(line, () => [])),
    edit('disclosures in another order', 1, 4, (line) => editDisclosures(line, (all) => [...all].reverse())),
    edit('a disclosure twice', 1, 1, (line) => editDisclosures(line, (all) => [...all, ...all])),
    edit('a disclosure too many', 1, 3, (line) => editDisclosures(line, () => ['["salt","sql","SELECT 2"]'])),
    edit('an empty disclosure', 1, 3, (line) => `${line}\t`),
    edit('a blank behind an entry', 1, 3, (line) => `${line} `),
    edit('a key twice', 1, 1, (line) =>
      editPayload(line, (p) => p.replace('"decision"', '"decision":"deny","decision"')),
    ),
    edit('no JSON', 1, 3, (line) => line.slice(0, -1)),
    edit('a JSON array', 1, 3, () => '[]'),
    edit('an empty line', 1, 3, () => ''),
    edit('another salt', 0, 0, (line) => editPayload(line, (p) => p.replace(/"salt":"../, '"salt":"AA'))),
    edit('another version', 0, 0, (line) => editPayload(line, (p) => p.replace('"v":1', '"v":2'))),
    edit('another size', 1, signature, (line) => line.replace('"size":4', '"size":5')),
    edit('the size in another spelling', 1, signature, (line) => line.replace('"size":4', '"size":04')),
    edit('a blank in a signature', 1, signature, (line) => line.replace('"size":4', '"size": 4')),
    edit('a third key in a signature', 1, signature, (line) => line.replace(/}$/, ',"x":1}')),
    edit('another head', 1, signature, (line) => line.replace(/"head":"../, '"head":"__')),
    edit('another signature', 1, signature, (line) => line.replace(/"sig":"../, '"sig":"__')),
    edit('padding behind a signature', 1, signature, (line) => line.replace(/"}$/, '=="}')),
    edit('spare bits in a signature', 1, signature, (line) => line.replace(/.(?="}$)/, nextLetter)),
    changed('an entry dropped', (s) => lines(s, 1).splice(1, 1)),
    changed('an entry twice', (s) => lines(s, 1).splice(1, 0, lines(s, 1)[1] ?? '')),
    changed('two entries swapped', (s) => lines(s, 1).splice(0, 2, lines(s, 1)[1] ?? '', lines(s, 1)[0] ?? '')),
    changed('a signature dropped', (s) => lines(s, 1).splice(signature, 1)),
    changed('a signature twice', (s) => lines(s, 1).splice(signature, 0, lines(s, 1)[signature] ?? '')),
    changed('a signature moved', (s) => lines(s, 1).splice(1, 2, lines(s, 1)[signature] ?? '', lines(s, 1)[1] ?? '')),
    changed('all signatures dropped', (s) => {
      for (const [at, segment] of s.entries()) s[at] = segment.filter((line) => !isSignature(line));
    }),
    changed('a segment dropped', (s) => s.splice(1, 1, [])),
    changed('the first segment dropped', (s) => s.splice(0, 1, [])),
    changed('two segments swapped', (s) => s.splice(1, 2, s[2] ?? [], s[1] ?? [])),
    changed('an entry behind the final seal', (s) => lines(s, 2).push('{"n":9,"t":1795435200016500,"k":"heartbeat"}')),
    changed('the signature over the final seal twice', (s) => lines(s, 2).push(lines(s, 2)[1] ?? '')),
    changed('lines of another session', (s) => {
      s[1] = recorded({ sid: otherSid, steps: ordinary })[1] ?? [];
    }),
    changed('another session’s lines throughout', (s) =>
      s.splice(0, 3, ...recorded({ sid: otherSid, steps: ordinary })),
    ),
    // an object without a line is no segment, and a folder without one says nothing, neither way
    given('nothing', 'unproven', [[]]),
  ];
}

/** The next letter of base64url: the last of 86 carries four bits that mean nothing. */
function nextLetter(letter: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(letter) + 1] ?? 'A';
}

/** Every signature holds. */
/** Of a session whose connection is on request. */
function badConnections(): VectorCase[] {
  const ended: Written = [{ k: 'window', event: 'end', of: 4, why: 'time' }];
  const histories: Readonly<Record<string, readonly Step[]>> = {
    'a client that nobody has granted': [connection],
    'a client before the answer': [askedToConnect(), connectedIn(2), verdict(2, 'deny')],
    'a client after the end of the time': [...connectedOnRequest, ended, connectedIn(4)],
    'a client long after a time that did not end': [
      ...connectedOnRequest.map(
        (step): Step => (step === connectedOnRequest[2] ? granted30m({ of: 2, forMs: 1000 }) : step),
      ),
      'later',
      'later',
      connectedIn(4),
    ],
    'a statement behind the end of the time': [
      ...connectedOnRequest,
      connectedIn(4),
      ended,
      query('allow'),
      outcome(8, 'done'),
    ],
    'a time for another connection': [granted30m({ connection: 'bank' })],
    'a time for a connection and a role': [granted30m({ role: 'shop_writer', access: 'fix-orders' })],
    'a time for a connection that nobody approved': [askedToConnect(), granted30m({ of: 2 }), verdict(2, 'deny')],
    'a time for a connection by the approval of a statement': [
      query('ask'),
      verdict(2, 'allow', { scope: 'once' }),
      granted30m({ of: 2 }),
      outcome(2, 'done'),
    ],
    'a role by the approval of a connection': [
      askedToConnect(),
      verdict(2, 'allow', { scope: 'once' }),
      opened({ of: 2 }),
      outcome(2, 'done'),
    ],
    'two times for one connection': [granted30m(), granted30m()],
  };
  return Object.entries(histories).map(([name, steps]) =>
    given(name, 'invalid', recorded({ steps: [...steps, 'final'], open: onRequest })),
  );
}

function signedNonsense(): VectorCase[] {
  const nonsense: Readonly<Record<string, readonly Step[]>> = {
    'done without a verdict': [query('ask'), outcome(2, 'done'), 'final'],
    'lost without a verdict': [query('second-person'), outcome(2, 'lost'), 'final'],
    'denied by a rule, and failed': [query('deny'), outcome(2, 'failed'), 'final'],
    'denied, and done': [query('ask'), verdict(2, 'deny'), outcome(2, 'done'), 'final'],
    'a verdict behind the outcome': [query('ask'), outcome(2, 'skipped'), verdict(2, 'deny'), 'final'],
    'a verdict of what was allowed': [query('allow'), verdict(2, 'allow'), outcome(2, 'done'), 'final'],
    'an approval of what a rule denies': [query('deny'), verdict(2, 'allow'), outcome(2, 'done'), 'final'],
    'two verdicts': [query('ask'), verdict(2, 'deny'), verdict(2, 'deny'), 'final'],
    'two outcomes': [query('allow'), outcome(2, 'done'), outcome(2, 'done'), 'final'],
    'an outcome of nothing': [outcome(0, 'done'), 'final'],
    'an outcome of what comes later': [outcome(3, 'done'), query('allow'), 'final'],
    'a dry run of what was allowed': [query('allow'), [{ k: 'dry-run', of: 2 }], outcome(2, 'done'), 'final'],
    'covered by nothing': [query('ask'), verdict(2, 'allow', { under: 2 }), outcome(2, 'done'), 'final'],
    'a byte value that there is not': [valued([1], ['\\x41']), outcome(2, 'done'), 'final'],
    'a byte value that is NULL': [valued([0], [null]), outcome(2, 'done'), 'final'],
    'a byte value that is a text': [valued([1], ['\\x41', 'A']), outcome(2, 'done'), 'final'],
    'half a byte': [valued([0], ['\\x4']), outcome(2, 'done'), 'final'],
    'a byte in capitals': [valued([0], ['\\xAA']), outcome(2, 'done'), 'final'],
    'a byte value twice': [valued([0, 0], ['\\x41']), outcome(2, 'done'), 'final'],
    'byte values of none': [
      [{ k: 'statement', decision: 'allow', hex: [0] }, { sql: 'SELECT 1' }],
      outcome(2, 'done'),
      'final',
    ],
    'more rows, with values of their own': [
      query('allow'),
      outcome(2, 'done'),
      [{ k: 'statement', continues: 2 }, { bind: ['1'] }],
      outcome(4, 'done'),
      'final',
    ],
    ...Object.fromEntries(
      ['earlier-denial', 'timeout', 'disconnect', 'cancel', 'nobody'].map((by): [string, readonly Step[]] => [
        `let through by ${by}`,
        [query('ask'), verdict(2, 'allow', { by }), outcome(2, 'done'), 'final'],
      ]),
    ),
    'denied by an approval': [query('ask'), verdict(2, 'deny', { by: 'earlier-approval' }), 'final'],
    'a redaction among statements': [
      query('allow'),
      outcome(2, 'done'),
      [{ k: 'redaction', session: olderSid, of: 2, digests: {}, reason: 'a card number' }],
      'final',
    ],
    'a statement without a text': [[{ k: 'statement', conn: 1, decision: 'allow' }], outcome(2, 'done'), 'final'],
    'a text from an entry that has none': [
      connection,
      [{ k: 'statement', conn: 1, text: 2, decision: 'allow' }],
      outcome(3, 'done'),
      'final',
    ],
    'a text of its own and an earlier one': [
      query('allow'),
      outcome(2, 'done'),
      [{ k: 'statement', text: 2, decision: 'allow' }, { sql: 'SELECT 2' }],
      outcome(4, 'done'),
      'final',
    ],
    'a text prepared from an entry that has none': [connection, [{ k: 'parse', text: 2 }], 'final'],
    'nothing prepared': [[{ k: 'parse', conn: 1 }], 'final'],
    'facts from an entry that refers to others': [
      [{ k: 'parse', facts: [] }, { sql: 'BEGIN' }],
      [{ k: 'parse', facts: 2 }, { sql: 'BEGIN WORK' }],
      [{ k: 'parse', facts: 3 }, { sql: 'BEGIN TRANSACTION' }],
      'final',
    ],
    'facts from itself': [[{ k: 'parse', facts: 2 }, { sql: 'BEGIN' }], 'final'],
    'facts that are a text': [[{ k: 'parse', facts: 'BEGIN' }, { sql: 'BEGIN' }], 'final'],
    'a simple query in words': [
      [{ k: 'statement', protocol: 'query', decision: 'allow' }, { sql: 'BEGIN' }],
      outcome(2, 'done'),
      'final',
    ],
    'more rows of what was denied': [
      query('deny'),
      verdict(2, 'deny'),
      [{ k: 'statement', continues: 2 }],
      outcome(4, 'done'),
      'final',
    ],
    'a statement without a decision': [[{ k: 'statement', conn: 1 }, { sql: 'SELECT 1' }], outcome(2, 'done'), 'final'],
    'a decision that there is not': [query('perhaps'), outcome(2, 'done'), 'final'],
    'an outcome that there is not': [query('allow'), outcome(2, 'fine'), 'final'],
    'a verdict by whom nobody says': [
      query('ask'),
      [{ k: 'verdict', of: 2, decision: 'allow' }],
      outcome(2, 'done'),
      'final',
    ],
    'a verdict that decides nothing': [query('ask'), [{ k: 'verdict', of: 2, by: 'person' }], 'final'],
    'a connection that neither comes nor goes': [[{ k: 'connection', conn: 1 }], 'final'],
    'under a read that nobody was asked about': [
      query('allow'),
      outcome(2, 'done'),
      query('ask'),
      verdict(4, 'allow', { under: 2, scope: 'transaction' }),
      outcome(4, 'done'),
      'final',
    ],
    'for a transaction, under nothing': [
      query('ask'),
      verdict(2, 'allow', { scope: 'transaction' }),
      outcome(2, 'done'),
      'final',
    ],
    'more rows, decided on their own': [
      query('allow'),
      outcome(2, 'done'),
      [{ k: 'statement', continues: 2, decision: 'allow' }],
      outcome(4, 'done'),
      'final',
    ],
    'facts that say nothing': [[{ k: 'parse', conn: 1, facts: {} }, { sql: 'SELECT 1' }], 'final'],
    'facts that are no objects': [[{ k: 'parse', conn: 1, facts: ['read'] }, { sql: 'SELECT 1' }], 'final'],
    'half a millisecond': [query('ask'), verdict(2, 'deny', { waitedMs: 0.5 }), 'final'],
    'an outcome without words': [query('allow'), [{ k: 'outcome', of: 2 }], 'final'],
    'a number that is a text': [query('allow'), [{ k: 'outcome', of: 2, how: 'done', rows: '1' }], 'final'],
    'a negative number': [query('allow'), [{ k: 'outcome', of: 2, how: 'done', bytes: -1 }], 'final'],
    'sealed without an outcome': [query('allow'), 'final'],
    'sealed without a verdict': [query('ask'), 'final'],
    'run as a role that nobody granted': [
      query('ask'),
      verdict(2, 'allow'),
      [{ k: 'outcome', of: 2, how: 'done', role: 'shop_writer' }],
      'final',
    ],
    'run as another role': [
      query('ask'),
      verdict(2, 'allow'),
      granted(2),
      [{ k: 'outcome', of: 2, how: 'done', role: 'shop_owner' }],
      'final',
    ],
    'not run as the role that was granted': [
      query('ask'),
      verdict(2, 'allow'),
      granted(2),
      outcome(2, 'failed'),
      'final',
    ],
    'a role for what a rule allowed': [
      query('allow'),
      granted(2),
      [{ k: 'outcome', of: 2, how: 'done', role: 'shop_writer' }],
      'final',
    ],
    'a role for what is approved for the session': [
      query('ask'),
      verdict(2, 'allow', { scope: 'session' }),
      granted(2),
      [{ k: 'outcome', of: 2, how: 'done', role: 'shop_writer' }],
      'final',
    ],
    'a role before the verdict': [query('ask'), granted(2), verdict(2, 'allow'), outcome(2, 'done'), 'final'],
    'two roles': [
      query('ask'),
      verdict(2, 'allow'),
      granted(2),
      granted(2),
      [{ k: 'outcome', of: 2, how: 'done', role: 'shop_writer' }],
      'final',
    ],
    'a role in no time': [query('allow'), granted(2, { window: 1 }), ranAs(2), 'final'],
    'a role in the time of another': [
      opened({ access: 'other' }),
      query('allow'),
      granted(3, { window: 2 }),
      ranAs(3),
      'final',
    ],
    'a role in a time that was ended': [
      opened(),
      [{ k: 'window', event: 'end', of: 2, why: 'person' }],
      query('allow'),
      granted(4, { window: 2 }),
      ranAs(4),
      'final',
    ],
    'a role in a time that was over': [
      opened({ forMs: 58_000 }),
      query('allow'),
      'later',
      granted(3, { window: 2 }),
      ranAs(3),
      'final',
    ],
    'a role before anybody let it through, in its time': [
      opened(),
      query('ask'),
      granted(3, { window: 2 }),
      ranAs(3),
      'final',
    ],
    'a time within a time': [opened(), opened(), 'final'],
    'a time of no end': [opened({ forMs: undefined }), 'final'],
    'a time that a rule opened': [query('allow'), opened({ of: 2 }), outcome(2, 'done'), 'final'],
    'the end of no time': [[{ k: 'window', event: 'end', of: 1, why: 'time' }], 'final'],
    'a role of no name': [
      query('ask'),
      verdict(2, 'allow'),
      [{ k: 'grant', of: 2, access: 'fix-orders' }],
      outcome(2, 'done'),
      'final',
    ],
    'a recording that begins twice': [recordingBegins(), recordingBegins(), recordingEnds(), 'final'],
    'a recording that has not begun': [recordedChunk(0), 'final'],
    'a chunk of a recording twice': [recordingBegins(), recordedChunk(0), recordedChunk(0), recordingEnds(), 'final'],
    'a chunk of a recording left out': [recordingBegins(), recordedChunk(1), recordingEnds(), 'final'],
    'a chunk of a recording without its digest': [
      recordingBegins(),
      recordedChunk(0, 'results', { digest: undefined }),
      recordingEnds(),
      'final',
    ],
    'a chunk behind the end of a recording': [recordingBegins(), recordingEnds(), recordedChunk(0), 'final'],
    'a recording without an end': [recordingBegins(), recordedChunk(0), 'final'],
    'a recording that ends for no reason': [
      recordingBegins(),
      [{ k: 'recording', event: 'end', stream: 'results' }],
      'final',
    ],
    'a recording of something else': [recordingBegins('keys'), recordingEnds('session', 'keys'), 'final'],
    'sealed, approved and not done': [query('ask'), verdict(2, 'allow'), 'final'],
    'opened twice': [[openAgain()], 'final'],
    'a seal with other totals': [[{ k: 'seal', totals: { statements: 1, asked: 0, denied: 0 }, final: true }], 'sign'],
    'a seal without totals': [[{ k: 'seal', final: true }], 'sign'],
    'something behind the final seal': [
      [{ k: 'seal', totals: { statements: 0, asked: 0, denied: 0 }, final: true }],
      'sign',
      'final',
    ],
  };
  return [
    ...Object.entries(nonsense).map(([name, steps]) => given(name, 'invalid', recorded({ steps }))),
    given('it comes after itself', 'invalid', recorded({ steps: ['final'], open: { previous: { sid } } })),
    given(
      'an id of another day',
      'invalid',
      recorded({
        sid: olderSid,
        steps: ['final'],
        open: { certificate: new RawJson(JSON.parse(certificate({ sid: olderSid }))) },
      }),
      { sid: olderSid },
    ),
    given('the folder of another person', 'invalid', recorded({ steps: ordinary }), {
      subject: subjectHash({ ...subject, sub: 'u2' }),
    }),
  ];
}

function openAgain(): Written[0] {
  return { k: 'open', v: 1, version: details.version };
}

async function badIdentities(): Promise<VectorCase[]> {
  const opened = (name: string, open: object, signedBy?: Signing): VectorCase =>
    given(name, 'invalid', recorded({ steps: ordinary, open, ...(signedBy && { signedBy }) }));
  const certified = (name: string, text: string): VectorCase =>
    opened(name, { certificate: new RawJson(JSON.parse(text)) });
  const jkt = (key: typeof keys.login): Record<string, unknown> => ({
    sub: subject.sub,
    client_id: 'dbguard',
    cnf: { jkt: thumbprint(key.jwk) },
  });
  const unbound = await token({ nonce: undefined });
  const before = { sid: olderSid, size: 3, head: 'A'.repeat(43) };
  const ofOtherTypes: Readonly<Record<string, object>> = {
    'a level': { level: 'certain' },
    'a way to log in': { method: 'telnet' },
    'an audience': { audience: ['dbguard'] },
    'an access token': { accessToken: null },
    'a connection': { connection: { host: 'db.example' } },
    'a port': { connection: { name: 'shop', port: '5432' } },
    'a policy': { policy: { name: 'guarded' } },
    'an agent': { agent: ['psql'] },
    'the length of the session before': { previous: { ...before, size: '3' } },
    'the end of the session before': { previous: { ...before, head: 3 } },
    'half a login': { loggedInAt: startedAt - 60_000.5 },
  };
  return [
    ...Object.entries(ofOtherTypes).map(([what, open]) => opened(`${what} that is none`, open)),
    opened('signed by another key', {}, signing(keys.other)),
    opened('a session key that is not certified', { sessionKey: publicHalf(keys.other.jwk) }, signing(keys.other)),
    certified('a certificate by another key', certificate({}, signing(keys.other))),
    certified('a certificate of another session', certificate({ sid: otherSid })),
    certified('a certificate that is over', certificate({ notBefore: startedAt - 2, notAfter: startedAt - 1 })),
    certified('a certificate that ends too early', certificate({ notAfter: startedAt + 3 })),
    certified(
      'a certificate that lives for more than a week',
      certificate({ notAfter: startedAt + 8 * 24 * 3_600_000 }),
    ),
    certified('a certificate that begins later', certificate({ notBefore: startedAt + 60_000 })),
    certified('a certificate of another type', certificate().replace('session-certificate', 'entry')),
    ...(await Promise.all(
      Object.entries(smallOrder).flatMap(([name, point]) => {
        const weak = degenerate(point);
        return [
          opened(
            `a session key of small order: ${name}`,
            { sessionKey: weak.jwk, certificate: new RawJson(JSON.parse(certificate({ sessionKey: weak.jwk }))) },
            weak,
          ),
          withLoginKey(`a login key of small order: ${name}`, weak),
        ];
      }),
    )),
    opened('another login key', { loginKey: publicHalf(keys.other.jwk) }),
    opened('a token that names another key', {
      idToken: await token({ nonce: createHash('sha256').digest('base64url') }),
    }),
    opened('a token by another issuer’s key', { idToken: await token({}, keys.other) }),
    opened('a token for another subject', { idToken: await token({ sub: 'u2' }) }),
    opened('a token with another address', { idToken: await token({ email: 'u2@example.test' }) }),
    opened('an address that nobody has confirmed', { idToken: await token({ email_verified: false }) }),
    opened('an address of which a text says that it is not confirmed', {
      idToken: await token({ email_verified: 'false' }),
    }),
    opened('a token with another key behind its audience', {
      idToken: await token({ aud: ['dbguard', `dbguard:${'A'.repeat(43)}`], azp: 'dbguard' }),
    }),
    opened('several audiences and no authorized party', { idToken: await token({ aud: ['dbguard', 'other'] }) }),
    opened('a token that was issued to another client', { idToken: await token({ azp: 'other' }) }),
    opened('an access token in the place of an ID token', { idToken: await token({}, keys.issuer, { typ: 'at+jwt' }) }),
    opened('a login of long ago', {
      idToken: await token({ iat: startedAt / 1000 - 31 * 86_400 }),
    }),
    opened('a token for another client', { idToken: await token({ aud: 'other' }) }),
    opened('a token that had expired', {
      idToken: await token({ exp: startedAt / 1000 - 600, iat: startedAt / 1000 - 900 }),
    }),
    opened('a token from after the session began', {
      idToken: await token({ iat: startedAt / 1000 + 600 }),
      loggedInAt: startedAt + 600_000,
    }),
    opened('an access token that names another key', {
      idToken: unbound,
      accessToken: await token(jkt(keys.other)),
    }),
    given(
      'the nonce behind the audience, the address confirmed in a text',
      'proven',
      recorded({
        steps: ordinary,
        open: {
          audience: 'https://dbguard',
          idToken: await token({
            aud: ['other', `https://dbguard:${bindingNonce(keys.login.jwk, salt)}`],
            nonce: undefined,
            email_verified: 'true',
          }),
        },
      }),
      { reader: { clientId: 'dbguard', audience: 'https://dbguard' } },
    ),
    given(
      'an access token that names the key',
      'proven',
      recorded({
        steps: ordinary,
        open: { level: 'dpop', idToken: unbound, accessToken: await token(jkt(keys.login)) },
      }),
    ),
  ];
}

/** The issuer means the name as it stands; a person may read another one. */
async function lookAlikes(): Promise<VectorCase[]> {
  const named = async (sub: string, verdict: Verdict): Promise<VectorCase> => {
    const someone = { ...subject, sub };
    const open = { subject: someone, idToken: await token({ sub }) };
    const name = `the name ${[...sub].map(visible).join('')}`;
    return given(name, verdict, recorded({ steps: ['final'], open }), { subject: subjectHash(someone) });
  };
  const odd = [
    'ad\u200ba',
    'a\u00add',
    '\u202eada',
    'a\u00a0d',
    'ada\ufe0f',
    'ada\u3164',
    'a\u2800',
    '\u0430da',
    'а@acme.test',
  ];
  const plain = ['jörg', 'иван', 'γιώργος', '李雷', 'दीपा', 'repo:acme/shop:ref:refs/heads/main', 'иван_2@почта.рф'];
  return Promise.all([
    ...[...odd, 'ada.\u043e\u0440', '\uff41da', '\ufb01ona', '\u{1d41a}da'].map((name) => named(name, 'unproven')),
    ...plain.map((name) => named(name, 'proven')),
  ]);
}

function visible(character: string): string {
  return /[\x20-\x7e]/.test(character) ? character : `U+${character.codePointAt(0)?.toString(16).padStart(4, '0')}`;
}

/** The same bytes, judged by readers who know different things. */
async function readers(): Promise<VectorCase[]> {
  const told = (name: string, verdict: Verdict, reader: VectorReader, open = {}, more = {}): VectorCase =>
    given(name, verdict, recorded({ steps: ordinary, open }), { reader: { clientId: 'dbguard', ...reader }, ...more });
  const job = {
    level: 'audience',
    idToken: await token({ nonce: undefined, aud: 'dbguard' }, keys.issuer, { typ: 'at+jwt' }),
  };
  const workload = { workloadIssuers: [subject.iss] };
  const forApi = { audience: 'https://api', idToken: await token({ aud: 'https://api' }) };
  const revokedAt = (ms: number) => JSON.stringify({ since: new Date(ms).toISOString(), reason: 'a lost laptop' });
  const login = thumbprint(keys.login.jwk);
  const revocation = (content: string, key = login, digits = '0123456789abcdef') => ({
    [`revoked/${key}-${digits}.json`]: content,
  });
  const [before, after] = [revokedAt(startedAt - 3_600_000), revokedAt(startedAt + 3_600_000)];
  const withKey = (key: object) => ({ issuerKeys: { keys: [{ ...issuerKeys.keys[0], ...key }] } });
  return [
    told('a job of a platform that the reader has named', 'proven', workload, job),
    told(
      'a job that says so of itself',
      'unproven',
      { issuer: subject.iss },
      { ...job, idToken: await token({ nonce: undefined }) },
    ),
    told('a job with the token of somebody’s login', 'invalid', workload, {
      ...job,
      idToken: await token({ nonce: createHash('sha256').digest('base64url') }),
    }),
    told('a job with a token for somebody else', 'invalid', workload, {
      ...job,
      idToken: await token({ aud: 'other' }),
    }),
    told(
      'the level that it claims is not what its token proves',
      'invalid',
      {},
      {
        idToken: await token({ nonce: undefined }),
      },
    ),
    told('an issuer that the reader does not know', 'unproven', { issuer: 'https://other.example' }),
    told('the client that the reader knows', 'proven', { issuer: subject.iss, clientId: 'dbguard' }),
    told('a client that the reader does not know', 'invalid', { clientId: 'other' }),
    given('a reader who has named no client', 'unproven', recorded({ steps: ordinary }), { reader: {} }),
    given('a reader who has named the audience alone', 'proven', recorded({ steps: ordinary, open: forApi }), {
      reader: { audience: 'https://api' },
    }),
    given('a client of one’s own, to a reader who has named an audience', 'unproven', recorded({ steps: ordinary }), {
      reader: { audience: 'https://api' },
    }),
    told(
      'an audience that the reader does not know',
      'invalid',
      { clientId: 'dbguard' },
      {
        audience: 'https://other',
        idToken: await token({ aud: 'https://other' }),
      },
    ),
    told('an audience that the reader knows', 'proven', { clientId: 'dbguard', audience: 'https://api' }, forApi),
    told(
      'a login older than the reader allows',
      'invalid',
      { maxLoginAgeMs: 3_600_000 },
      {
        idToken: await token({ iat: startedAt / 1000 - 7200 }),
      },
    ),
    told(
      'a login as old as the reader allows',
      'proven',
      { maxLoginAgeMs: 7_200_000 },
      {
        idToken: await token({ iat: startedAt / 1000 - 7200 }),
      },
    ),
    told('a login key revoked before', 'invalid', { revoked: revocation(before) }),
    told('a login key revoked afterwards', 'proven', { revoked: revocation(after) }),
    told('a login key revoked twice', 'invalid', {
      revoked: { ...revocation(after), ...revocation(before, login, 'fedcba9876543210') },
    }),
    told('another login key revoked', 'proven', { revoked: revocation(before, thumbprint(keys.other.jwk)) }),
    told('a login key revoked in words that nobody can read', 'invalid', { revoked: revocation('junk') }),
    told('a login key revoked, nobody says when', 'invalid', { revoked: revocation('{"reason":"gone"}') }),
    told('an address confirmed in capitals', 'proven', {}, { idToken: await token({ email_verified: 'TRUE' }) }),
    told('an address whose owner nobody has confirmed', 'invalid', {}, { idToken: await token({ xms_edov: false }) }),
    told('a token that is not valid yet', 'invalid', {}, { idToken: await token({ nbf: startedAt / 1000 + 600 }) }),
    told('the issuer’s key, its private half beside it', 'invalid', {}, {}, withKey({ d: 'AAAA' })),
    told('the issuer’s key, meant for encryption', 'invalid', {}, {}, withKey({ use: 'enc' })),
    told('the issuer’s key, meant to sign and not to verify', 'invalid', {}, {}, withKey({ key_ops: ['sign'] })),
    told('the issuer’s key, meant for another algorithm', 'invalid', {}, {}, withKey({ alg: 'ES256' })),
    told('the issuer’s key by its other name', 'proven', {}, {}, withKey({ alg: 'Ed25519' })),
    told('the issuer’s key of small order', 'invalid', {}, {}, withKey(degenerate(smallOrder['order 4']).jwk)),
    told(
      'a sound key beside one that is none',
      'proven',
      {},
      {},
      {
        issuerKeys: { keys: [{ ...issuerKeys.keys[0], ...degenerate(smallOrder['order 4']).jwk }, ...issuerKeys.keys] },
      },
    ),
  ];
}

async function withLoginKey(name: string, by: Signing): Promise<VectorCase> {
  const open = {
    loginKey: by.jwk,
    idToken: await token({ nonce: bindingNonce(by.jwk, salt) }),
    certificate: new RawJson(JSON.parse(certificate({}, by))),
  };
  return given(name, 'invalid', recorded({ steps: ordinary, open }));
}

/** RFC 7748 section 7 and RFC 8032 section 5.1.3: encodings under which a signature proves nothing. */
const smallOrder = {
  'the neutral point': `01${'00'.repeat(31)}`,
  'order 2': `ec${'ff'.repeat(30)}7f`,
  'order 4': '00'.repeat(32),
  'the neutral point, not canonical': `ee${'ff'.repeat(30)}7f`,
};

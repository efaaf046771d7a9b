/**
 * The conversations that explain the proxy: what comes in, and what dbguard does about it, in order. Each is read from top
 * to bottom; promises 1 and 2 of src/README.md (the entry first, fail closed) can be seen in the order of the lines.
 */
import t from 'tap';
import type { Policy } from '../../../src/policy/decision.js';
import { encodeError } from '../../../src/wire/backend.js';
import { RecordedSession } from '../../helpers/recorded-session.js';
import * as client from '../../helpers/wire-messages.js';
import { everything, named } from '../policies.js';

type Step = readonly [event: (session: RecordedSession) => void, ...happens: readonly string[]];

const said = (bytes: Buffer) => (on: RecordedSession) => on.session.fromClient(bytes);
const answered = (bytes: Buffer) => (on: RecordedSession) => on.session.fromServer(bytes);
const tag = (text: string) => client.message('C', client.text(text));
const ready = (status: 'I' | 'T' | 'E') => client.message('Z', Buffer.from(status));
const row = client.message('D', Buffer.from([0, 0]));
const [parseComplete, bindComplete] = [client.message('1'), client.message('2')];
const rowDescription = client.message('T', Buffer.from([0, 0]));
/** In LATIN1, so that no trial gets in between. */
const precious = "DELETE FROM precious WHERE name = 'é'";
const divisionByZero = encodeError({ severity: 'ERROR', code: '22012', message: 'division by zero' });
const asks = named('precious', 'ask');
const denies = named('precious', 'deny');

const dialogues: Readonly<Record<string, { readonly policy: Policy; readonly steps: readonly Step[] }>> = {
  'a simple Query': {
    policy: everything,
    steps: [
      [
        said(client.query('SELECT 1')),
        'journal: statement 0: allow',
        'journal: written',
        'to the server: Query SELECT 1',
      ],
      [
        answered(Buffer.concat([row, tag('SELECT 1'), ready('I')])),
        'journal: outcome 1 of 0: done SELECT 1',
        'to the client: DataRow',
        'to the client: CommandComplete SELECT 1',
        'to the client: ReadyForQuery I',
      ],
    ],
  },
  'a prepared statement, run twice': {
    policy: everything,
    steps: [
      [
        said(Buffer.concat([client.parse('SELECT $1', { name: 's' }), client.sync()])),
        'journal: parse 0',
        'journal: written',
        'to the server: Parse',
        'to the server: Sync',
      ],
      [
        answered(Buffer.concat([parseComplete, ready('I')])),
        'to the client: ParseComplete',
        'to the client: ReadyForQuery I',
      ],
      [
        said(Buffer.concat([client.bind(['1'], { statement: 's' }), client.execute(), client.sync()])),
        'journal: statement 1: allow',
        'journal: written',
        'to the server: Bind',
        'to the server: Execute',
        'to the server: Sync',
      ],
      [
        answered(Buffer.concat([bindComplete, row, tag('SELECT 1'), ready('I')])),
        'journal: outcome 2 of 1: done SELECT 1',
        'to the client: BindComplete',
        'to the client: DataRow',
        'to the client: CommandComplete SELECT 1',
        'to the client: ReadyForQuery I',
      ],
      [
        said(Buffer.concat([client.bind(['2'], { statement: 's' }), client.execute(), client.sync()])),
        'journal: statement 3: allow',
        'journal: written',
        'to the server: Bind',
        'to the server: Execute',
        'to the server: Sync',
      ],
    ],
  },
  'a pipeline of which the first fails': {
    policy: everything,
    steps: [
      [
        said(Buffer.concat([client.run('SELECT 1/0'), client.run('SELECT 2'), client.sync()])),
        'journal: statement 0: allow',
        'journal: statement 1: allow',
        'journal: written',
        'to the server: Parse',
        'to the server: Bind',
        'to the server: Describe',
        'to the server: Execute',
        'to the server: Parse',
        'to the server: Bind',
        'to the server: Describe',
        'to the server: Execute',
        'to the server: Sync',
      ],
      [
        answered(Buffer.concat([parseComplete, bindComplete, rowDescription, divisionByZero])),
        'journal: outcome 2 of 0: failed 22012',
        'journal: outcome 3 of 1: skipped',
        'to the client: ParseComplete',
        'to the client: BindComplete',
        'to the client: RowDescription',
        'to the client: ErrorResponse 22012 division by zero',
      ],
      [answered(ready('I')), 'to the client: ReadyForQuery I'],
    ],
  },
  'the journal is slow': {
    policy: everything,
    steps: [
      [
        (on) => {
          on.recorder.slow = true;
          on.session.fromClient(client.query('SELECT 1'));
        },
        'journal: statement 0: allow',
      ],
      [(on) => on.recorder.catchUp(), 'journal: written', 'to the server: Query SELECT 1'],
    ],
  },
  'a denial': {
    policy: denies,
    steps: [
      [
        said(client.query(precious)),
        'journal: statement 0: deny',
        'journal: verdict 1 of 0: deny',
        'journal: written',
        'to the server: Query dbguard stopped a statement here',
      ],
      [
        answered(
          Buffer.concat([
            encodeError({ severity: 'ERROR', code: '26000', message: 'prepared statement does not exist' }),
            ready('I'),
          ]),
        ),
        'to the client: ErrorResponse 42501 dbguard denied this statement: Test.',
        'to the client: ReadyForQuery I',
      ],
    ],
  },
  'a question, and yes': {
    policy: asks,
    steps: [
      [
        said(Buffer.concat([client.query(precious), client.query('SELECT 1')])),
        'journal: statement 0: ask',
        'to the client: NoticeResponse',
        'person: is asked',
      ],
      [
        (on) => on.answer({ decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: 'p' }),
        'journal: verdict 1 of 0: allow',
        'journal: statement 2: allow',
        'journal: signed and on disk',
        "to the server: Query DELETE FROM precious WHERE name = 'Ã©'",
        'to the server: Query SELECT 1',
      ],
      [
        answered(Buffer.concat([tag('DELETE 3'), ready('I')])),
        'journal: outcome 3 of 0: done DELETE 3',
        'to the client: CommandComplete DELETE 3',
        'to the client: ReadyForQuery I',
      ],
    ],
  },
  'a question, and no': {
    policy: asks,
    steps: [
      [said(client.query(precious)), 'journal: statement 0: ask', 'to the client: NoticeResponse', 'person: is asked'],
      [
        (on) => on.answer({ decision: 'deny', by: { kind: 'person' }, reason: 'not today' }),
        'journal: verdict 1 of 0: deny',
        'journal: written',
        'to the server: Query dbguard stopped a statement here',
      ],
    ],
  },
  'the client cancels a statement that waits for a person': {
    policy: asks,
    steps: [
      [said(client.query(precious)), 'journal: statement 0: ask', 'to the client: NoticeResponse', 'person: is asked'],
      [
        (on) => on.session.cancel(),
        'person: is not asked any more',
        'journal: verdict 1 of 0: deny',
        'journal: written',
        'to the server: Query dbguard stopped a statement here',
      ],
    ],
  },
  'the client goes while its statement runs': {
    policy: everything,
    steps: [
      [
        said(client.query('SELECT 1')),
        'journal: statement 0: allow',
        'journal: written',
        'to the server: Query SELECT 1',
      ],
      [(on) => on.session.clientGone()],
      [
        answered(Buffer.concat([tag('SELECT 1'), ready('I')])),
        'journal: outcome 1 of 0: done SELECT 1',
        'to the client: CommandComplete SELECT 1',
        'to the client: ReadyForQuery I',
      ],
      [(on) => on.session.dispose()],
    ],
  },
  'the server is lost while a statement runs': {
    policy: everything,
    steps: [
      [
        said(client.query('DELETE FROM t WHERE id = 1')),
        'journal: statement 0: allow',
        'journal: written',
        'to the server: Query DELETE FROM t WHERE id = 1',
      ],
      [(on) => on.session.dispose(), 'journal: outcome 1 of 0: lost'],
    ],
  },
  'dbguard is told to end': {
    policy: everything,
    steps: [
      [
        said(client.query('SELECT 1')),
        'journal: statement 0: allow',
        'journal: written',
        'to the server: Query SELECT 1',
      ],
      [(on) => on.session.drain()],
      [said(client.query('SELECT 2'))],
      [
        answered(Buffer.concat([tag('SELECT 1'), ready('I')])),
        'journal: outcome 1 of 0: done SELECT 1',
        'to the client: CommandComplete SELECT 1',
        'to the client: ReadyForQuery I',
        'to the client: ErrorResponse 57P01 terminating connection: dbguard is shutting down',
        'both connections end: terminating connection: dbguard is shutting down',
      ],
    ],
  },
  'COPY in': {
    policy: everything,
    steps: [
      [
        said(client.query('COPY t FROM STDIN')),
        'journal: statement 0: allow',
        'journal: written',
        'to the server: Query COPY t FROM STDIN',
      ],
      [answered(client.message('G', Buffer.alloc(3))), 'to the client: CopyInResponse'],
      [
        said(Buffer.concat([client.copyData('1\n'), client.copyData('2\n'), client.copyDone()])),
        'to the server: CopyData',
        'to the server: CopyData',
        'to the server: CopyDone',
      ],
      [
        answered(Buffer.concat([tag('COPY 2'), ready('I')])),
        'journal: outcome 1 of 0: done COPY 2',
        'to the client: CommandComplete COPY 2',
        'to the client: ReadyForQuery I',
      ],
    ],
  },
  'the server answers what nobody asked': {
    policy: everything,
    steps: [
      [
        answered(tag('SELECT 1')),
        "to the client: ErrorResponse 08P01 dbguard: the server broke the protocol: unexpected server message 'C' while idle",
        "both connections end: dbguard: the server broke the protocol: unexpected server message 'C' while idle",
      ],
      [said(client.query('SELECT 1'))],
    ],
  },
};

for (const [name, { policy, steps }] of Object.entries(dialogues)) {
  t.test(name, async (t) => {
    const on = new RecordedSession(policy, 'LATIN1');
    for (const [number, [event, ...happens]] of steps.entries()) {
      event(on);
      const found = await on.happened();
      t.strictSame(found, happens, `event ${number + 1}`);
    }
  });
}

import t from 'tap';
import { type ExpectationKind, Responses } from '../../../src/proxy/server/responses.js';
import { backend } from '../../../src/wire/messages.js';

/** Plays server messages by letter; returns what became of each expectation, in order. */
function play(kinds: readonly ExpectationKind[], letters: string): { log: string[]; responses: Responses } {
  const responses = new Responses();
  const log: string[] = [];
  for (const [index, kind] of kinds.entries()) {
    responses.expect({ kind, settle: (how) => log.push(`${kind}${index} ${how}`) });
  }
  feed(responses, letters);
  return { log, responses };
}

function feed(responses: Responses, letters: string): void {
  for (const letter of letters) {
    const type = letter.charCodeAt(0);
    const owner = responses.ownerOf(type);
    if (owner) responses.advance(type, owner);
  }
}

t.test('a pipeline is answered message by message', async (t) => {
  const { log, responses } = play(['parse', 'bind', 'describe', 'execute', 'sync'], '12TDCZ');
  t.same(log, ['parse0 done', 'bind1 done', 'describe2 done', 'execute3 done', 'sync4 done']);
  t.ok(responses.idle);
});

t.test('Describe of a statement gets two messages and counts once', async (t) => {
  t.same(play(['describe', 'sync'], 'tnZ').log, ['describe0 done', 'sync1 done']);
});

t.test('an error skips everything up to the next Sync, and only that', async (t) => {
  const { log, responses } = play(['parse', 'bind', 'execute', 'sync', 'query'], '1E');
  t.same(log, ['parse0 done', 'bind1 failed', 'execute2 skipped']);
  t.notOk(responses.discarding, 'a Sync is under way');
  feed(responses, 'ZTCZ');
  t.same(log.slice(3), ['sync3 done', 'query4 done']);
});

t.test('an error without a Sync under way makes the server discard until one comes', async (t) => {
  const { responses } = play(['parse', 'bind'], '1E');
  t.ok(responses.discarding);
  responses.expect({ kind: 'sync' });
  t.notOk(responses.discarding);
  feed(responses, 'Z');
  t.ok(responses.idle);
});

t.test('a simple query takes any number of results and ends with ReadyForQuery', async (t) => {
  t.same(play(['query', 'query'], 'TCIECZZ').log, ['query0 failed', 'query1 done']);
});

t.test('Sync sent into copy-in mode is ignored by the server', async (t) => {
  const { log, responses } = play(['execute', 'sync'], 'G');
  t.ok(responses.copyIn);
  responses.expect({ kind: 'sync' });
  responses.expect({ kind: 'copy-end' });
  responses.expect({ kind: 'sync', settle: () => log.push('last sync done') });
  feed(responses, 'CZ');
  t.same(log, ['execute0 done', 'last sync done']);
  t.ok(responses.idle);
});

t.test('COPY data, CopyDone and Sync pipelined before the server even answered', async (t) => {
  const { log, responses } = play(['execute', 'copy-end', 'sync'], 'GCZ');
  t.same(log, ['execute0 done', 'sync2 done']);
  t.ok(responses.idle);
});

t.test('asynchronous messages belong to nobody', async (t) => {
  const { log, responses } = play(['query'], 'NAS');
  t.same(log, []);
  t.equal(responses.pending, 1);
  t.equal(new Responses().ownerOf(backend.errorResponse), undefined, 'a FATAL while idle');
});

t.test('an answer that nobody asked for is a violation', async (t) => {
  t.throws(() => play([], 'Z'), { name: 'ProtocolViolation' });
  t.throws(() => play(['parse'], '2'), { name: 'ProtocolViolation' });
  t.throws(() => play(['execute', 'sync'], 'Z'), { name: 'ProtocolViolation' });
});

t.test('a connection that ends early settles what is open as lost, unless its error came before', async (t) => {
  const { log, responses } = play(['execute', 'sync', 'query'], 'CZE');
  responses.expect({ kind: 'query', settle: (how) => log.push(`next ${how}`) });
  responses.abandon();
  t.same(log.slice(2), ['query2 failed', 'next lost']);
});

t.test('the queue stays small over a long session', async (t) => {
  const responses = new Responses();
  responses.expect({ kind: 'sync' });
  for (let round = 0; round < 10_000; round++) {
    responses.expect({ kind: 'sync' });
    feed(responses, 'Z');
  }
  t.equal(responses.pending, 1);
});

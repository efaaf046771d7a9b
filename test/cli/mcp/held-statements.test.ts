/** Identical calls at once: one question where it has to be asked, two runs where it has not. */
import t from 'tap';
import { type Asked, HeldStatements, type Send } from '../../../src/cli/mcp/held-statements.js';
import type { StatementOutcome } from '../../../src/io/upstream/run-statement.js';

interface Under {
  readonly waits: (why: string) => void;
  readonly end: () => void;
  cancelled: boolean;
}

const asked: Asked = { sql: 'DELETE FROM a', values: [], ticket: undefined, maxRows: 1, timeoutSeconds: 60 };
const outcome = { rows: [], notices: [], more: false, copy: false, status: 'I' } as unknown as StatementOutcome;

function statements() {
  const sent: Under[] = [];
  const send: Send = (_statement, _keep, waits) => {
    let end = (): void => {};
    const over = new Promise<StatementOutcome>((resolve) => {
      end = () => resolve(outcome);
    });
    const one: Under = { waits, end, cancelled: false };
    sent.push(one);
    return {
      outcome: over,
      cancel: () => {
        one.cancelled = true;
        end();
      },
    };
  };
  return { sent, held: new HeldStatements(send, 30_000) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('a twin of what has to be asked is the same question', async (t) => {
  const { sent, held } = statements();
  const calls = [1, 2, 3].map(() => held.ask(asked, new AbortController().signal));
  await turn();
  t.equal(sent.length, 1, 'nobody knows yet');
  sent[0]?.waits('a person');
  await turn();
  t.equal(sent.length, 1);
  sent[0]?.end();
  t.match(await Promise.all(calls), [
    { kind: 'outcome' },
    { kind: 'outcome', late: true },
    { kind: 'outcome', late: true },
  ]);
});

t.test('a twin of what runs at once runs behind it', async (t) => {
  const { sent, held } = statements();
  const calls = [1, 2].map(() => held.ask(asked, new AbortController().signal));
  await turn();
  sent[0]?.end();
  await turn();
  await turn();
  t.equal(sent.length, 2);
  sent[1]?.end();
  t.match(await Promise.all(calls), [
    { kind: 'outcome', late: false },
    { kind: 'outcome', late: false },
  ]);
});

t.test('one of two that leaves cancels nothing for the other; the last one does', async (t) => {
  const { sent, held } = statements();
  const [first, second] = [new AbortController(), new AbortController()];
  const calls = [held.ask(asked, first.signal), held.ask(asked, second.signal)];
  await turn();
  sent[0]?.waits('a person');
  await turn();
  first.abort();
  t.equal(sent[0]?.cancelled, false);
  second.abort();
  t.equal(sent[0]?.cancelled, true);
  await Promise.all(calls);
});

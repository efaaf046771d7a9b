import fc from 'fast-check';
import t from 'tap';
import { outcomeWords, refusalWords, waitingWords, waitsFor } from '../../../src/cli/mcp/answers.js';
import { ArgumentsError, instructions, readQuery, tools } from '../../../src/cli/mcp/tools.js';
import type { Ruling } from '../../../src/policy/decision.js';
import { awaitingApproval } from '../../../src/proxy/statement/denial.js';
import { cellValue } from '../../../src/wire/type-names.js';

/** A tokenizer makes one of some four characters of such text. */
const mostCharacters = 1800;

t.test('what every conversation pays for the tools', async (t) => {
  const text = JSON.stringify({ tools, instructions });
  t.ok(text.length <= mostCharacters, `${text.length} characters, some ${Math.round(text.length / 4)} tokens`);
});

t.test('no word of what would let a refused statement run', async (t) => {
  const error = new Map([
    ['C', '42501'],
    ['M', 'dbguard denied this statement: Drops table orders.'],
    ['D', 'Decided by rule builtin:drop (built-in guarded profile). The statement was not run.'],
    ['H', 'Change it or ask the person you work for.'],
    ['R', 'dbguard'],
  ]);
  const outcome = {
    columns: undefined,
    rows: [],
    more: false,
    tag: undefined,
    notices: [],
    copy: false,
    status: 'I',
  } as const;
  const words = [
    JSON.stringify(tools),
    instructions,
    outcomeWords({ ...outcome, error }, undefined).text,
    waitingWords('ticket', 'a person to approve this statement: Drops table orders.').text,
    ...(['unknown-ticket', 'other-statement', 'too-many'] as const).map((kind) => refusalWords(kind).text),
  ];
  for (const text of words) t.notMatch(text, /dbguard (?:approv|run|access)|\byaml|profile|--\w|unmask/i);
});

t.test('a server that says what dbguard says is not believed', async (t) => {
  const notice = new Map([['M', 'dbguard: waiting for a person to approve this statement: x']]);
  t.equal(waitsFor(notice), undefined);
  t.equal(waitsFor(new Map([...notice, ['R', 'exec_stmt_raise']])), undefined);
  t.equal(waitsFor(new Map([...notice, ['R', 'dbguard']])), 'a person to approve this statement: x');
});

t.test('whoever a statement waits for, the agent is told', async (t) => {
  const ruling = (decision: Ruling['decision']) => ({ decision, rule: 'a', origin: 'b', reason: 'Drops x.' });
  for (const decision of ['ask', 'second-person'] as const)
    for (const others of [0, 1, 2, 5]) {
      const { message } = awaitingApproval(ruling(decision), others);
      const told =
        waitsFor(
          new Map([
            ['M', message],
            ['R', 'dbguard'],
          ]),
        ) ?? '';
      const who = decision === 'ask' ? 'a person' : others > 1 ? `${others} other people` : 'a second person';
      t.equal(told, `${who} to approve this statement: Drops x.`);
    }
});

const numeric = [20, 21, 23, 26, 700, 701, 1700];

t.test('no digit of a number is lost on its way through JSON', async () => {
  const text = fc.oneof(fc.bigInt().map(String), fc.double().map(String), fc.constantFrom('NaN', 'Infinity', '-0', ''));
  fc.assert(
    fc.property(text, fc.constantFrom(...numeric), (digits, oid) => {
      const value = JSON.parse(JSON.stringify(cellValue(digits, oid)));
      return String(value) === digits || (typeof value === 'number' && Object.is(value, Number(digits)) && oid >= 700);
    }),
  );
});

t.test('values are taken as they are meant, or not at all', async (t) => {
  t.strictSame(readQuery({ sql: 'x', values: [1, 1.5, true, null, 'a'] }).values, ['1', '1.5', 'true', null, 'a']);
  const wrong: readonly object[] = [
    {},
    { sql: 1 },
    { sql: 'a\0b' },
    { sql: 'x', values: 'y' },
    { sql: 'x', values: [[1]] },
    { sql: 'x', values: [{}] },
    { sql: 'x', values: ['\0'] },
    { sql: 'x', values: [2 ** 53] },
    { sql: 'x', max_rows: 0 },
    { sql: 'x', max_rows: '5' },
    { sql: 'x', timeout_seconds: 601 },
    { sql: 'x', ticket: 1 },
    { sql: 'x', approve: true },
  ];
  for (const given of wrong) {
    try {
      readQuery({ ...given });
      t.fail(JSON.stringify(given));
    } catch (error) {
      t.ok(error instanceof ArgumentsError, JSON.stringify(given));
    }
  }
});

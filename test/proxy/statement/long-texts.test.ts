/** A long text that may hold secrets is looked through before it runs, and holds up nobody but its own client. */
import t from 'tap';
import { RecordedSession } from '../../helpers/recorded-session.js';
import { bind, execute, parse, query, sync } from '../../helpers/wire-messages.js';
import { everything } from '../policies.js';

const rows = Array.from({ length: 18_000 }, (_, n) => `(${n}, 'the token of row ${n}')`).join(', ');
const text = `INSERT INTO t (id, note) VALUES ${rows}, (1, 'password=hunter2')`;

async function until(session: RecordedSession, seen: (log: readonly string[]) => boolean): Promise<string[]> {
  const log: string[] = [];
  while (!seen(log)) log.push(...(await session.happened()));
  return log;
}

const short = (log: readonly string[]): string[] => log.map((line) => line.slice(0, 40));
const forwarded = (log: readonly string[], what: string): number =>
  log.findIndex((line) => line.startsWith(`to the server: ${what}`));

t.test('a query: what is behind it waits, and another client does not', async (t) => {
  const [session, other] = [new RecordedSession(everything), new RecordedSession(everything)];
  session.session.fromClient(Buffer.concat([query(text), query('SELECT 2')]));
  other.session.fromClient(query('SELECT 1'));
  t.not(forwarded(await other.happened(), 'Query SELECT 1'), -1);
  const log = await until(session, (log) => forwarded(log, 'Query SELECT 2') >= 0);
  t.match(short(log), [/^journal: statement 0/, /^journal/, /^journal/, /^to the server: Query INSERT/, /SELECT 2/]);
  const [entry] = session.recorder.entries;
  t.notMatch(JSON.stringify(entry), 'hunter2');
  t.match(JSON.stringify(entry), 'password=<hidden>');
});

t.test('a Parse: the messages behind it keep their order', async (t) => {
  const session = new RecordedSession(everything);
  session.session.fromClient(Buffer.concat([parse(text), bind(), execute(), sync()]));
  const log = await until(session, (log) => forwarded(log, 'Sync') >= 0);
  const sent = log.filter((line) => line.startsWith('to the server')).map((line) => line.slice(15));
  t.strictSame(sent, ['Parse', 'Bind', 'Execute', 'Sync']);
  t.notMatch(JSON.stringify(session.recorder.entries), 'hunter2');
  t.ok(session.recorder.entries.every(({ k }) => k !== 'outcome'));
});

t.test('a client that leaves meanwhile', async (t) => {
  const [session, later] = [new RecordedSession(everything), new RecordedSession(everything)];
  session.session.fromClient(query(text));
  session.session.dispose();
  later.session.fromClient(query(`${text}, (2, 'and a token more')`));
  await until(later, (log) => forwarded(log, 'Query') >= 0);
  t.strictSame(session.recorder.entries, [], 'what it asked for is not run and in no entry');
});

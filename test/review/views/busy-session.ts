/** Sessions in which everything happens that a view has a column for, with the facts that the analyser reads. */
import type { Login } from '../../../src/identity/identity.js';
import { FactsRecords } from '../../../src/proxy/statement/facts-record.js';
import { createAnalyser } from '../../../src/sql/analyser.js';
import type { Disclosures, EntryBody } from '../../../src/transcript/entry.js';
import { type Recorded, type RecordOptions, record } from '../../transcript/recorded.js';

const analyser = await createAnalyser();
const factsOf = new FactsRecords();

type Extra = readonly [EntryBody, Disclosures?];

/** What one client does, in order: each has the number that comes after the entries before it. */
class Script {
  readonly entries: Extra[] = [];
  /** Behind the opening entry and the seal of its segment. */
  #next = 2;

  add(body: EntryBody, disclosures?: Disclosures): number {
    this.entries.push(disclosures === undefined ? [body] : [body, disclosures]);
    return this.#next++;
  }

  statement(sql: string, decision: string, rule = 'test', bind?: readonly string[]): number {
    const facts = factsOf.of(analyser.analyse(sql)).json;
    return this.add(
      { k: 'statement', conn: 1, decision, rule, tx: 'I', facts },
      { sql, ...(bind === undefined ? {} : { bind }) },
    );
  }

  ran(sql: string, tag: string, more: Readonly<Record<string, string | number | readonly string[]>> = {}): number {
    const of = this.statement(sql, 'allow');
    this.add({ k: 'outcome', of, how: 'done', tag, us: 1200, bytes: 90, ...more });
    return of;
  }
}

/** @param rounds how often its reads and its write are repeated */
export function busySession(login: Login, options: RecordOptions = {}, rounds = 1): Recorded {
  const script = new Script();
  script.add({
    k: 'connection',
    event: 'open',
    conn: 1,
    user: 'app',
    database: 'shop',
    applicationName: 'psql',
    backendPid: 4711,
  });
  for (let round = 0; round < rounds; round++) {
    script.ran('SELECT email, total FROM public.orders WHERE id = $1', 'SELECT 1', { masked: ['public.orders.email'] });
    script.ran(`UPDATE public.orders SET total = ${round} WHERE id = 7`, 'UPDATE 3');
  }
  const dropped = script.statement('DROP TABLE "public"."invoices"', 'ask', 'drops', ['=cmd|calc']);
  script.add(
    { k: 'verdict', of: dropped, decision: 'deny', by: 'person', channel: 'terminal', waitedMs: 1500 },
    { reason: 'not on a Friday' },
  );
  const granted = script.statement('DELETE FROM public.orders WHERE id = 9', 'ask', 'access');
  script.add({ k: 'verdict', of: granted, decision: 'allow', by: 'person', channel: 'terminal', waitedMs: 900 });
  script.add(
    { k: 'grant', of: granted, role: 'fixer', access: 'fix-orders', lacking: ['delete public.orders'] },
    { reason: 'INC-42' },
  );
  script.add({ k: 'outcome', of: granted, how: 'done', tag: 'DELETE 1', role: 'fixer', us: 800 });
  const time = script.add(
    { k: 'window', event: 'open', access: 'fix-orders', role: 'fixer', forMs: 900_000, channel: 'terminal' },
    { reason: 'INC-43' },
  );
  script.add({ k: 'window', event: 'end', of: time, why: 'time' });
  script.ran('SELECT note FROM notes', 'SELECT 2', {
    detected: ['public.notes.note: email'],
    inferred: ['public.orders.email'],
  });
  script.add({ k: 'connection', event: 'close', conn: 1 });
  const open = {
    agent: 'claude',
    connection: { name: 'shop', database: 'shop', environment: 'production' },
    ...options.open,
  };
  return record(login, { ...options, open, statements: 0, extra: script.entries });
}

import fc from 'fast-check';
import t from 'tap';
import { OwnRelations } from '../../../src/masking/own-relations.js';
import type { Candidate } from '../../../src/proxy/candidate.js';
import { type ClientCatalog, withoutCatalog } from '../../../src/proxy/session-state/client-catalog.js';
import type { ClientMasks } from '../../../src/proxy/session-state/result-masks.js';
import { isRowWork } from '../../../src/proxy/session-state/row-work.js';
import { ConnectionState } from '../../../src/proxy/statement/connection-state.js';
import { StatementJournal } from '../../../src/proxy/statement/statement-journal.js';
import { createAnalyser } from '../../../src/sql/analyser.js';
import { kindsWith } from '../../../src/sql/effect-traits.js';
import type { Effect, EffectKind, Facts, StatementFacts } from '../../../src/sql/facts.js';
import { MemoryRecorder } from '../../helpers/proxy-in-process.js';
import { readCorpus } from '../../sql/corpus.js';
import { everything } from '../policies.js';

const analyser = await createAnalyser();
const made = analyser.analyse('CREATE TEMP TABLE t (id int)');

/** One connection with all its trackers, and everything that can be seen of what they know. */
class Connection {
  readonly #said: string[] = [];
  readonly #state: ConnectionState;

  constructor() {
    const catalog: ClientCatalog = {
      ...withoutCatalog(analyser),
      onlyTemporary: () => true,
      changing: () => this.#said.push('the catalog changes'),
    };
    const masks: ClientMasks = {
      plans: {
        planFor: (_sql: string, path: unknown) => {
          this.#said.push(`path ${JSON.stringify(path)}`);
          return { kind: 'none' };
        },
        names: () => [],
        defining: () => undefined,
        filling: () => undefined,
        temporary: new OwnRelations('temporary'),
        fresh: new OwnRelations('lasting'),
      } as unknown as ClientMasks['plans'],
      defaultPath: ['public'] as unknown as ClientMasks['defaultPath'],
    };
    const journal = new StatementJournal({
      policy: everything,
      recorder: new MemoryRecorder(),
      clock: { now: () => 0, monotonic: () => 0 },
      asker: { ask: () => new Promise(() => undefined) },
    });
    this.#state = new ConnectionState(
      {
        context: {
          ...{ number: 1, sid: 's', agent: 'a', subject: 'p', connection: 'c', database: 'd', login: 'l', user: 'u' },
        },
        journal,
        catalog,
        assessor: {
          impact: async () => ({ lines: [] }),
          extents: async () => new Map(),
          sizes: async () => new Map(),
          waitsForLock: async () => false,
          dryRun: async () => ({ refused: '' }),
          endSession: () => undefined,
        },
        masks,
        databases: { leave: async () => undefined },
        port: {
          writeServer: () => undefined,
          writeClient: () => undefined,
          balance: () => undefined,
          cancel: async () => undefined,
          close: () => undefined,
        },
        parameters: new Map([['client_encoding', 'UTF8']]),
        maxMessage: 1 << 20,
        missingPortalName: 'missing',
      },
      () => undefined,
    );
    const candidate = this.#candidate(made);
    const ruling = { decision: 'allow', rule: 'r', origin: 'o', reason: '' } as const;
    const answered = {
      candidate,
      ruling,
      why: 'allowed',
      how: 'done',
      tags: [],
      rows: 0,
      transactionStatus: 'I',
    } as const;
    this.#state.trackers.forwarded(candidate);
    this.#state.trackers.answered(answered);
    this.#state.trackers.settled('I');
  }

  #candidate(facts: Facts): Candidate {
    return { kind: 'query', sql: 'text', facts, ...this.#state.meaningOf(facts) };
  }

  forward(facts: Facts): void {
    const candidate = this.#candidate(facts);
    this.#state.lexical.forwarded(candidate);
    this.#state.trackers.forwarded(candidate);
  }

  seen(): unknown {
    const { lexical, masks, sessionDigest } = this.#state;
    const meaning = this.#state.meaningOf({ statements: [] });
    masks?.plan('text');
    const before = [meaning.sessionDigest, sessionDigest.current, meaning.isTemporary?.('t'), lexical.ambiguous('\\')];
    this.#state.trackers.settled('I');
    return [...before, sessionDigest.digest, this.#said.splice(0)];
  }
}

/** Whether anything can be seen afterwards that cannot be seen without it. */
function teaches(facts: Facts): boolean {
  const [unaware, aware] = [new Connection(), new Connection()];
  unaware.seen();
  aware.seen();
  aware.forward(facts);
  return JSON.stringify(unaware.seen()) !== JSON.stringify(aware.seen());
}

t.test('what is row work teaches no tracker anything, and is most of what applications send', async (t) => {
  const texts = readCorpus().map(({ sql }) => sql);
  const all = texts.map((sql) => ({ sql, facts: analyser.analyse(sql) }));
  const work = all.filter(({ facts }) => isRowWork(facts));
  for (const { sql, facts } of work) if (teaches(facts)) t.fail(sql);
  t.ok(work.length > 100, `${work.length} of ${all.length} texts are row work`);
  const ordinary = [
    'SELECT 1',
    'SELECT a FROM b WHERE id = $1',
    'UPDATE a SET b = 1 WHERE id = 2',
    'INSERT INTO a VALUES (1)',
  ];
  for (const sql of ordinary) t.equal(isRowWork(analyser.analyse(sql)), true, sql);
  for (const sql of [
    'SET search_path TO a',
    'BEGIN',
    'SELECT unheard_of()',
    'UPDATE pg_settings SET setting = 1',
    'nonsense',
  ])
    t.equal(isRowWork(analyser.analyse(sql)), false, sql);
});

const effect = fc.record(
  {
    kind: fc.constantFrom(
      ...kindsWith('names-tables'),
      ...(['session', 'transaction', 'function-call', 'unknown'] as const),
    ),
    targets: fc.array(
      fc.record(
        {
          type: fc.constantFrom('table', 'view', 'setting', 'index', 'function'),
          schema: fc.constantFrom('pg_catalog', 'pg_temp', 'own'),
          name: fc.constantFrom('t', 'pg_settings', 'pg_proc', 'client_encoding', 'search_path'),
        },
        { requiredKeys: ['type', 'name'] },
      ),
      { maxLength: 2 },
    ),
    bounded: fc.boolean(),
    opaque: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    temporary: fc.constant(true),
    newName: fc.constant('t'),
    part: fc.constantFrom('rule', 'trigger'),
  },
  { requiredKeys: ['kind', 'targets', 'bounded', 'opaque'] },
) as fc.Arbitrary<Effect>;

const statement: fc.Arbitrary<StatementFacts> = fc.record({
  ...{ command: fc.constant('SELECT'), start: fc.constant(0), end: fc.constant(4), parameters: fc.constant(0) },
  effects: fc.array(effect, { maxLength: 2 }),
  functions: fc.constant([]),
  deferred: fc.boolean(),
});

t.test('neither does any other that counts as row work', async (t) => {
  const counts = { work: 0, teaches: 0 };
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 2 }), (statements) => {
      const facts: Facts = { statements };
      const teaching = teaches(facts);
      if (teaching) counts.teaches++;
      if (!isRowWork(facts)) return true;
      counts.work++;
      return !teaching;
    }),
    { numRuns: 500 },
  );
  t.ok(
    counts.work > 0 && counts.teaches > 0,
    `${counts.work} were row work, ${counts.teaches} of the others taught something`,
  );
});

t.test('a kind of effect that is new is no row work', async (t) => {
  const of = (kind: string): Facts => ({
    statements: [
      {
        ...{ command: 'NEW', start: 0, end: 3, functions: [], parameters: 0, deferred: false },
        effects: [{ kind: kind as EffectKind, targets: [], bounded: true, opaque: false }],
      },
    ],
  });
  t.equal(isRowWork(of('read')), true);
  t.equal(isRowWork(of('what comes next')), false);
});

/**
 * `npm run bench`: one server, four ways to it, everything in one run. Rounds are interleaved, figures are medians, and
 * what counts are the ratios: absolute figures are this machine's.
 *
 *   --quick         a minute at most, for a first look
 *   --only TEXT     only the measures with this in their name; "facts", "mask cost", "verify", "sessions" and "query" need no server;
 *                   "serve": the gateway beside pgbouncer
 *   --sessions N    how many transcripts to verify, of 100 statements each (default 2000; with fewer the start of the program counts)
 */

import { parseArgs } from 'node:util';
import { only } from '../helpers/only.js';
import { clientProgram, postgresAvailable, startPostgres } from '../helpers/postgres.js';
import { benchFacts } from './facts.js';
import { benchManySessions } from './many-sessions.js';
import { benchMaskCost } from './mask-cost.js';
import { fillMaskedRows } from './masked-rows.js';
import { type Measure, measures } from './measures.js';
import { fill as nodeFill, nodeLoad } from './node-load.js';
import { fill, pgbench } from './pgbench.js';
import { benchQuestions } from './query.js';
import { benchServe } from './serve.js';
import { header, median, row } from './table.js';
import { type BenchTarget, direct, startDbguard, startPgbouncer, startPipe } from './targets.js';
import { benchVerification } from './verify.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    sessions: { type: 'string', default: '2000' },
  },
});
const chosen = only(options.only);
if (chosen('facts')) await benchFacts();
if (chosen('verify')) await benchVerification({ sessions: Number(options.sessions), statements: 100 });
if (chosen('query'))
  await benchQuestions({ sessions: options.quick ? 100 : Number(options.sessions), statements: 1000 });
if (chosen('sessions')) await benchManySessions(options.quick ? 2_000 : 20_000);
if (chosen('mask cost')) benchMaskCost();
if (chosen('serve')) await benchServe(options.quick ? 5 : 10, options.quick ? 1 : 3);
if (['facts', 'verify', 'sessions', 'query', 'mask cost', 'serve'].includes(options.only)) process.exit();
// pgbench takes whole seconds
const [seconds, rounds, rows] = options.quick ? [1, 1, 200_000] : [3, 5, 1_000_000];

const server = await startPostgres({
  version: postgresAvailable(15) ? 15 : 18,
  cache: false,
  settings: { max_connections: '200', shared_buffers: '256MB', max_wal_size: '4GB', synchronous_commit: 'off' },
});
const targets: BenchTarget[] = [direct(server)];
try {
  const program = clientProgram('pgbench');
  const pgbenchOr =
    program === undefined
      ? nodeLoad
      : (target: BenchTarget, run: Parameters<typeof nodeLoad>[1]) => pgbench(program, target, run);
  await (program === undefined ? nodeFill(direct(server)) : fill(program, direct(server)));
  await fillMaskedRows(direct(server), rows, chosen);
  const bouncer = await startPgbouncer(server);
  if (bouncer) targets.push(bouncer);
  targets.push(await startPipe(server), await startDbguard(server));

  const load = program === undefined ? 'node-postgres (pgbench is not installed)' : 'pgbench';
  console.log(`PostgreSQL ${server.version}, Node ${process.version}, load by ${load}; ${rounds} round(s), medians`);
  if (!bouncer) console.log('pgbouncer is not installed');
  console.log(header(targets));
  for (const measure of measures(pgbenchOr, seconds, rows).filter(({ name }) => chosen(name)))
    console.log(row(measure, targets, await figures(measure)));
} finally {
  for (const target of targets) await target.stop();
  await server.stop();
}
chosen.insist();

/** Each round visits every target, so that a busy moment of the machine hits all of them. */
async function figures(measure: Measure): Promise<(number | undefined)[]> {
  const taken = targets.map((): number[] => []);
  for (let round = 0; round < (measure.once ? 1 : rounds); round++) {
    for (const [at, target] of targets.entries()) {
      const figure = await measure.of(target);
      if (figure !== undefined) taken[at]?.push(figure);
    }
  }
  return taken.map(median);
}

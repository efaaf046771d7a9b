/**
 * `dbguard transcripts verify`: what a session, or all of them, proves. Exit code 0 proven, 1 changed, missing or forged,
 * 2 not all proven; 69 when the bucket cannot be reached, which is no verdict.
 */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import type { ObjectSource } from '../../review/catalog.js';
import { type Expectations, Expected, parseExpectation, readExpectations } from '../../review/expectations.js';
import { heldRecordings } from '../../review/held-recordings.js';
import { compareWithNeighbours } from '../../review/neighbours.js';
import {
  type ProofLine,
  proofLines,
  recordingChanged,
  verdictsInWords,
  verdictWords,
} from '../../review/proof-words.js';
import { type SessionReport, type Verdict, withFindings } from '../../review/session-report.js';
import { openVerifierPool } from '../../review/verifier-pool.js';
import { verifyAll } from '../../review/verify-all.js';
import type { VerifyOptions } from '../../review/verify-options.js';
import { verifySession } from '../../review/verify-session.js';
import type { Finding } from '../../transcript/finding.js';
import type { VersionKeeping } from '../../transcript/object-history.js';
import { inertJson } from '../../untrusted-text.js';
import { grouped } from '../../words.js';
import type { CommandContext } from '../command.js';
import { textOption } from '../options.js';
import { LineWriter } from '../print/line-writer.js';
import { progressOn } from '../print/progress.js';
import { type OutputStyle, outputStyleFor } from '../print/text.js';
import { shown } from '../print/untrusted-text.js';
import type { OptionsOf } from '../table.js';
import { Alike, type Rest } from '../transcripts/alike.js';
import { findSession, identityDemands, issuerKeys, openTranscripts } from '../transcripts/source.js';

const exitCodes: Readonly<Record<Verdict, number>> = { proven: 0, invalid: 1, unproven: 2, local: 2 };

export async function run(
  context: CommandContext,
  args: readonly string[],
  options: OptionsOf<'transcripts verify'>,
): Promise<number> {
  const [id] = args;
  if ((id === undefined) === (options.all !== true)) {
    throw new DbguardError('usage', 'give the id of a session, or --all', { hint: 'See dbguard transcripts list.' });
  }
  const expectations = readExpect(context, textOption(options, 'expect'));
  if (id !== undefined && expectations.people.length > 0) {
    throw new DbguardError('usage', '--expect says who has to be in a whole bucket', { hint: 'Give --all with it.' });
  }
  const transcripts = await openTranscripts(context, options);
  // Not the local spool: whoever wrote it could still change it.
  const source = transcripts.bucket;
  const retentionDays = retentionOption(options) ?? expectations.retentionDays;
  const how = {
    source,
    keys: await issuerKeys(context, options, transcripts),
    demands: await identityDemands(context, options, transcripts),
    now: Date.now(),
    ...(retentionDays === undefined ? {} : { retentionDays }),
  };
  const json = options.json === true;
  return id === undefined ? verifyEvery(context, how, expectations, json) : verifyOne(context, how, id, json);
}

type How = VerifyOptions & { readonly source: ObjectSource };

async function verifyOne(context: CommandContext, how: How, id: string, json: boolean): Promise<number> {
  const { source } = how;
  const session = await findSession(source, id);
  const alone = await verifySession(session, how);
  const keeping = await source.keeping();
  const report = withFindings(alone, await compareWithNeighbours(session, alone, how));
  const recorded = await heldRecordings(session, alone.recordings ?? [], source, how.now);
  const text = json
    ? inertJson({ ...reportJson(report), versions: keeping, recorded }, 2)
    : reportText(report, outputStyleFor(context), keeping, recorded);
  context.stdout.write(`${text}\n`);
  if (recorded.some(({ holds }) => holds === 'no')) return exitCodes.invalid;
  // Not seeing whether anything was overwritten is the reader's own want, and can be helped.
  return report.verdict === 'proven' && keeping === 'hidden' ? exitCodes.unproven : exitCodes[report.verdict];
}

async function verifyEvery(
  context: CommandContext,
  how: How,
  expectations: Expectations,
  json: boolean,
): Promise<number> {
  const output = outputStyleFor(context);
  const out = new LineWriter(context.stdout);
  const counts: Record<Verdict, number> = { proven: 0, local: 0, unproven: 0, invalid: 0 };
  const streams: Record<ProofLine['holds'], number> = { yes: 0, unknown: 0, no: 0 };
  const recorded = new WeakMap<SessionReport, ProofLine[]>();
  const found = { failure: 0, warning: 0, note: 0 };
  const progress = progressOn(context);
  const alike = new Alike();
  const pool = openVerifierPool(how);
  const keeping = await how.source.keeping();
  await verifyAll({
    ...how,
    verify: async (session) => {
      const report = await pool.verify(session);
      if (report.recordings) {
        recorded.set(report, await heldRecordings(session, report.recordings, how.source, how.now));
      }
      return report;
    },
    concurrency: 32,
    expected: new Expected(expectations.people),
    known: new Set(expectations.known),
    onReport: (report) => {
      counts[report.verdict]++;
      progress.tick();
      const lines = recorded.get(report) ?? [];
      for (const { holds } of lines) streams[holds]++;
      if (json) return out.write(inertJson({ ...reportJson(report), recorded: lines }));
      const isWorthIt = isWorthALine(report) || lines.some(({ holds }) => holds === 'no');
      return isWorthIt && alike.shows(report) ? out.write(reportText(report, output, keeping, lines)) : undefined;
    },
    onFinding: (finding) => {
      found[finding.severity]++;
      return out.write(json ? inertJson({ between: finding }) : findingText(finding, output));
    },
  }).finally(async () => {
    progress.end();
    await pool.close();
  });
  if (!json) {
    for (const rest of alike.rests) await out.write(output.fold(restText(rest), 4));
    const local = counts.local > 0 ? `${counts.local} by local keys that nobody vouches for, ` : '';
    const between = found.failure > 0 ? `; ${found.failure} found between sessions` : '';
    await out.write(
      output.fold(
        `${counts.proven} proven, ${local}${counts.unproven} not all proven, ${counts.invalid} changed or forged${between}`,
        2,
      ),
    );
    const words = streamsText(streams);
    if (words !== undefined) await out.write(output.fold(words, 2));
    await out.write(output.style('dim', output.fold(notProvable, 0)));
  }
  await out.flush();
  if (counts.invalid + streams.no > 0 || found.failure > 0) return exitCodes.invalid;
  return counts.unproven + counts.local > 0 || found.warning > 0 ? exitCodes.unproven : exitCodes.proven;
}

/** Each of the streams, as `heldRecordings` says; undefined where nothing was recorded. */
function streamsText({ yes, unknown, no }: Readonly<Record<ProofLine['holds'], number>>): string | undefined {
  if (yes + unknown + no === 0) return undefined;
  const gone = unknown > 0 ? `, ${unknown} not all there or without an end (verify ID says why)` : '';
  return `recordings: ${yes} as recorded${gone}${no > 0 ? `, ${no} changed` : ''}`;
}

const notProvable =
  'Not proven by any transcript: that nothing happened outside dbguard. "dbguard transcripts reconcile" compares with the server’s own log.';

/** Sound sessions are counted; one with a stranger's object in its folder is shown as well. */
function isWorthALine({ verdict, findings }: SessionReport): boolean {
  return verdict !== 'proven' || findings.some(({ code }) => code === 'foreign-object' || code === 'object-repeated');
}

/** A file, or one person and days. Throws `usage`, `config-invalid`. */
function readExpect({ cwd }: CommandContext, named: string | undefined): Expectations {
  if (named === undefined) return { people: [], known: [] };
  const path = resolve(cwd, named);
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return readExpectations(readFileSync(path, 'utf8'), named);
  const person = parseExpectation(named);
  if (person !== undefined) return { people: [person], known: [] };
  throw new DbguardError('usage', `"${named}" is neither a file nor a person with days`, {
    hint: 'Give "ada@example.com 2026-11-23", or "ada@example.com 2026-11-02..2026-11-27", or a YAML file.',
  });
}

function retentionOption(options: OptionsOf<'transcripts verify'>): number | undefined {
  const text = textOption(options, 'retention');
  if (text === undefined) return undefined;
  const days = Number(/^(\d{1,5})d?$/.exec(text)?.[1]);
  if (days > 0) return days;
  throw new DbguardError('usage', '--retention takes days, as 400d');
}

/** A counter on the terminal; nothing elsewhere. */
function restText({ count, verdict, codes, first }: Rest): string {
  const what = codes.length > 0 ? ` (${codes.join(', ')})` : '';
  return `${grouped(count)} more: ${verdictsInWords[verdict]}${what}, the first of them ${first}; --json says everything of each`;
}

const colours: Readonly<Record<Verdict, 'green' | 'magenta' | 'red'>> = {
  proven: 'green',
  local: 'magenta',
  unproven: 'magenta',
  invalid: 'red',
};

/** @param recorded whether its recordings lie there as they were recorded, where that was looked at */
export function reportText(
  report: SessionReport,
  output: OutputStyle,
  keeping?: VersionKeeping,
  recorded: readonly ProofLine[] = [],
): string {
  const connection = report.open?.connection?.name;
  const title = `${output.style('bold', `session ${report.sid}`)}${connection ? ` on ${shown(connection)}` : ''}`;
  const lines = [
    title,
    output.style(colours[report.verdict], verdictWords(report)),
    ...(recorded.some(({ holds }) => holds === 'no') ? [output.style('red', recordingChanged)] : []),
    ...[...proofLines(report, keeping), ...recorded].map((line) => proofText(line, output)),
  ];
  // how it ends is said above, in the same words
  const findings = report.findings.filter(({ code }) => code !== 'not-final' && code !== 'still-open');
  for (const finding of findings) lines.push(findingText(finding, output));
  return lines.join('\n');
}

function proofText({ holds, label, text }: ProofLine, output: OutputStyle): string {
  const mark = { yes: output.style('green', '✓'), no: output.style('red', '✗'), unknown: output.style('magenta', '?') }[
    holds
  ];
  return output.fold(`  ${mark} ${label.padEnd(10)} ${shown(text)}`, 15);
}

function findingText({ severity, code, message, segment, more }: Finding, output: OutputStyle): string {
  const style = severity === 'failure' ? 'red' : severity === 'warning' ? 'magenta' : 'dim';
  const where = segment === undefined ? '' : `segment ${segment}: `;
  const others = more === undefined ? '' : ` (and ${grouped(more)} more like it)`;
  return output.fold(`  ${output.style(style, `${severity} ${code}`)}  ${where}${shown(message)}${others}`, 4);
}

/** Without the tokens: the stored ID token may still be good for a login elsewhere. */
function reportJson({ open, recordings: _recordings, ...report }: SessionReport): object {
  if (open === undefined) return report;
  const { idToken: _idToken, accessToken: _accessToken, certificate: _certificate, ...shown } = open;
  return { ...report, open: shown };
}

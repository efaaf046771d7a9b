/** `dbguard transcripts verify`: what a session, or all of them, proves. Exit code 0 proven, 1 changed, 2 not all proven. */
import { DbguardError } from '../../errors.js';
import { notProvable, type ProofLine, proofLines } from '../../review/proof-words.js';
import { openVerifierPool } from '../../review/verifier-pool.js';
import { verifyAll } from '../../review/verify-all.js';
import type { VerifyOptions } from '../../review/verify-options.js';
import { type SessionReport, type Verdict, verifySession } from '../../review/verify-session.js';
import type { Finding } from '../../transcript/finding.js';
import type { CommandContext, OptionValues } from '../command.js';
import { LineWriter } from '../print/line-writer.js';
import { type Paper, paperFor } from '../print/text.js';
import { shown } from '../print/untrusted-text.js';
import { findSession, identityDemands, issuerKeys, openTranscripts } from '../transcripts/source.js';

const exitCodes: Readonly<Record<Verdict, number>> = { proven: 0, invalid: 1, unproven: 2 };

export async function run(context: CommandContext, args: readonly string[], options: OptionValues): Promise<number> {
  const [id] = args;
  if ((id === undefined) === (options.all !== true)) {
    throw new DbguardError('usage', 'give the id of a session, or --all', { hint: 'See dbguard transcripts list.' });
  }
  const transcripts = await openTranscripts(context, options);
  // Not the local spool: whoever wrote it could still change it.
  const source = transcripts.bucket;
  const how: VerifyOptions = {
    source,
    keys: await issuerKeys(context, options, transcripts),
    demands: await identityDemands(context, options, transcripts),
    now: Date.now(),
  };
  if (id === undefined) return verifyEvery(context, how, options.json === true);
  const report = await verifySession(await findSession(source, id), how);
  const paper = paperFor(context);
  const text =
    options.json === true
      ? JSON.stringify(reportJson(report), undefined, 2)
      : `${reportText(report, paper)}\n${paper.style('dim', paper.fold(notProvable, 0))}`;
  context.stdout.write(`${text}\n`);
  return exitCodes[report.verdict];
}

async function verifyEvery(context: CommandContext, how: VerifyOptions, json: boolean): Promise<number> {
  const paper = paperFor(context);
  const out = new LineWriter(context.stdout);
  const counts: Record<Verdict, number> = { proven: 0, unproven: 0, invalid: 0 };
  const progress = progressOn(context);
  const pending: Promise<unknown>[] = [];
  const pool = openVerifierPool(how);
  const between = await verifyAll({
    ...how,
    verify: pool.verify,
    concurrency: 32,
    onReport: (report) => {
      counts[report.verdict]++;
      progress.tick();
      if (json) pending.push(out.write(JSON.stringify(reportJson(report))));
      else if (report.verdict !== 'proven') pending.push(out.write(`${reportText(report, paper)}\n`));
    },
  }).finally(async () => {
    progress.end();
    await pool.close();
  });
  await Promise.all(pending);
  for (const finding of between) {
    await out.write(json ? JSON.stringify({ between: finding }) : findingText(finding, paper));
  }
  if (!json) {
    await out.write(`${counts.proven} proven, ${counts.unproven} not all proven, ${counts.invalid} changed`);
    await out.write(paper.style('dim', paper.fold(notProvable, 0)));
  }
  await out.flush();
  if (counts.invalid > 0 || between.length > 0) return exitCodes.invalid;
  return counts.unproven > 0 ? exitCodes.unproven : exitCodes.proven;
}

/** A counter on the terminal; nothing elsewhere. */
function progressOn({ stderr }: CommandContext): { tick(): void; end(): void } {
  let done = 0;
  let shownAt = 0;
  return {
    tick() {
      done++;
      if (stderr.isTTY !== true || performance.now() - shownAt < 200) return;
      shownAt = performance.now();
      stderr.write(`\r${done} sessions`);
    },
    end() {
      if (stderr.isTTY === true && shownAt > 0) stderr.write('\r\u001b[K');
    },
  };
}

const headings: Readonly<Record<Verdict, readonly ['green' | 'magenta' | 'red', string]>> = {
  proven: ['green', 'PROVEN'],
  unproven: ['magenta', 'NOT ALL PROVEN'],
  invalid: ['red', 'CHANGED OR FORGED'],
};

export function reportText(report: SessionReport, paper: Paper): string {
  const [style, heading] = headings[report.verdict];
  const connection = report.open?.connection?.name;
  const title = `${paper.style('bold', `session ${report.sid}`)}${connection ? ` on ${shown(connection)}` : ''}`;
  const lines = [title, paper.style(style, heading), ...proofLines(report).map((line) => proofText(line, paper))];
  // that there is no final seal is said above, in the same words
  const findings = report.findings.filter(({ code }) => code !== 'not-final');
  for (const finding of findings) lines.push(findingText(finding, paper));
  return lines.join('\n');
}

function proofText({ holds, label, text }: ProofLine, paper: Paper): string {
  const mark = { yes: paper.style('green', '✓'), no: paper.style('red', '✗'), unknown: paper.style('magenta', '?') }[
    holds
  ];
  return paper.fold(`  ${mark} ${label.padEnd(6)} ${shown(text)}`, 11);
}

function findingText({ severity, code, message, segment }: Finding, paper: Paper): string {
  const style = severity === 'failure' ? 'red' : severity === 'warning' ? 'magenta' : 'dim';
  const where = segment === undefined ? '' : `segment ${segment}: `;
  return paper.fold(`  ${paper.style(style, `${severity} ${code}`)}  ${where}${shown(message)}`, 4);
}

/** Without the tokens: the stored ID token may still be good for a login elsewhere. */
function reportJson({ open, ...report }: SessionReport): object {
  if (open === undefined) return report;
  const { idToken: _idToken, accessToken: _accessToken, certificate: _certificate, ...shown } = open;
  return { ...report, open: shown };
}

/** A command about transcripts, run as people run it, and what the system counted for it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { dbguardProgram } from '../helpers/repository.js';

export interface Measured {
  readonly out: string;
  /** Seconds, start of the program included. */
  readonly wall: number;
  readonly cpu: number;
  /** MiB. */
  readonly peak: number;
}

/**
 * Said at the end by the program itself: what the system counted for it. Linux hands the greatest size of the parent on
 * to the child's `maxRSS` (getrusage(2)); VmHWM (proc_pid_status(5)) is the program's own.
 */
const meter = `
import { existsSync, readFileSync } from 'node:fs';
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const peak = Number(/^VmHWM:\\s+(\\d+) kB/m.exec(status)?.[1] ?? maxRSS) / 1024;
  process.stderr.write('\\n' + JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / 1e6, peak }));
})`;

/** A command about transcripts in `folder`, with what the system counted for it. */
export async function runTranscripts(
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Measured> {
  const start = performance.now();
  const program = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(meter)}`, dbguardProgram, 'transcripts', ...args],
    {
      cwd: folder,
      env: { PATH: process.env.PATH, DBGUARD_HOME: join(folder, 'home'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const [out, err] = await Promise.all([text(program.stdout), text(program.stderr), once(program, 'exit')]);
  const { cpu, peak } = JSON.parse(err.slice(err.lastIndexOf('\n')));
  return { out, wall: (performance.now() - start) / 1000, cpu, peak };
}

export function count(figure: number): string {
  return Math.round(figure).toLocaleString('en');
}

import { leaveTerminalAlone } from '../io/terminal/left-alone.js';
import { outputFailed } from './print/line-writer.js';
import { printOnlyText } from './print/printable-output.js';
import { failureOf } from './report.js';
import { runCli } from './run-cli.js';

function report(error: unknown): number {
  const { exitCode, text } = failureOf(error, '', process.stderr, process.env);
  process.stderr.write(text);
  return exitCode;
}

/**
 * A reader who leaves, as `head` does, is no error: what is still written goes nowhere, and the command ends as it would
 * have, a session with its seal. Any other failure to write (a full disk) must not look like success.
 */
function watchOutput(): void {
  let failure: Error | undefined;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') failure ??= error;
    });
  }
  process.once('exit', (code) => {
    if (failure !== undefined && code === 0) process.exitCode = report(outputFailed(failure));
    leaveTerminalAlone();
  });
}

for (const stream of [process.stdout, process.stderr]) printOnlyText(stream, process.env);
watchOutput();
process.on('uncaughtException', (error) => process.exit(report(error)));

process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
});

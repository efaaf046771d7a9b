/** A server that a trial needs: it goes, and its folder with it, when it is stopped or when this process ends, however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Stops "$@" when stdin ends, which it does when the process that wanted it is gone, be it by kill -9; then the folder goes. */
const keeper = `
exec 3<&0
"$@" & daemon=$!
{
  read -r _ <&3
  kill "$daemon"
  while kill -0 "$daemon"; do sleep 0.05; done
  rm -rf "$0"
} 2>/dev/null &
wait "$daemon"
`;

/** A process in the foreground, out of reach of Ctrl-C. */
export class Daemon {
  log = '';
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #program: string;

  constructor(dir: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#program = program;
    this.#process = spawn('/bin/sh', ['-c', keeper, dir, program, ...args], {
      cwd: '/',
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
      env,
    });
    this.#closed = once(this.#process, 'close');
    this.#process.stdin?.on('error', () => undefined);
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log = (this.log + text).slice(-10_000);
    });
  }

  get ended(): boolean {
    return this.#process.exitCode !== null;
  }

  /** Until the server answers, whatever it says. */
  async answering(endpoint: string): Promise<void> {
    while (!(await answers(endpoint))) {
      if (this.ended) throw new Error(`${this.#program} did not start:\n${this.log}`);
      await sleep(50);
    }
  }

  async stop(): Promise<void> {
    this.#process.stdin?.end();
    await this.#closed;
  }
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    () => true,
    () => false,
  );
}

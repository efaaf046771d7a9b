/**
 * The end of a run, while its transcript goes to the bucket: says how far it is, and lets a person leave. Everything is
 * sealed and on this machine's disk by then, so whoever leaves loses nothing.
 */
import type { Writable } from 'node:stream';
import type { Progress } from '../../io/spool/uploader.js';
import { type Listening, onEnding } from '../../io/terminal/signals.js';

const patienceMs = 30_000;
/** An upload that takes no longer needs no words. */
const quietMs = 1_500;

export class UploadWait {
  readonly #stderr: Writable & { readonly isTTY?: boolean };
  readonly #writesOver: boolean;
  readonly #leave = new AbortController();
  readonly #listening: Listening;
  #patience: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #progress: Progress | undefined;
  #saying = false;

  constructor(stderr: Writable & { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv) {
    this.#stderr = stderr;
    this.#writesOver = stderr.isTTY === true && env.TERM !== 'dumb';
    this.#listening = onEnding(
      () => this.#leave.abort(),
      () => undefined,
    );
  }

  /** Aborts when nobody waits any longer. */
  get signal(): AbortSignal {
    return this.#leave.signal;
  }

  /** First at the start of the upload: before that statements may still come to their end. */
  progress(progress: Progress): void {
    this.#progress = progress;
    this.#patience ??= setTimeout(() => this.#leave.abort(), patienceMs);
    this.#quiet ??= setTimeout(() => this.#speak(), quietMs);
    if (this.#saying && this.#writesOver) this.#show();
  }

  end(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#quiet);
    this.#listening.stop();
    if (this.#saying && this.#writesOver) this.#stderr.write('\r\u001b[K');
  }

  #speak(): void {
    this.#saying = true;
    if (this.#writesOver) this.#show();
    else this.#stderr.write('dbguard: uploading the transcript ...\n');
  }

  #show(): void {
    const { uploaded = 0, left = 0 } = this.#progress ?? {};
    const far = left > 0 ? `: ${uploaded} of ${uploaded + left} segments` : '';
    this.#stderr.write(`\r\u001b[Kdbguard: uploading the transcript${far} (Ctrl-C: later)`);
  }
}

/**
 * Keeps libraries from deciding what a signal does.
 *
 * Ink listens for every signal that would end a program, and takes its frames away when it believes to be the only one who
 * does. It counts by name: of two names for one number (SIGIOT is SIGABRT, SIGPOLL is SIGIO) it is alone on the one
 * that dbguard does not use, so that one signal of the agent's would freeze the prompt. Taking its listeners off again
 * is no way out: behind the last listener the system's default returns, and of SIGXFSZ, which Node ignores, that is death.
 */
import { constants } from 'node:os';

/** What `run` returns; listeners for signals that it asks for are not taken. */
export function withoutSignals<T>(run: () => T): T {
  const { on } = process;
  const onlyEvents = (event: string, listener: () => void): NodeJS.Process =>
    event in constants.signals ? process : on.call(process, event, listener);
  process.on = onlyEvents as typeof process.on;
  try {
    return run();
  } finally {
    process.on = on;
  }
}

/** A text that is no SQL (a prompt, a command line), as it may be told: without its secrets, found in turns. */
import { secretsInSteps, withoutSecrets } from '../../sql/secrets/secrets.js';
import { finishedWithin, inTurns } from './in-turns.js';

/** How long the event loop is held at a time, milliseconds. */
const turnMs = 1;

export async function toldText(text: string): Promise<string> {
  const steps = secretsInSteps(text, false);
  const found = finishedWithin(steps, turnMs)?.value ?? (await inTurns(steps, turnMs));
  return withoutSecrets(text, found);
}

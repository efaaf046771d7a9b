/** How much garbage a command that reads a whole bucket may leave in memory before it is collected. */
import { setFlagsFromString } from 'node:v8';

/**
 * V8 lets a heap grow to several times what is alive in it, and each request to a store leaves its share: 20,000 sessions
 * filled 330 MB with it, where 80 are alive. With this it grows by two fifths, for a tenth more of CPU time.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=40');
}

/** The page with recordings: age, and a terminal's emulator, come with it. */
import { start } from './main.js';
import { recorded } from './recorded.js';

export { readRecordings } from '../read-recordings.js';
export * from './main.js';

start(recorded);

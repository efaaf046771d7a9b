/** The page with recordings: age, and a terminal's emulator, come with it. */
import { start } from './main.js';
import { recorded } from './recorded.js';

/** For the tests, which run this file without a document. */
export { decryptionWith } from '../../../transcript/age/age.js';
export { readIdentities } from '../../../transcript/age/identities.js';
export { readRecordings, recordingFaults } from '../../read-recordings.js';
export { overallOf } from '../overall.js';
export { chunkSource } from '../page-data.js';
export * from './main.js';

start(recorded);

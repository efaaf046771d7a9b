/** The page without recordings. */
import { start } from './main.js';

export * from './main.js';

start();

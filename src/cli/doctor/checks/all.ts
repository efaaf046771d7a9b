/** Everything that is looked at, in the order of a first start. */
import type { Check } from '../check.js';
import { agents, fence, mcpServers } from './agents.js';
import { bucket } from './bucket.js';
import { database, readable } from './database.js';
import { keychain } from './keys.js';
import { memory, node, terminal } from './machine.js';
import { clock, provider } from './provider.js';
import { settings } from './settings.js';
import { completions, spool } from './upkeep.js';

export const allChecks: readonly Check[] = [
  node,
  terminal,
  memory,
  keychain,
  settings,
  provider,
  clock,
  database,
  readable,
  bucket,
  fence,
  agents,
  mcpServers,
  spool,
  completions,
];

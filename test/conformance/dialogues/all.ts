import type { Dialogue } from '../../helpers/dialogue.js';
import { asynchronous } from './asynchronous.js';
import { changes } from './changes.js';
import { connecting } from './connecting.js';
import { copy } from './copy.js';
import { encodings } from './encodings.js';
import { extendedQuery } from './extended-query.js';
import { pipelines } from './pipelines.js';
import { simpleQuery } from './simple-query.js';
import { sizes } from './sizes.js';
import { transactions } from './transactions.js';
import { typos } from './typos.js';

export const allDialogues: Readonly<Record<string, readonly Dialogue[]>> = {
  connecting,
  'simple query': simpleQuery,
  'extended query': extendedQuery,
  pipelines,
  transactions,
  changes,
  copy,
  asynchronous,
  sizes,
  encodings,
  typos,
};

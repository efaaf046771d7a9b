/**
 * The dialogues with every change of rows run so that it can be undone: the client hears what it would hear
 * of the server alone.
 */
import { test } from 'tap';
import type { Policy } from '../../src/policy/decision.js';
import { massEffects } from '../../src/proxy/row-counts/mass-effects.js';
import { play } from '../helpers/play.js';
import { postgresAvailable } from '../helpers/postgres.js';
import { policyOf } from '../proxy/policies.js';
import { compare } from './compare.js';
import { allDialogues } from './dialogues/all.js';
import { openStages } from './stages.js';

/** Whatever a person or the planner took for few rows. */
const allow = policyOf(() => 'allow');
const few: Policy = {
  ...allow,
  decide: (input) => ({ ...allow.decide(input), ...(massEffects(input.facts).length > 0 ? { few: true } : {}) }),
};
/** There it cannot be undone for itself: it is asked about, see gate.ts. */
const unwatched = new Set(['a Query in the middle of a pipeline']);

for (const version of [15, 18] as const)
  test(`PostgreSQL ${version}`, { skip: !postgresAvailable(version) && 'it is not installed' }, async (t) => {
    const [direct, guarded] = await openStages(t, version, few);
    for (const [group, dialogues] of Object.entries(allDialogues)) {
      if (group === 'sizes' && version === 15) continue;
      await t.test(group, async (t) => {
        for (const dialogue of dialogues.filter(({ since = 0, name }) => since <= version && !unwatched.has(name))) {
          const [expected, heard] = await Promise.all([play(dialogue, direct), play(dialogue, guarded)]);
          t.strictSame(compare(dialogue, expected, heard), [], dialogue.name);
        }
      });
    }
  });

/** The dialogues through a proxy in this process that allows everything; `npm run conformance` does more, from outside. */
import { test } from 'tap';
import { play } from '../helpers/play.js';
import { postgresAvailable } from '../helpers/postgres.js';
import { everything } from '../proxy/policies.js';
import { compare } from './compare.js';
import { allDialogues } from './dialogues/all.js';
import { openStages } from './stages.js';

for (const version of [15, 18] as const)
  test(`PostgreSQL ${version}`, { skip: !postgresAvailable(version) && 'it is not installed' }, async (t) => {
    const [direct, guarded] = await openStages(t, version, everything);
    for (const [group, dialogues] of Object.entries(allDialogues)) {
      // a matter of dbguard's buffers, not of the server's version
      if (group === 'sizes' && version === 15) continue;
      await t.test(group, async (t) => {
        for (const dialogue of dialogues.filter(({ since = 0 }) => since <= version)) {
          const [expected, heard] = await Promise.all([play(dialogue, direct), play(dialogue, guarded)]);
          t.strictSame(compare(dialogue, expected, heard), [], dialogue.name);
        }
      });
    }
  });

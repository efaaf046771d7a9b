/** Tables over commands name what the analyser calls them: a name of another spelling would say nothing, in silence. */
import t from 'tap';
import { roleCommands } from '../../../src/policy/role-commands.js';
import { watchable, watchableCode } from '../../../src/proxy/statement/watchable.js';
import { createAnalyser } from '../../../src/sql/analyser.js';
import { readCorpus } from '../../sql/corpus.js';

const analyser = await createAnalyser();
const given = new Set(
  readCorpus().flatMap(({ sql }) => analyser.analyse(sql).statements.map(({ command }) => command)),
);

for (const [what, names] of Object.entries({ watchable, watchableCode, roleCommands })) {
  t.test(`${what} names commands that the analyser gives`, (t) => {
    t.ok(names.size > 0);
    t.same(
      [...names].filter((name) => !given.has(name)),
      [],
    );
    t.end();
  });
}

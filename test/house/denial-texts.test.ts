/** An agent that reads which setting would let its statement pass offers to change that setting. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../helpers/repository.js';

const text = /'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g;
const setting =
  /dbguard\.ya?ml|\b(?:policy|mask|connections?|limits|mass_changes)\.[a-z_]+\b|(?:change|loosen|edit) (?:the|a) (?:rule|policy)/;

t.test('no text that the proxy answers names the setting that would allow it', async (t) => {
  for (const folder of ['src/proxy', 'src/approval', 'src/masking']) {
    const files = readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' });
    const sources = files.filter((name) => name.endsWith('.ts'));
    t.ok(sources.length > 0, folder);
    for (const name of sources) {
      const lines = readFileSync(join(repositoryRoot, folder, name), 'utf8').split('\n');
      // an import names a file; an origin says who decided
      const said = lines.filter((line) => !/^\s*(?:\/?\*|\/\/|origin:|import |} from )/.test(line)).join('\n');
      for (const [literal] of said.matchAll(text)) {
        if (/\$\{/.test(literal) === false && !/\s/.test(literal)) continue;
        t.notMatch(literal.replace(/\$\{[^}]*\}/g, ''), setting, `${folder}/${name}`);
      }
    }
  }
});

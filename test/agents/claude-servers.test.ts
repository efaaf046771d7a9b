/**
 * Claude Code with MCP servers of its own configuration that connect by themselves: in a run of dbguard their statements are guarded,
 * or they are not started. In the fence with a network of its own, as everywhere else.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findFenceProgram } from '../../src/io/fence/fence-program.js';
import { developer, sessionOf } from '../e2e/developer.js';
import { clientProgram } from '../helpers/postgres.js';
import { claudeCode, claudeEnvironment } from './claude-code.js';
import { startModelApi } from './model-api.js';
import { installPublished } from './published.js';

const bin = await installPublished(claudeCode);
const psql = clientProgram('psql');
const skip = !bin ? 'Claude Code cannot be installed here' : !psql && 'psql is not installed';
const fence = await findFenceProgram(process.env);

t.test('servers of the user and of the project', { skip, timeout: 180_000 }, async (t) => {
  const { workspace, postgres } = await developer(t);
  const { project } = workspace;
  await postgres.query('CREATE TABLE orders (id int PRIMARY KEY)');
  mkdirSync(join(project, '.git'));
  const log = join(project, 'servers.log');
  const starts = (name: string, url: string) => ({
    command: 'sh',
    args: ['-c', `${psql} "$0" -Atc "SELECT '${name}', current_setting('application_name')" >> ${log} 2>&1`, url],
  });
  const other = postgres.url().replace(/\/[^/?]*(\?|$)/, '/template1$1');
  writeFileSync(
    join(project, '.mcp.json'),
    JSON.stringify({ mcpServers: { 'of-project': starts('of-project', postgres.url()) } }),
  );
  writeFileSync(
    join(workspace.env.HOME ?? '', '.claude.json'),
    JSON.stringify({
      hasCompletedOnboarding: true,
      mcpServers: { 'of-user': starts('of-user', postgres.url()), elsewhere: starts('elsewhere', other) },
      projects: { [project]: { hasTrustDialogAccepted: true, enabledMcpjsonServers: ['of-project'] } },
    }),
  );
  const model = await startModelApi((results) =>
    results.length === 0
      ? {
          run: `for i in $(seq 300); do grep -q of-user ${log} && grep -q of-project ${log} && break; sleep 0.1; done; cat ${log}`,
        }
      : { say: 'FINISHED' },
  );
  t.teardown(() => model.close());
  const env = claudeEnvironment(model.url, bin ?? '');
  const command = ['claude', '--dangerously-skip-permissions', '-p', 'Look at the orders.'];
  for (const flags of [[], ...('obstacle' in fence ? [] : [['--network', 'guarded']])]) {
    rmSync(log, { force: true });
    const { stdout, stderr } = await workspace.dbguard(['run', ...flags, '--', ...command], { env });
    t.match(stdout, 'FINISHED', String(stderr));
    t.match(stderr, /MCP server of-user \(.*\.claude\.json\) had a connection of its own/);
    t.match(stderr, /MCP server of-project \(.*\.mcp\.json\) had a connection of its own/);
    t.match(stderr, /MCP server elsewhere .* is not started: it connects to the database template1/);
    const said = existsSync(log) ? readFileSync(log, 'utf8') : '';
    t.match(said, /^of-user\|/m);
    t.match(said, /^of-project\|/m);
    t.notMatch(said, 'elsewhere');
    const shown = await workspace.dbguard(['transcripts', 'show', sessionOf(String(stderr))]);
    t.match(shown.stdout, "SELECT 'of-user'", 'it is in the transcript');
    t.match(shown.stdout, "SELECT 'of-project'");
  }
});

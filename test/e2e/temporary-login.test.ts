/** A run with a login of its own: who the client is, what the agent's environment has, what is left after kill -9. */
import t from 'tap';
import { developer, script, sessionOf } from './developer.js';

t.test('a login for each session', async (t) => {
  const { postgres, workspace, config, run } = await developer(t);
  await postgres.query(`
    CREATE ROLE shop_agent NOLOGIN;
    CREATE ROLE maker LOGIN CREATEROLE PASSWORD 'maker-pw';
    GRANT shop_agent TO maker WITH ADMIN OPTION;
    CREATE SCHEMA shop AUTHORIZATION shop_agent`);
  const url = postgres.url(undefined, 'maker', 'maker-pw');
  workspace.configure({
    ...config,
    connections: { main: { url, environment: 'development', temporary_login: 'shop_agent' } },
  });
  await workspace.dbguard(['trust', '--yes']);
  const refused = await run(script('return 1'));
  t.match(
    refused,
    { exitCode: 78, stderr: /a repository's file may not have roles made in your name/ },
    'in a repository',
  );

  const own = { DBGUARD_CONFIG: `${workspace.project}/dbguard.yaml` };
  const program = script(`return [
    (await client.query('select session_user, current_user')).rows[0],
    await attempt('create table shop.made (id int)'),
    Object.values(process.env).filter((value) => value.includes('maker')),
    process.env.PGUSER,
  ]`);
  const { stdout, stderr } = await run(program, { env: own });
  const [who, made, secrets, user] = JSON.parse(String(stdout) || '[]');
  const sid = sessionOf(String(stderr));
  t.same(who, { session_user: `dbguard_${sid}`, current_user: 'shop_agent' }, String(stderr));
  t.equal(user, 'shop_agent');
  t.same(secrets, []);
  t.match(made, { code: '42501' }, 'asked about, as ever');
  t.same(await postgres.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'dbguard%'"), []);
  const verified = await workspace.dbguard(['transcripts', 'verify', sid], { env: own });
  t.notMatch(verified.stdout, /✗/);

  const killed = workspace.dbguard(['run', '--', process.execPath, '-e', "process.kill(process.ppid, 'SIGKILL')"], {
    env: own,
  });
  await killed;
  const [left] = await postgres.query(
    "SELECT rolname, rolvaliduntil < now() + interval '61 minutes' AS ends FROM pg_roles WHERE rolname LIKE 'dbguard%'",
  );
  t.match(left, { ends: true }, 'after kill -9 it ends by itself');
  await postgres.query(`ALTER ROLE "${left?.rolname}" VALID UNTIL '2020-01-01'`);
  t.match(await run(script('return 1'), { env: own }), { exitCode: 0 });
  t.same(
    await postgres.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'dbguard%'"),
    [],
    'and the next run takes it away',
  );
});

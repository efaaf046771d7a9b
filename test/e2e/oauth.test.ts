/** A database that takes OAuth: the login's access token opens it, and the ID token goes nowhere near it. */
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { compileValidator } from '../io/upstream/oauth-validator.js';
import { developer, script } from './developer.js';

const library = compileValidator(t);

t.test('PostgreSQL 18 asks for OAUTHBEARER', { skip: library ? false : 'no C compiler' }, async (t) => {
  const server = await startPostgres({
    ssl: true,
    settings: { oauth_validator_libraries: String(library) },
    hba: ['host all oauthuser all oauth issuer="https://id.example" scope="openid"'],
  });
  t.teardown(() => server.stop());
  await server.query('CREATE ROLE oauthuser LOGIN');
  const at = `host=localhost port=${server.port} dbname=postgres user=oauthuser sslmode=verify-full sslrootcert=${server.tls?.rootcert}`;
  const connections = (extra: string) => ({
    connections: { main: { url: `${at} ${extra}`, environment: 'development' } },
  });
  const { workspace, config, run, idp } = await developer(t);
  const connectedWith = async (extra: string) => {
    workspace.configure({ ...config, ...connections(extra) });
    await workspace.dbguard(['trust', '--yes']);
    return run(script(`return (await client.query('SELECT system_user')).rows[0].system_user`));
  };

  const granted = await connectedWith(`oauth_issuer=${idp.issuer} oauth_scope=openid`);
  t.match(granted, { exitCode: 0, stdout: /oauth:oauthuser/ }, granted.stderr);
  const wider = await connectedWith(`oauth_issuer=${idp.issuer} oauth_scope='openid db'`);
  t.match(wider.stderr, /does not have the scope db[\s\S]*identity\.scopes/);
  const elsewhere = await connectedWith('oauth_issuer=https://other.example');
  t.match(elsewhere.stderr, /wants a token of https:\/\/other\.example/);
  t.not(wider.exitCode, 0);
  t.not(elsewhere.exitCode, 0);
});

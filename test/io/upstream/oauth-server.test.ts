/** OAUTHBEARER against a real PostgreSQL 18, with a validator compiled here. Needs a C compiler; hostile.test.ts does not. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Secret } from '../../../src/io/upstream/secret.js';
import { startPostgres } from '../../helpers/postgres.js';
import { connect, failure, query } from './connections.js';

/** The path of the module, or undefined where nothing can compile it. */
function compileValidator(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'dbguard-oauth-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  chmodSync(dir, 0o755);
  const library = join(dir, 'validator.so');
  const source = new URL('oauth-validator.c', import.meta.url).pathname;
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source], { stdio: 'pipe' });
    return library;
  } catch {
    return undefined;
  }
}

const library = process.platform === 'linux' ? compileValidator() : undefined;

t.test('OAUTHBEARER, PostgreSQL 18', { skip: library ? false : 'no C compiler' }, async (t) => {
  const server = await startPostgres({
    ssl: true,
    settings: { oauth_validator_libraries: String(library) },
    hba: [
      'host all oauthuser all oauth issuer="https://id.example" scope="openid db"',
      'local all oauthuser oauth issuer="https://id.example" scope="openid db"',
    ],
  });
  t.teardown(() => server.stop());
  await server.query('CREATE ROLE oauthuser LOGIN');
  const verified = `host=localhost port=${server.port} dbname=postgres user=oauthuser sslmode=verify-full sslrootcert=${server.tls?.rootcert}`;
  const token = (value: string) => ({ oauthToken: async () => new Secret(value) });

  for (const url of [verified, `host=${server.socketDir} port=${server.port} dbname=postgres user=oauthuser`]) {
    const upstream = await connect(t, { url }, token('good.token'));
    t.equal(await query(upstream, 'SELECT system_user'), 'oauth:oauthuser');
    const refused = await failure({ url }, token('bad.token'));
    t.match(refused, { code: 'upstream-auth', sqlState: '28000', message: /OAuth bearer authentication failed/ });
    t.match(refused.hint, /refused the OAuth token \(invalid_token\).*scope "openid db"/);
  }
  t.match(await failure({ url: verified }), { code: 'upstream-auth', hint: /dbguard login/ });
});

/** `dbguard access setup --apply`: asked about once, whole, and run as one transaction, or not at all. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { postgresAvailable, testedVersions } from '../helpers/postgres.js';
import { developer } from './developer.js';

const access = [
  // biome-ignore lint/suspicious/noThenProperty: the rule's own word; nothing awaits it
  { name: 'fix', role: 'shop_writer', tables: ['orders'], effects: ['update'], then: 'ask' },
];

for (const version of testedVersions()) {
  const skip = postgresAvailable(version) ? false : `PostgreSQL ${version} is not installed`;
  t.test(`PostgreSQL ${version}`, { skip }, async (t) => {
    const { postgres, terminal, workspace, config } = await developer(t, { postgres: { version } });
    workspace.configure({ ...config, access });
    await postgres.query('CREATE TABLE orders (id int PRIMARY KEY, note text)');
    const env = { DBGUARD_CONFIG: join(workspace.project, 'dbguard.yaml') };
    const apply = () => terminal(['access', 'setup', '--login', 'shop agent', '--apply'], { env, rows: 40 });
    const roles = () => postgres.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'shop%' ORDER BY 1");

    // once is enough for a denial
    const answers = [
      ['d', 1, /denied/],
      ['a', 0, /Applied: \d statements, as one transaction\. shop agent has no password yet\./],
    ] as const;
    for (const [key, code, said] of version === 18 ? answers : answers.slice(1)) {
      const screen = apply();
      t.teardown(() => screen.kill());
      const shown = await screen.shows(/No answer denies in/);
      t.match(shown, /CREATE ROLE "shop agent" LOGIN NOINHERIT/);
      t.match(shown, /GRANT SELECT, UPDATE ON "public"."orders" TO "shop_writer"/);
      t.same(await roles(), [], 'before the answer');
      // keys count a moment after the prompt is drawn
      await sleep(700);
      await screen.press(key, said);
      t.equal((await screen.exit).code, code);
    }
    t.same(await roles(), [{ rolname: 'shop agent' }, { rolname: 'shop_writer' }]);
    const [may] = await postgres.query(
      `SELECT pg_has_role('shop agent', 'shop_writer', 'MEMBER') AS becomes,
              has_table_privilege('shop agent', 'orders', 'UPDATE') AS "by itself",
              has_table_privilege('shop_writer', 'orders', 'UPDATE') AS "as the role"`,
    );
    t.same(may, { becomes: true, 'by itself': false, 'as the role': true });
    const { stdout } = await workspace.dbguard(['transcripts', 'list', '--json'], { env });
    t.match(String(stdout), /access setup/, 'it stands in a transcript');
  });
}

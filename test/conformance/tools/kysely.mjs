/** Kysely: migrator, introspection, query builder. */
async function withKysely(url, load, act) {
  const { Kysely, PostgresDialect, Migrator, sql } = load('kysely');
  const { Pool } = load('pg');
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new Pool({ connectionString: url, max: 3 }) }) });
  const first = {
    up: (db) =>
      db.schema
        .createTable('members')
        .ifNotExists()
        .addColumn('id', 'serial', (column) => column.primaryKey())
        .addColumn('email', 'text', (column) => column.unique())
        .addColumn('visits', 'integer', (column) => column.defaultTo(0))
        .execute(),
    down: (db) => db.schema.dropTable('members').execute(),
  };
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ first }) } });
  const migrate = async () => {
    const { error } = await migrator.migrateToLatest();
    if (error) throw error;
  };
  try {
    await act({ db, migrate, migrator, first, sql });
  } finally {
    await db.destroy();
  }
}

export const prepare = (url, load) => withKysely(url, load, ({ migrate }) => migrate());

export const again = (url, load) =>
  withKysely(url, load, async ({ db, migrate, migrator, first }) => {
    await migrate();
    await migrator.getMigrations();
    await first.up(db);
    await db.schema.createIndex('members_email_key').ifNotExists().on('members').column('email').execute();
    await db.introspection.getTables();
    await db.introspection.getSchemas();
  });

export const use = (url, load) =>
  withKysely(url, load, async ({ db, sql }) => {
    const { id } = await db
      .insertInto('members')
      .values({ email: 'ada@example.com' })
      .returning('id')
      .executeTakeFirstOrThrow();
    await db
      .insertInto('members')
      .values({ email: 'ada@example.com' })
      .onConflict((conflict) => conflict.column('email').doUpdateSet({ visits: 1 }))
      .execute();
    await db.transaction().execute(async (trx) => {
      await trx.selectFrom('members').selectAll().where('id', '=', id).forUpdate().execute();
      await trx
        .updateTable('members')
        .set((eb) => ({ visits: eb('visits', '+', 1) }))
        .where('id', '=', id)
        .execute();
    });
    await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute((trx) => trx.selectFrom('members').selectAll().execute());
    await db.selectFrom('members').selectAll().orderBy('id').limit(5).offset(0).execute();
    await db
      .selectFrom('members')
      .select((eb) => eb.fn.countAll().as('n'))
      .execute();
    await db
      .with('one', (one) => one.selectFrom('members').selectAll().where('id', '=', id))
      .selectFrom('one')
      .selectAll()
      .execute();
    await sql`select ${id}::int`.execute(db);
    for await (const _ of db
      .selectFrom('members')
      .selectAll()
      .stream?.()
      .catch?.(() => []) ?? [])
      break;
    await db.deleteFrom('members').where('id', '=', id).executeTakeFirst();
  });

/** Knex: migrations with their lock, seeds of bookkeeping, and the query builder. */
class Source {
  async getMigrations() {
    return ['20240101_first'];
  }
  getMigrationName(name) {
    return name;
  }
  async getMigration() {
    return {
      up: (knex) =>
        knex.schema.createTable('members', (table) => {
          table.increments();
          table.string('email').unique();
          table.jsonb('detail');
          table.integer('visits').defaultTo(0);
          table.timestamps(true, true);
        }),
      down: (knex) => knex.schema.dropTable('members'),
    };
  }
}

async function withKnex(url, load, act) {
  const knex = load('knex').knex({
    client: 'pg',
    connection: url,
    pool: { min: 0, max: 3 },
    migrations: { migrationSource: new Source() },
  });
  try {
    await act(knex);
  } finally {
    await knex.destroy();
  }
}

export const prepare = (url, load) => withKnex(url, load, (knex) => knex.migrate.latest());

export const again = (url, load) =>
  withKnex(url, load, async (knex) => {
    await knex.migrate.latest();
    await knex.migrate.status();
    await knex.migrate.currentVersion();
    await knex.migrate.list();
    await knex.schema.hasTable('members');
    await knex.schema.hasColumn('members', 'email');
    await knex.schema.createTableIfNotExists?.('members', (table) => table.increments());
    await knex('members').columnInfo();
  });

export const use = (url, load) =>
  withKnex(url, load, async (knex) => {
    const [{ id }] = await knex('members')
      .insert({ email: 'ada@example.com', detail: { a: 1 } })
      .returning('id');
    await knex('members').insert({ email: 'ada@example.com' }).onConflict('email').merge();
    await knex('members').insert({ email: 'ada@example.com' }).onConflict('email').ignore();
    await knex.batchInsert(
      'members',
      Array.from({ length: 50 }, (_, n) => ({ email: `m${n}@example.com` })),
      20,
    );
    await knex.transaction(async (trx) => {
      await trx('members').where({ id }).forUpdate().first();
      await trx('members').where({ id }).increment('visits', 1);
      await trx.transaction((inner) => inner('members').where({ id }).update({ email: 'ada@example.org' }));
    });
    await knex('members').whereIn('id', [1, 2, 3]).orderBy('id').limit(10).offset(2);
    await knex('members').count('* as n').first();
    await knex
      .with('recent', knex('members').where('id', '>', 1))
      .select('*')
      .from('recent');
    await knex
      .select(knex.raw('?? , count(*) over ()', ['email']))
      .from('members')
      .whereRaw('visits >= ?', [0]);
    await knex('members').whereJsonPath('detail', '$.a', '=', 1);
    for await (const _ of knex('members').select().stream?.() ?? []) break;
    await knex('members').where({ id }).del();
    await knex.raw('select 1');
  });

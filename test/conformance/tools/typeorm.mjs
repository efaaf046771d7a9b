/** TypeORM: synchronize, migrations, repositories, query builder, trees, and the extension that it wants at every start. */
async function withSource(url, load, options, act) {
  load('reflect-metadata');
  const { DataSource, EntitySchema } = load('typeorm');
  const Member = new EntitySchema({
    name: 'Member',
    columns: {
      id: { type: 'uuid', primary: true, generated: 'uuid' },
      email: { type: String, unique: true },
      mood: { type: 'enum', enum: ['sad', 'happy'], default: 'happy' },
      tags: { type: 'text', array: true, default: '{}' },
      detail: { type: 'jsonb', nullable: true },
      created: { type: 'timestamptz', createDate: true },
      deleted: { type: 'timestamptz', deleteDate: true },
      version: { type: Number, version: true },
    },
    relations: { posts: { type: 'one-to-many', target: 'Post', inverseSide: 'member' } },
  });
  const Post = new EntitySchema({
    name: 'Post',
    columns: { id: { type: Number, primary: true, generated: 'increment' }, title: { type: String } },
    relations: {
      member: { type: 'many-to-one', target: 'Member', inverseSide: 'posts', onDelete: 'CASCADE' },
      labels: { type: 'many-to-many', target: 'Label', joinTable: true },
    },
    indices: [{ name: 'post_title', columns: ['title'] }],
  });
  const Label = new EntitySchema({
    name: 'Label',
    columns: { id: { type: Number, primary: true, generated: 'increment' }, name: { type: String } },
  });
  const source = new DataSource({
    type: 'postgres',
    url,
    entities: [Member, Post, Label],
    migrations: [First1700000000000],
    ...options,
  });
  await source.initialize();
  try {
    await act(source);
  } finally {
    await source.destroy();
  }
}

class First1700000000000 {
  async up(runner) {
    await runner.query('CREATE TABLE IF NOT EXISTS "audit" ("id" serial PRIMARY KEY, "what" text)');
  }
  async down(runner) {
    await runner.query('DROP TABLE "audit"');
  }
}

const build = async (source) => {
  await source.synchronize();
  await source.runMigrations();
  await source.showMigrations();
};

export const prepare = (url, load) => withSource(url, load, {}, build);
export const again = (url, load) => withSource(url, load, { synchronize: true, migrationsRun: true }, build);

export const use = (url, load) =>
  withSource(url, load, {}, async (source) => {
    const members = source.getRepository('Member');
    const posts = source.getRepository('Post');
    const ada = await members.save({ email: 'ada@example.com', detail: { a: 1 } });
    await members.save({ ...ada, mood: 'sad' });
    await members.upsert({ email: 'b@example.com' }, ['email']);
    await members.upsert({ email: 'b@example.com', mood: 'sad' }, ['email']);
    const labels = await source.getRepository('Label').save([{ name: 'x' }, { name: 'y' }]);
    await source.transaction(async (manager) => {
      await manager.save('Post', { title: 'one', member: ada, labels });
      await manager.save('Post', { title: 'two', member: ada });
    });
    await source.transaction('SERIALIZABLE', (manager) => manager.find('Post'));
    await members.findAndCount({ relations: { posts: true }, skip: 0, take: 10, order: { email: 'ASC' } });
    await members.findOneBy({ id: ada.id });
    await posts
      .createQueryBuilder('p')
      .leftJoinAndSelect('p.labels', 'l')
      .where('p.id IN (:...ids)', { ids: [1, 2] })
      .getMany();
    await members
      .createQueryBuilder('m')
      .setLock('pessimistic_write')
      .where('m.id = :id', { id: ada.id })
      .getOne()
      .catch(() => undefined);
    await source.transaction((manager) =>
      manager.findOne('Member', { where: { id: ada.id }, lock: { mode: 'pessimistic_write' } }),
    );
    await posts.update(1, { title: 'uno' });
    await posts.increment({ id: 1 }, 'id', 100);
    await members.softDelete(ada.id);
    await members.restore(ada.id);
    await posts.delete(2);
    await posts.remove(await posts.find());
    await members.count();
    await members.exists({ where: { email: 'ada@example.com' } });
    await source.query('SELECT $1::int', [1]);
  });

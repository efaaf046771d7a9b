/** MikroORM: schema generator, migrator, unit of work. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

async function withOrm(url, load, act) {
  const { EntitySchema, MikroORM } = load('@mikro-orm/postgresql');
  const { Migrator, Migration } = load('@mikro-orm/migrations');
  const Member = new EntitySchema({
    name: 'Member',
    properties: {
      id: { type: 'number', primary: true },
      email: { type: 'string', unique: true },
      mood: { enum: true, items: ['sad', 'happy'], default: 'happy', nativeEnumName: 'mood' },
      detail: { type: 'json', nullable: true },
      version: { type: 'number', version: true },
      posts: { kind: '1:m', entity: 'Post', mappedBy: 'member' },
    },
  });
  const Post = new EntitySchema({
    name: 'Post',
    properties: {
      id: { type: 'uuid', primary: true, defaultRaw: 'gen_random_uuid()' },
      title: { type: 'text' },
      member: { kind: 'm:1', entity: 'Member' },
    },
  });
  class First extends Migration {
    up() {
      this.addSql('create table if not exists "audit" ("id" serial primary key);');
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'mikro-'));
  writeFileSync(join(folder, 'package.json'), '{}');
  const orm = await MikroORM.init({
    clientUrl: url,
    entities: [Member, Post],
    extensions: [Migrator],
    migrations: { migrationsList: [{ name: 'First', class: First }], path: folder, snapshot: false },
    metadataCache: { enabled: false },
    schemaGenerator: {
      createForeignKeyConstraints: true,
      ignoreSchema: [],
      skipTables: ['audit', 'mikro_orm_migrations'],
    },
  });
  try {
    await act({ orm, Member, Post });
  } finally {
    await orm.close(true);
    rmSync(folder, { recursive: true });
  }
}

const build = async ({ orm }) => {
  await orm.schema.ensureDatabase();
  await orm.schema.updateSchema();
  await orm.migrator.up();
};

export const prepare = (url, load) => withOrm(url, load, build);
export const again = (url, load) =>
  withOrm(url, load, async (tool) => {
    await build(tool);
    await tool.orm.schema.getUpdateSchemaSQL();
    await tool.orm.migrator.getPendingMigrations();
    await tool.orm.migrator.getExecutedMigrations();
    await tool.orm.migrator.checkMigrationNeeded().catch(() => undefined);
  });

export const use = (url, load) =>
  withOrm(url, load, async ({ orm, Member, Post }) => {
    const em = orm.em.fork();
    const ada = em.create(Member, { email: 'ada@example.com', detail: { a: 1 } });
    em.create(Post, { title: 'one', member: ada });
    await em.flush();
    ada.mood = 'sad';
    await em.flush();
    await em.upsert(Member, { email: 'b@example.com', mood: 'happy' });
    await em.upsertMany(Member, [
      { email: 'b@example.com', mood: 'sad' },
      { email: 'c@example.com', mood: 'sad' },
    ]);
    await em.transactional(async (inner) => {
      const found = await inner.findOneOrFail(Member, ada.id, { lockMode: 4 });
      found.detail = { b: 2 };
      await inner.transactional((nested) => nested.find(Post, { member: ada.id }));
    });
    await em.findAndCount(
      Member,
      { email: { $like: '%@%' } },
      { populate: ['posts'], limit: 5, offset: 0, orderBy: { id: 'asc' } },
    );
    await em.findByCursor(Member, {}, { first: 2, orderBy: { id: 'asc' } });
    await em.nativeUpdate(Member, { id: ada.id }, { mood: 'happy' });
    await em.count(Post);
    await em
      .createQueryBuilder(Member, 'm')
      .select('*')
      .where({ id: { $in: [1, 2] } })
      .getResult();
    await em.nativeDelete(Post, { member: ada.id });
    em.remove(ada);
    await em.flush();
  });

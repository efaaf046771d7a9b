/** Drizzle: its migrator, and what its query builder sends. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const migration = `CREATE TABLE IF NOT EXISTS "members" ("id" serial PRIMARY KEY, "email" text NOT NULL UNIQUE, "name" text);
--> statement-breakpoint
DO $$ BEGIN CREATE TYPE "mood" AS ENUM('sad', 'happy'); EXCEPTION WHEN duplicate_object THEN null; END $$;
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS "posts" ("id" serial PRIMARY KEY, "member_id" integer NOT NULL, "title" text, "at" timestamp DEFAULT now());
--> statement-breakpoint
DO $$ BEGIN
 ALTER TABLE "posts" ADD CONSTRAINT "posts_member_fk" FOREIGN KEY ("member_id") REFERENCES "members"("id") ON DELETE cascade;
EXCEPTION WHEN duplicate_object THEN null; END $$;`;

async function migrate({ db, load }) {
  const folder = mkdtempSync(join(tmpdir(), 'drizzle-'));
  mkdirSync(join(folder, 'meta'));
  const entries = [{ idx: 0, version: '7', when: 1700000000000, tag: '0000_first', breakpoints: true }];
  writeFileSync(join(folder, 'meta/_journal.json'), JSON.stringify({ version: '7', dialect: 'postgresql', entries }));
  writeFileSync(join(folder, '0000_first.sql'), migration);
  await load('drizzle-orm/node-postgres/migrator').migrate(db, { migrationsFolder: folder });
  rmSync(folder, { recursive: true });
}

async function withDrizzle(url, load, act) {
  const { Pool } = load('pg');
  const pool = new Pool({ connectionString: url, max: 3 });
  try {
    await act({ db: load('drizzle-orm/node-postgres').drizzle(pool), load });
  } finally {
    await pool.end();
  }
}

export const prepare = (url, load) => withDrizzle(url, load, migrate);

export const again = (url, load) =>
  withDrizzle(url, load, async (tool) => {
    await migrate(tool);
    // the same file a second time, as where the bookkeeping was lost
    for (const statement of migration.split('--> statement-breakpoint')) await tool.db.execute(statement);
  });

export const use = (url, load) =>
  withDrizzle(url, load, async ({ db }) => {
    const { pgTable, serial, text, integer, timestamp } = load('drizzle-orm/pg-core');
    const { eq, and, inArray, desc, count, sql, like, relations } = load('drizzle-orm');
    const members = pgTable('members', {
      id: serial('id').primaryKey(),
      email: text('email').notNull(),
      name: text('name'),
    });
    const posts = pgTable('posts', {
      id: serial('id').primaryKey(),
      memberId: integer('member_id').notNull(),
      title: text('title'),
      at: timestamp('at').defaultNow(),
    });
    const memberPosts = relations(members, ({ many }) => ({ posts: many(posts) }));
    const postMember = relations(posts, ({ one }) => ({
      member: one(members, { fields: [posts.memberId], references: [members.id] }),
    }));
    const [ada] = await db.insert(members).values({ email: 'ada@example.com', name: 'Ada' }).returning();
    await db.insert(members).values([{ email: 'b@example.com' }, { email: 'c@example.com' }]);
    await db
      .insert(members)
      .values({ email: 'ada@example.com', name: 'Ada L' })
      .onConflictDoUpdate({ target: members.email, set: { name: sql`excluded.name` } });
    await db.insert(members).values({ email: 'b@example.com' }).onConflictDoNothing();
    await db.transaction(async (tx) => {
      await tx.insert(posts).values({ memberId: ada.id, title: 'one' });
      await tx
        .transaction(async (inner) => {
          await inner.insert(posts).values({ memberId: ada.id, title: 'two' });
          inner.rollback();
        })
        .catch(() => undefined);
    });
    await db
      .select()
      .from(members)
      .where(and(eq(members.id, ada.id), like(members.email, '%@%')))
      .limit(10)
      .offset(0);
    await db.select({ n: count() }).from(posts).leftJoin(members, eq(posts.memberId, members.id)).groupBy(members.id);
    await db
      .select()
      .from(posts)
      .where(inArray(posts.id, [1, 2, 3]))
      .orderBy(desc(posts.at))
      .for('update');
    const prepared = db
      .select()
      .from(members)
      .where(eq(members.id, sql.placeholder('id')))
      .prepare('by_id');
    for (const id of [1, 2]) await prepared.execute({ id });
    const { drizzle } = load('drizzle-orm/node-postgres');
    const related = drizzle(db.$client, { schema: { members, posts, memberPosts, postMember } });
    await related.query.members.findMany({ with: { posts: true }, limit: 5 });
    await db.update(members).set({ name: 'Ada' }).where(eq(members.id, ada.id)).returning();
    await db.delete(posts).where(eq(posts.id, 1)).returning();
    await db.$count(members);
  });

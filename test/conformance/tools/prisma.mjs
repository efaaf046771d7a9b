/** Prisma's client over its adapter for pg; its migrate engine is a program of its own, which is not tried here. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const schema = `generator client {
  provider = "prisma-client-js"
  output   = "./generated"
}
datasource db {
  provider = "postgresql"
}
enum Mood {
  SAD
  HAPPY
}
model Member {
  id      Int      @id @default(autoincrement())
  email   String   @unique
  detail  Json?
  tags    String[]
  visits  Int      @default(0)
  balance Decimal  @default(0)
  mood    Mood     @default(SAD)
  made    DateTime @default(now())
  posts   Post[]
}
model Post {
  id       Int    @id @default(autoincrement())
  title    String
  author   Member @relation(fields: [authorId], references: [id], onDelete: Cascade)
  authorId Int
}
`;

/** As `prisma migrate` writes it for the schema. */
const migration = `
CREATE TYPE "Mood" AS ENUM ('SAD', 'HAPPY');
CREATE TABLE "Member" ("id" SERIAL NOT NULL, "email" TEXT NOT NULL, "detail" JSONB, "tags" TEXT[], "visits" INTEGER NOT NULL DEFAULT 0,
  "balance" DECIMAL(65,30) NOT NULL DEFAULT 0, "mood" "Mood" NOT NULL DEFAULT 'SAD', "made" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "Member_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Post" ("id" SERIAL NOT NULL, "title" TEXT NOT NULL, "authorId" INTEGER NOT NULL, CONSTRAINT "Post_pkey" PRIMARY KEY ("id"));
CREATE UNIQUE INDEX "Member_email_key" ON "Member"("email");
ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "Member"("id") ON DELETE CASCADE ON UPDATE CASCADE;`;

/** @returns the client's constructor */
function generated(load) {
  const modules = dirname(dirname(dirname(load.resolve('@prisma/client/package.json'))));
  const folder = join(modules, '.prisma-conformance');
  if (!existsSync(join(folder, 'generated/index.js'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'schema.prisma'), schema);
    // generating needs no engine, and would fetch one
    const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
    execFileSync(join(modules, '.bin/prisma'), ['generate', '--schema', 'schema.prisma'], { cwd: folder, env });
  }
  return load(join(folder, 'generated')).PrismaClient;
}

async function withPrisma(url, load, act) {
  const PrismaClient = generated(load);
  const { PrismaPg } = load('@prisma/adapter-pg');
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 3 }) });
  try {
    await act(prisma);
  } finally {
    await prisma.$disconnect();
  }
}

export async function prepare(url, load) {
  const { Client } = load('pg');
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(migration);
  await client.end();
}

export const again = (url, load) =>
  withPrisma(url, load, async (prisma) => {
    await prisma.$connect();
    await prisma.member.count();
    await prisma.$queryRaw`SELECT 1`;
  });

export const use = (url, load) =>
  withPrisma(url, load, async (prisma) => {
    const email = 'ada@example.com';
    const posts = { create: [{ title: 'one' }, { title: 'two' }] };
    const { id } = await prisma.member.create({
      data: { email, detail: { a: [1, null] }, tags: ['x', 'y'], posts },
      include: { posts: true },
    });
    await prisma.member.upsert({
      where: { email },
      create: { email },
      update: { visits: { increment: 1 }, mood: 'HAPPY' },
    });
    const many = Array.from({ length: 50 }, (_, n) => ({ email: `m${n}@example.com` }));
    await prisma.member.createMany({ data: many, skipDuplicates: true });
    await prisma.member.createManyAndReturn({ data: [{ email: 'z@example.com', balance: '1.50' }] });
    await prisma.$transaction([
      prisma.post.create({ data: { title: 'three', authorId: id } }),
      prisma.member.update({ where: { id }, data: { visits: 2 } }),
    ]);
    await prisma.$transaction(
      async (inner) => {
        await inner.member.update({ where: { id }, data: { visits: { decrement: 1 } } });
        await inner.post.updateMany({ where: { authorId: id }, data: { title: 'four' } });
      },
      { isolationLevel: 'Serializable' },
    );
    await prisma.$transaction(async () => Promise.reject(new Error('changed my mind'))).catch(() => undefined);
    await prisma.member.findMany({
      where: { OR: [{ email: { contains: 'ADA', mode: 'insensitive' } }, { tags: { has: 'x' } }], posts: { some: {} } },
      include: { posts: { orderBy: { id: 'desc' }, take: 1 }, _count: { select: { posts: true } } },
      orderBy: [{ visits: 'desc' }, { id: 'asc' }],
      skip: 0,
      take: 10,
    });
    await prisma.member.findMany({ where: { detail: { path: ['a', '0'], equals: 1 } } });
    await prisma.member.aggregate({ _count: true, _sum: { visits: true }, _avg: { balance: true } });
    await prisma.member.groupBy({ by: ['mood'], _count: { _all: true }, having: { visits: { _sum: { gte: 0 } } } });
    await prisma.$queryRawUnsafe('SELECT * FROM "Member" WHERE id = $1', id);
    await prisma.$executeRaw`UPDATE "Member" SET visits = 3 WHERE id = ${id}`;
    await prisma.post.deleteMany({ where: { authorId: id } });
    await prisma.member.delete({ where: { id } });
  });

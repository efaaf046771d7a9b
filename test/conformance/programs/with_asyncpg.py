"""What a program sees through asyncpg: the extended protocol in binary, with its own type introspection."""
import asyncio
import datetime
import decimal
import io
import os

import asyncpg

url = os.environ["DATABASE_URL"]


def say(what, value):
    print(f"{what}: {value!r}")


async def error_of(work):
    try:
        await work
    except (asyncpg.PostgresError, asyncpg.InternalClientError, asyncio.TimeoutError) as error:
        return type(error).__name__, getattr(error, "sqlstate", None), str(error)
    return None


async def outdated_caches():
    """What a connection remembers of statements and types is outdated by another one of its pool."""
    pool = await asyncpg.create_pool(url, min_size=3, max_size=3)
    async with pool.acquire() as one, pool.acquire() as two, pool.acquire() as three:
        await one.execute("CREATE TABLE cached (a int); INSERT INTO cached VALUES (1)")
        for conn in (one, two, three):
            say("cached", dict(await conn.fetchrow("SELECT * FROM cached")))
        await one.execute("ALTER TABLE cached ADD b text DEFAULT 'new'")
        say("planned anew", dict(await two.fetchrow("SELECT * FROM cached")))

        async def within(conn):
            async with conn.transaction():
                return dict(await conn.fetchrow("SELECT * FROM cached"))

        say("within a transaction", await error_of(within(three)))
        say("the next time", await within(three))
        held = await two.prepare("SELECT * FROM cached")
        say("held", len(await held.fetch()))
        await one.execute("ALTER TABLE cached ALTER a TYPE bigint")
        say("held", await error_of(held.fetch()))

        await one.execute("CREATE TYPE shape AS (a int); CREATE TABLE shaped (s shape)")
        await one.execute("INSERT INTO shaped VALUES ($1)", (1,))
        for conn in (one, two):
            say("shape", dict((await conn.fetchrow("SELECT s FROM shaped"))["s"]))
        await one.execute("ALTER TYPE shape ADD ATTRIBUTE b text")
        say("shape of old", await error_of(two.fetchrow("SELECT s FROM shaped")))
        await two.reload_schema_state()
        say("shape of now", dict((await two.fetchrow("SELECT s FROM shaped"))["s"]))
        await one.execute("DROP TABLE shaped, cached; DROP TYPE shape")
    await pool.close()


async def failures_while_writing():
    """The server gives up while the client has megabytes to go."""
    conn = await asyncpg.connect(url)
    await conn.execute("CREATE TABLE many (a int PRIMARY KEY, b text)")
    rows = [(n if n != 300 else 7, "x" * 4000) for n in range(5000)]
    say("executemany", await error_of(conn.executemany("INSERT INTO many VALUES ($1, $2)", rows)))
    say("nothing of it", await conn.fetchval("SELECT count(*) FROM many"))
    say("copy", await error_of(conn.copy_records_to_table("many", records=rows)))
    say("nothing of it", await conn.fetchval("SELECT count(*) FROM many"))

    async def wrong():
        for n in range(5000):
            if n == 4000:
                raise ValueError("the program's own")
            yield n, "y" * 4000

    try:
        await conn.copy_records_to_table("many", records=wrong())
    except ValueError as error:
        say("the program fails", error)
    say("alive", await conn.fetchval("SELECT count(*) FROM many"))
    await conn.close()


async def main():
    conn = await asyncpg.connect(url)
    values = [2**40, decimal.Decimal("1.50"), "Wörter ✓", b"\x00\xff", [1, None, 3], datetime.date(2024, 2, 29), 1.5]
    say("types", list(await conn.fetchrow("SELECT $1::int8, $2::numeric, $3::text, $4::bytea, $5::int[], $6::date, $7::float8", *values)))
    await conn.execute("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b mood)")
    await conn.execute("CREATE TABLE t (a int PRIMARY KEY, b pair, c mood[])")
    await conn.execute("INSERT INTO t VALUES (1, $1, $2)", (7, "sad"), ["happy", "sad"])
    say("composite", dict(await conn.fetchrow("SELECT * FROM t")))
    say("duplicate", await error_of(conn.execute("INSERT INTO t VALUES (1)")))
    say("syntax", await error_of(conn.execute("SELEC")))
    say("bad value", await error_of(conn.fetch("SELECT $1::int / 0", 1)))

    statement = await conn.prepare("SELECT n, $1::text FROM generate_series(1, $2::int) n")
    say("prepared", [await statement.fetchval("x", n, column=0) for n in (1, 2, 3)])
    say("parameters", [parameter.name for parameter in statement.get_parameters()])
    say("attributes", [attribute.name for attribute in statement.get_attributes()])

    async with conn.transaction():
        total = 0
        async for row in conn.cursor("SELECT generate_series(1, 1000) AS n", prefetch=37):
            total += row["n"]
        say("cursor", total)
        cursor = await conn.cursor("SELECT generate_series(1, 10) AS n")
        await cursor.forward(3)
        say("forward", [row["n"] for row in await cursor.fetch(2)])

    async def failing():
        async with conn.transaction():
            await conn.execute("INSERT INTO t VALUES (2)")
            async with conn.transaction():
                await conn.execute("INSERT INTO t VALUES (2)")

    say("nested", await error_of(failing()))
    say("rolled back", await conn.fetchval("SELECT count(*) FROM t"))
    await conn.executemany("INSERT INTO t (a) VALUES ($1)", [(n,) for n in range(100, 2100)])
    say("copy in", await conn.copy_records_to_table("t", records=[(n, None, None) for n in range(3000, 9000)]))
    out = io.BytesIO()
    say("copy out", await conn.copy_from_query("SELECT a FROM t WHERE a < $1 ORDER BY a", 105, output=out, format="csv"))
    say("csv", out.getvalue())

    heard = asyncio.get_running_loop().create_future()
    await conn.add_listener("news", lambda _conn, _pid, channel, payload: heard.set_result((channel, payload)))
    await conn.execute("NOTIFY news, 'hello'")
    say("notification", await asyncio.wait_for(heard, 10))
    notices = []
    conn.add_log_listener(lambda _conn, message: notices.append((message.severity, message.message)))
    await conn.execute("DO $$ BEGIN RAISE NOTICE 'n'; END $$")
    await asyncio.sleep(0.05)
    say("notices", notices)
    say("timeout", (await error_of(conn.execute("SELECT pg_sleep(60)", timeout=0.2)))[0])
    say("alive", await conn.fetchval("SELECT 'after'"))
    say("big", len(await conn.fetchval("SELECT $1::bytea", b"z" * 6_000_000)))
    await conn.close()

    await outdated_caches()
    await failures_while_writing()

    pool = await asyncpg.create_pool(url, min_size=3, max_size=6)
    answers = await asyncio.gather(*(pool.fetchval("SELECT $1::int", n) for n in range(200)))
    say("pool", sum(answers))
    await pool.close()


asyncio.run(main())

"""What a program sees through psycopg 2: simple queries only, large objects by FunctionCall, asynchronous connections."""
import io
import os
import select

import psycopg2
import psycopg2.extensions
import psycopg2.extras

url = os.environ["DATABASE_URL"]


def say(what, value):
    print(f"{what}: {value!r}")


def error_of(work):
    try:
        work()
    except psycopg2.Error as error:
        return type(error).__name__, error.pgcode, error.diag.message_primary
    return None


conn = psycopg2.connect(url)
cursor = conn.cursor()
cursor.execute("SELECT %s::int, %s, %s::bytea, ARRAY[1,2], now() IS NULL, '1 day'::interval", (1, "it's", b"\x00\x01"))
row = cursor.fetchone()
say("types", (*row[:2], bytes(row[2]), *row[3:]))
cursor.execute("CREATE TABLE t (a serial PRIMARY KEY, b text)")
psycopg2.extras.execute_values(cursor, "INSERT INTO t (b) VALUES %s RETURNING a", [(str(n),) for n in range(500)])
conn.commit()
say("error", error_of(lambda: cursor.execute("SELECT * FROM nowhere")))
say("failed block", error_of(lambda: cursor.execute("SELECT 1")))
conn.rollback()

named = conn.cursor(name="named", withhold=False)
named.itersize = 50
named.execute("SELECT a FROM t ORDER BY a")
say("named", sum(row[0] for row in named))
named.close()

lob = conn.lobject(0, "wb")
lob.write(b"0123456789" * 30_000)
lob.seek(5)
lob.close()
lob = conn.lobject(lob.oid, "rb")
lob.seek(299_995)
say("large object", (lob.read(), lob.tell()))
lob.unlink()
say("gone", error_of(lambda: conn.lobject(lob.oid, "rb"))[0])
conn.rollback()

cursor.copy_expert("COPY t (b) FROM STDIN", io.StringIO("from copy\n" * 1000))
out = io.StringIO()
cursor.copy_expert("COPY (SELECT b FROM t ORDER BY a LIMIT 3) TO STDOUT CSV", out)
say("copied", (cursor.rowcount, out.getvalue()))
conn.commit()

cursor.execute("LISTEN c; NOTIFY c, 'p'")
conn.commit()
conn.poll()
say("notifies", [(n.channel, n.payload) for n in conn.notifies])
conn.set_session(isolation_level="SERIALIZABLE", readonly=True)
say("read-only", error_of(lambda: cursor.execute("DELETE FROM t")))
conn.rollback()
conn.close()

waiting = psycopg2.connect(url, async_=1)
while (state := waiting.poll()) != psycopg2.extensions.POLL_OK:
    readable = [waiting] if state == psycopg2.extensions.POLL_READ else []
    select.select(readable, [] if readable else [waiting], [], 10)
cursor = waiting.cursor()
cursor.execute("SELECT pg_sleep(0.1), 42")
while waiting.poll() != psycopg2.extensions.POLL_OK:
    select.select([waiting], [], [], 10)
say("asynchronous", cursor.fetchone()[1])
waiting.close()


def wait(conn):
    """As gevent's and eventlet's: each write that the socket does not take at once is flushed later."""
    while (state := conn.poll()) != psycopg2.extensions.POLL_OK:
        if state == psycopg2.extensions.POLL_READ:
            select.select([conn], [], [], 60)
        else:
            select.select([], [conn], [], 60)


psycopg2.extensions.set_wait_callback(wait)
green = psycopg2.connect(url)
cursor = green.cursor()
cursor.execute("SELECT length(%s)", ("g" * 20_000_000,))
say("flushed on write", cursor.fetchone())
say("a large error", error_of(lambda: cursor.execute("SELECT " + "1," * 500_000 + " nope")))
green.rollback()
cursor.execute("SELECT repeat('r', 20000000)")
say("read back", len(cursor.fetchone()[0]))
cursor.execute("DO $$ BEGIN FOR n IN 1..2000 LOOP RAISE NOTICE '%', repeat('n', 500); END LOOP; END $$ -- " + "c" * 3_000_000)
say("notices meanwhile", len(green.notices))
green.close()
psycopg2.extensions.set_wait_callback(None)

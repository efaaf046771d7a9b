"""What a program sees through psycopg 3: pipelines, COPY, server-side cursors, binary results, cancel."""
import logging
import os
import threading

import psycopg

# it logs what depends on how many bytes come at once
logging.disable(logging.CRITICAL)


def say(what, value):
    print(f"{what}: {value!r}")


def error_of(work):
    try:
        work()
    except psycopg.Error as error:
        return type(error).__name__, error.sqlstate, error.diag.message_primary
    return None


with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as conn:
    conn.add_notice_handler(lambda diag: say("notice", (diag.severity, diag.message_primary)))
    for binary in (False, True):
        cursor = conn.cursor(binary=binary)
        cursor.execute(
            "SELECT %s::int8, %s::numeric, %s::text, %s::bytea, %s::timestamptz, %s::int[], %s::jsonb, NULL",
            (2**40, "1.50", "Wörter ✓", b"\x00\xff", "2024-02-29 12:00Z", [1, None, 3], '{"a": [1]}'),
        )
        say("types", cursor.fetchone())
        say("columns", [(column.name, column.type_code) for column in cursor.description])

    conn.execute("CREATE TABLE t (a int PRIMARY KEY, b text)")
    for n in range(10):
        conn.execute("INSERT INTO t VALUES (%s, %s)", (n, "x" * n), prepare=True)
    say("duplicate", error_of(lambda: conn.execute("INSERT INTO t VALUES (1, '')")))

    with conn.pipeline() as pipeline:
        cursors = [conn.execute("SELECT %s::int * 2", (n,)) for n in range(50)]
        pipeline.sync()
        say("pipeline", [cursor.fetchone()[0] for cursor in cursors])

    def broken_pipeline():
        with conn.pipeline():
            conn.execute("INSERT INTO t VALUES (100, 'lost')")
            conn.execute("SELECT 1/0")
            conn.execute("INSERT INTO t VALUES (101, 'never')")

    say("broken pipeline", error_of(broken_pipeline))
    say("left", conn.execute("SELECT count(*) FROM t").fetchone())

    def nested():
        with conn.transaction():
            conn.execute("INSERT INTO t VALUES (200, 'inner')")

    with conn.transaction():
        conn.execute("INSERT INTO t VALUES (200, 'outer')")
        say("nested", error_of(nested))
        with conn.cursor(name="server_side", scrollable=True) as cursor:
            cursor.execute("SELECT generate_series(1, 1000)")
            say("fetched", [cursor.fetchmany(3), cursor.fetchone()])
            cursor.scroll(100)
            say("scrolled", cursor.fetchone())

    cursor = conn.cursor()
    with cursor.copy("COPY t FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int4", "text"])
        for n in range(1000, 6000):
            copy.write_row((n, f"row {n}\t\n"))
    say("copied", cursor.rowcount)
    with cursor.copy("COPY (SELECT a, b FROM t WHERE a < 5 ORDER BY a) TO STDOUT") as copy:
        say("rows", list(copy.rows()))
    with cursor.copy("COPY t TO STDOUT (FORMAT binary)") as copy:
        say("binary bytes", sum(len(block) for block in copy))

    def failing_copy():
        with cursor.copy("COPY t FROM STDIN") as copy:
            copy.write("1\tduplicate\n")

    say("failing copy", error_of(failing_copy))

    def given_up_copy():
        with cursor.copy("COPY t FROM STDIN"):
            raise psycopg.errors.QueryCanceled("changed my mind")

    say("given up copy", error_of(given_up_copy)[0])

    conn.add_notify_handler(lambda notify: say("notify", (notify.channel, notify.payload)))
    conn.execute("LISTEN news")
    conn.execute("NOTIFY news, 'hello'")

    timer = threading.Timer(0.3, conn.cancel)
    timer.start()
    say("cancelled", error_of(lambda: conn.execute("SELECT pg_sleep(60)")))
    say("notice next", conn.execute("DO $$ BEGIN RAISE NOTICE 'hi'; END $$").statusmessage)
    say("big", len(conn.execute("SELECT %s::text", ("y" * 5_000_000,)).fetchone()[0]))
    say("many", len(conn.execute("SELECT " + ",".join(["%s"] * 1600), list(range(1600))).fetchone()))
    conn.cursor().executemany("INSERT INTO t VALUES (%s, %s)", [(n, None) for n in range(10_000, 10_500)])
    say("encoding", (conn.info.encoding, conn.info.parameter_status("server_encoding")))
    conn.execute("SET client_encoding TO 'LATIN1'")
    say("latin1", conn.execute("SELECT %s", ("äöü",)).fetchone())
    say("count", conn.execute("SELECT count(*), sum(a) FROM t").fetchone())

"""What psycopg 3 sees of masked columns: text and binary, prepared, server-side cursors, COPY in all formats."""
import json
import os

import psycopg

queries = json.loads(os.environ["QUERIES"])
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as conn:
    for binary in (False, True):
        for sql in queries:
            for _ in range(2):
                cursor = conn.cursor(binary=binary)
                cursor.execute(sql, prepare=True)
                print(binary, [column.type_code for column in cursor.description], cursor.fetchall())
        with conn.transaction(), conn.cursor("named", binary=binary) as cursor:
            cursor.itersize = 1
            cursor.execute(queries[0])
            print("named", list(cursor))
        with conn.pipeline():
            print("pipeline", [conn.execute(sql, binary=binary).fetchall() for sql in queries[:3]])
    for options in ("(FORMAT text)", "(FORMAT csv, HEADER, FORCE_QUOTE *)", "(FORMAT binary)", "(FORMAT csv, FORCE_QUOTE *, NULL 'none')"):
        with conn.cursor().copy(f"COPY ({os.environ['COPIED']}) TO STDOUT WITH {options}") as copy:
            data = b"".join(bytes(part) for part in copy)
        print(options, data.hex() if "binary" in options else data.decode())
    with conn.cursor().copy(f"COPY ({os.environ['COPIED']}) TO STDOUT WITH (FORMAT binary)") as copy:
        copy.set_types(["int4", "text", "text", "varchar", "date", "timestamptz", "int4", "numeric", "int8", "float8", "jsonb",
                        "text", "text[]", "date[]", "bytea", "bool", "text", "text"])
        for row in copy.rows():
            print("row", row)

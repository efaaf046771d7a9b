"""What psycopg 2 sees of masked columns: client-side and named cursors, COPY in all formats."""
import io
import json
import os

import psycopg2

queries = json.loads(os.environ["QUERIES"])
connection = psycopg2.connect(os.environ["DATABASE_URL"])
with connection, connection.cursor() as cursor:
    for sql in queries:
        cursor.execute(sql)
        rows = [[bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] for row in cursor.fetchall()]
        print([column.type_code for column in cursor.description], rows)
    for options in ("(FORMAT text)", "(FORMAT csv, HEADER, FORCE_QUOTE *)", "(FORMAT binary)", "(FORMAT text, DELIMITER ';', NULL '-')"):
        data = io.BytesIO()
        cursor.copy_expert(f"COPY ({os.environ['COPIED']}) TO STDOUT WITH {options}", data)
        print(options, data.getvalue().hex() if "binary" in options else data.getvalue().decode())
with connection, connection.cursor("named") as cursor:
    cursor.itersize = 1
    cursor.execute(queries[4])
    print("named", list(cursor))
connection.close()

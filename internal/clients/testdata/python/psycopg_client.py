"""psycopg 3: the extended protocol, with text and binary results, and pipelines."""

import psycopg
from psycopg.types.json import Jsonb
from story import EXEC, QUERY, ROWS, SLOW, WRONG, report, until_canceled

with psycopg.connect(autocommit=True) as conn:
    report("connect", *conn.execute("SELECT current_database()").fetchone())

    report("query", *conn.execute(QUERY).fetchone())
    report("binary", *conn.execute(QUERY, binary=True).fetchone())

    row = conn.execute(
        "SELECT name, %s, %s::int8 + 1, %s FROM postgres.postgres_projects WHERE name = %s",
        (None, 41, Jsonb({"a": 1}), "projects/orders"),
    ).fetchone()
    report("parameters", *row)

    rows = conn.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s AND column_name = ANY(%s) ORDER BY column_name",
        ("postgres", "postgres_projects", ["create_time", "name", "status"]),
    )
    report("introspect", *("=".join(row) for row in rows))

    report("exec", conn.execute(EXEC).fetchone()[0][:3])

    with conn.transaction(), conn.cursor(name="jobs", scrollable=True) as cursor:
        cursor.itersize = 3
        cursor.execute(ROWS)
        report("cursor", *(number for number, in cursor))
        cursor.scroll(2, mode="absolute")
        report("scroll", *cursor.fetchone())

    with conn.pipeline():
        cursors = [conn.execute("SELECT %s::int8", (n,)) for n in (1, 2, 3)]
        report("pipeline", *(cursor.fetchone()[0] for cursor in cursors))

    with conn.cursor().copy("COPY (SELECT name FROM postgres.postgres_projects ORDER BY name LIMIT 2) TO STDOUT") as copy:
        report("copy", *(name for name, in copy.rows()))

    numbers = "SELECT 'a' AS t, 1::int8 AS i, 0.5::float8 AS f, true AS b, NULL AS n"
    with conn.cursor().copy(f"COPY ({numbers}) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["text", "int8", "float8", "bool", "text"])
        report("binary copy", *(value for row in copy.rows() for value in row))

    try:
        conn.execute(WRONG)
    except psycopg.Error as error:
        report("error", error.sqlstate, error.diag.statement_position)

    canceled = until_canceled(lambda: conn.execute(SLOW), conn.cancel)
    report("cancel", canceled.sqlstate)

    report("afterwards", *conn.execute("SELECT 1").fetchone())

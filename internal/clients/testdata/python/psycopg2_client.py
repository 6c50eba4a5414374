"""psycopg 2: the simple protocol, with the values of parameters put into the text."""

import psycopg2
from story import EXEC, QUERY, ROWS, SLOW, WRONG, report, until_canceled

conn = psycopg2.connect("")
with conn, conn.cursor() as cursor:
    cursor.execute("SELECT current_database()")
    report("connect", *cursor.fetchone())

    cursor.execute(QUERY)
    report("query", *cursor.fetchone())

    cursor.execute("SELECT name, %s FROM postgres.postgres_projects WHERE name = %s", (None, "projects/orders"))
    report("parameters", *cursor.fetchone())

    cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s AND column_name IN %s ORDER BY column_name",
        ("postgres", "postgres_projects", ("create_time", "name", "status")),
    )
    report("introspect", *("=".join(row) for row in cursor))

    cursor.execute(EXEC)
    report("exec", cursor.fetchone()[0][:3])

with conn, conn.cursor(name="jobs") as cursor:
    cursor.itersize = 3
    cursor.execute(ROWS)
    report("cursor", *(number for number, in cursor))
    cursor.scroll(2, mode="absolute")
    report("scroll", *cursor.fetchone())

conn.autocommit = True
with conn.cursor() as cursor:
    try:
        cursor.execute(WRONG)
    except psycopg2.Error as error:
        report("error", error.pgcode, error.diag.statement_position)

    canceled = until_canceled(lambda: cursor.execute(SLOW), conn.cancel)
    report("cancel", canceled.pgcode)

    cursor.execute("SELECT 1")
    report("afterwards", *cursor.fetchone())
conn.close()

"""pg8000: the extended protocol, in Python alone, with text values."""

import pg8000
from story import DATABASE, EXEC, HOST, PORT, QUERY, ROWS, USER, WRONG, report

conn = pg8000.connect(user=USER, host=HOST, port=PORT, database=DATABASE)
conn.autocommit = True
cursor = conn.cursor()

cursor.execute("SELECT current_database()")
report("connect", *cursor.fetchone())

cursor.execute(QUERY)
report("query", *cursor.fetchone())

cursor.execute("SELECT name, %s FROM postgres.postgres_projects WHERE name = %s", (None, "projects/orders"))
report("parameters", *cursor.fetchone())

cursor.execute(
    "SELECT column_name, data_type FROM information_schema.columns"
    " WHERE table_schema = %s AND table_name = %s AND column_name IN (%s, %s, %s) ORDER BY column_name",
    ("postgres", "postgres_projects", "create_time", "name", "status"),
)
report("introspect", *("=".join(row) for row in cursor.fetchall()))

cursor.execute(EXEC)
report("exec", cursor.fetchone()[0][:3])

conn.autocommit = False
cursor.execute(f"DECLARE jobs CURSOR FOR {ROWS}")
numbers = []
while not numbers or rows:
    cursor.execute("FETCH 3 FROM jobs")
    rows = cursor.fetchall()
    numbers += [number for number, in rows]
report("cursor", *numbers)
conn.commit()
conn.autocommit = True

try:
    cursor.execute(WRONG)
except pg8000.Error as error:
    report("error", error.args[2], error.args[4])

cursor.execute("SELECT 1")
report("afterwards", *cursor.fetchone())
conn.close()

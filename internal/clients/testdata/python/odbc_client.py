"""ODBC: psqlODBC by way of pyodbc, with the catalogue functions that BI tools call."""

import pyodbc
from story import DATABASE, EXEC, HOST, PORT, QUERY, ROWS, SLOW, USER, WRONG, report, until_canceled

conn = pyodbc.connect(f"DRIVER=PostgreSQL Unicode;SERVER={HOST};PORT={PORT};DATABASE={DATABASE};UID={USER};UseDeclareFetch=1;Fetch=3", autocommit=True)
cursor = conn.cursor()
report("connect", cursor.execute("SELECT current_database()").fetchval())
report("query", *cursor.execute(QUERY).fetchone())
report("parameters", *cursor.execute("SELECT name, ? FROM postgres.postgres_projects WHERE name = ?", None, "projects/orders").fetchone())
report("exec", cursor.execute(EXEC).fetchone()[0][:3])
report("cursor", *(number for number, in cursor.execute(ROWS)))

report("tables", *(f"{row.table_name}={row.table_type}" for row in cursor.tables(schema="postgres", table="postgres_p%")))
columns = cursor.columns(schema="postgres", table="postgres_projects")
report("introspect", *(f"{row.column_name}={row.type_name}" for row in columns if row.column_name in ("create_time", "name", "status")))
report("keys", *cursor.primaryKeys(schema="postgres", table="postgres_projects"))
report("indexes", *cursor.statistics(schema="postgres", table="postgres_projects"))
report("types", *(row.type_name for row in cursor.getTypeInfo() if row.type_name in ("int8", "text", "timestamptz", "bool")))

try:
    cursor.execute(WRONG)
except pyodbc.Error as error:
    report("error", error.args[0])

canceled = until_canceled(lambda: cursor.execute(SLOW), cursor.cancel)
report("cancel", canceled.args[0])
report("afterwards", cursor.execute("SELECT 1").fetchval())

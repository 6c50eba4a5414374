"""pgcli: what it asks for its completion when it starts, and statements as its prompt runs them."""

from pgcli.pgexecute import PGExecute
from pgspecial.main import PGSpecial
from story import DATABASE, EXEC, HOST, PORT, QUERY, USER, report

special = PGSpecial()  # its commands, whose statements are not psql's
pgcli = PGExecute(database=DATABASE, user=USER, password="", host=HOST, port=PORT)


def run(statement):
    """Return the values of a statement, as the prompt has them."""
    return [value for _, rows, *_ in pgcli.run(statement, special) if rows for row in rows for value in row]


report("connect", *run("SELECT current_database()"))
report("query", *run(QUERY))
report("exec", run(EXEC)[0][:3])
report("databases", *pgcli.databases())
report("search path", *pgcli.search_path())
report("schemas", *(name for name in pgcli.schemata() if name in ("compute", "postgres")))
report("tables", *(table for schema, table in pgcli.tables() if schema == "postgres" and table.startswith("postgres_p")))
report("views", *(view for schema, view in pgcli.views() if schema == "postgres" and view.startswith("vw_e")))
columns = [column for column in pgcli.table_columns() if column[:2] == ("postgres", "postgres_projects")]
report("introspect", *sorted(f"{column[2]}={column[3]}" for column in columns if column[2] in ("create_time", "name", "status")))
report("foreign keys", *pgcli.foreignkeys())
report("functions", *pgcli.functions())
report("\\l", *run("\\l")[:2])
report("\\dn", *run("\\dn postgres"))
report("\\dt", *run("\\dt postgres.postgres_p*"))
report("\\dv", *run("\\dv postgres.vw_e*"))
report("\\d", *run("\\d workspace.secret_scopes"))
report("\\df", *run("\\df"))
report("\\du", *run("\\du"))

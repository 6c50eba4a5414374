"""SQLAlchemy over psycopg 2: reflection, which BI tools and notebooks begin with, and the ORM's expressions."""

import sqlalchemy
from sqlalchemy import MetaData, Table, bindparam, create_engine, inspect, select, text
from story import DATABASE, EXEC, HOST, PORT, QUERY, ROWS, USER, WRONG, report

engine = create_engine(f"postgresql+psycopg2://{USER}@{HOST}:{PORT}/{DATABASE}", future=True)
with engine.connect() as conn:
    report("connect", conn.scalar(text("SELECT current_database()")))
    report("version", engine.dialect.server_version_info[0], engine.dialect.default_schema_name)
    report("query", *conn.execute(text(QUERY)).one())

    found = inspect(conn)
    report("schemas", *(name for name in found.get_schema_names() if name in ("postgres", "compute", "information_schema")))
    report("tables", *(name for name in found.get_table_names("postgres") if name.startswith("postgres_p")))
    report("views", *(name for name in found.get_view_names("postgres") if name.startswith("vw_e")))
    columns = found.get_columns("postgres_projects", "postgres")
    names = {"TIMESTAMP": "timestamp with time zone", "TEXT": "text", "JSONB": "jsonb"}
    report("introspect", *(f"{c['name']}={names[str(c['type'])]}" for c in columns if c["name"] in ("create_time", "name", "status")))
    report("comment", found.get_table_comment("postgres_branches", "postgres")["text"])
    report("keys", found.get_pk_constraint("postgres_projects", "postgres")["constrained_columns"], found.get_foreign_keys("postgres_projects", "postgres"),
           found.get_indexes("postgres_projects", "postgres"), found.get_unique_constraints("postgres_projects", "postgres"))

    projects = Table("postgres_projects", MetaData(), schema="postgres", autoload_with=conn)
    name = projects.c.name
    query = select(name, bindparam("nothing", None)).where(name == "projects/orders").order_by(name).limit(1)
    report("parameters", *conn.execute(query).one())

    report("exec", conn.execute(text(EXEC)).one()[0][:3])

with engine.connect().execution_options(stream_results=True, max_row_buffer=3) as conn:
    report("cursor", *conn.execute(text(ROWS)).scalars())

with engine.connect() as conn:
    try:
        conn.execute(text(WRONG))
    except sqlalchemy.exc.DBAPIError as error:
        report("error", error.orig.pgcode, error.orig.diag.statement_position)
    conn.rollback()
    report("afterwards", conn.scalar(text("SELECT 1")))

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.postgresql.util.PSQLException;

/** JDBC: prepared statements, a fetch size, time-outs, and DatabaseMetaData, which BI tools and IDEs begin with. */
final class Client {
    private static final Map<String, String> ENV = System.getenv();

    /** Prints a line of the report. */
    private static void report(String step, Object... values) {
        List<String> texts = new ArrayList<>();
        for (Object value : values) {
            texts.add(text(value));
        }
        System.out.println(step + ": " + String.join(" ", texts));
    }

    /** Writes a value the same way for every client. */
    private static String text(Object value) {
        if (value instanceof OffsetDateTime time) {
            return time.withOffsetSameInstant(ZoneOffset.UTC).toString();
        }
        if (value instanceof Double number && number == Math.rint(number)) {
            return String.valueOf(number.longValue());
        }
        return String.valueOf(value);
    }

    /** Returns the values of all rows. */
    private static Object[] values(ResultSet rows) throws SQLException {
        List<Object> all = new ArrayList<>();
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
            for (int i = 1; i <= columns; i++) {
                boolean time = rows.getMetaData().getColumnType(i) == Types.TIMESTAMP;
                all.add(time ? rows.getObject(i, OffsetDateTime.class) : rows.getObject(i));
            }
        }
        return all.toArray();
    }

    /** Returns some columns of each row whose first column is wanted, joined by =. */
    private static Object[] named(ResultSet rows, Set<String> wanted, String... columns) throws SQLException {
        List<Object> all = new ArrayList<>();
        while (rows.next()) {
            List<String> parts = new ArrayList<>();
            for (String column : columns) {
                parts.add(rows.getString(column));
            }
            if (wanted.isEmpty() || wanted.contains(parts.get(0))) {
                all.add(String.join("=", parts));
            }
        }
        return all.toArray();
    }

    /** Returns the SQLSTATE of a statement that fails. */
    private static PSQLException failure(Statement statement, String text) throws SQLException {
        try {
            statement.execute(text);
        } catch (PSQLException e) {
            return e;
        }
        throw new IllegalStateException("no error");
    }

    public static void main(String[] args) throws Exception {
        String url = "jdbc:postgresql://" + ENV.get("PGHOST") + ":" + ENV.get("PGPORT") + "/" + ENV.get("PGDATABASE");
        try (Connection conn = DriverManager.getConnection(url, ENV.get("PGUSER"), null); Statement statement = conn.createStatement()) {
            report("connect", values(statement.executeQuery("SELECT current_database()")));
            report("query", values(statement.executeQuery(ENV.get("QUERY"))));

            // From the sixth run on the driver asks for binary values.
            String byName = "SELECT name, ? FROM postgres.postgres_projects WHERE name = ?";
            try (PreparedStatement prepared = conn.prepareStatement(byName)) {
                prepared.setNull(1, Types.VARCHAR);
                prepared.setString(2, "projects/orders");
                report("parameters", values(prepared.executeQuery()));
            }
            try (PreparedStatement prepared = conn.prepareStatement("SELECT ? + 1, ?::float8, ?::bool, ?::timestamptz, job_id FROM jobs.jobs WHERE job_id = ?")) {
                for (int i = 0; i < 6; i++) {
                    prepared.setInt(1, 41);
                    prepared.setDouble(2, 0.5);
                    prepared.setBoolean(3, true);
                    prepared.setObject(4, OffsetDateTime.parse("2025-02-25T09:14:36Z"));
                    prepared.setLong(5, 512040318700101L);
                    if (i == 0 || i == 5) {
                        report(i == 0 ? "typed" : "typed, binary", values(prepared.executeQuery()));
                    } else {
                        prepared.executeQuery();
                    }
                }
            }
            try (PreparedStatement prepared = conn.prepareStatement(ENV.get("QUERY"))) {
                for (int i = 0; i < 6; i++) {
                    prepared.executeQuery();
                }
                report("binary", values(prepared.executeQuery()));
            }
            report("exec", values(statement.executeQuery(ENV.get("EXEC")))[0].toString().substring(0, 3));

            conn.setAutoCommit(false);
            try (PreparedStatement prepared = conn.prepareStatement(ENV.get("ROWS"))) {
                prepared.setFetchSize(3);
                report("cursor", values(prepared.executeQuery()));
            }
            conn.commit();
            conn.setAutoCommit(true);

            metadata(conn.getMetaData());

            PSQLException wrong = failure(statement, ENV.get("WRONG"));
            report("error", wrong.getSQLState(), wrong.getServerErrorMessage().getPosition());
            statement.setQueryTimeout(1);
            report("cancel", failure(statement, ENV.get("SLOW")).getSQLState());
            statement.setQueryTimeout(0);
            report("afterwards", values(statement.executeQuery("SELECT 1")));
        }
    }

    private static void metadata(DatabaseMetaData data) throws SQLException {
        report("product", data.getDatabaseProductName(), data.getDatabaseMajorVersion());
        report("catalogs", named(data.getCatalogs(), Set.of(), "TABLE_CAT"));
        report("schemas", named(data.getSchemas(), Set.of("compute", "pg_catalog", "postgres"), "TABLE_SCHEM"));
        String[] kinds = {"TABLE", "VIEW"};
        report("tables", named(data.getTables(null, "postgres", "%e%ts", kinds), Set.of(), "TABLE_NAME", "TABLE_TYPE"));
        report("table types", named(data.getTableTypes(), Set.of("TABLE", "VIEW"), "TABLE_TYPE"));
        Set<String> some = Set.of("create_time", "name", "status");
        report("introspect", named(data.getColumns(null, "postgres", "postgres_projects", "%"), some, "COLUMN_NAME", "TYPE_NAME"));
        report("primary keys", named(data.getPrimaryKeys(null, "postgres", "postgres_projects"), Set.of(), "COLUMN_NAME"));
        report("imported keys", named(data.getImportedKeys(null, "postgres", "postgres_projects"), Set.of(), "FKCOLUMN_NAME"));
        report("exported keys", named(data.getExportedKeys(null, "postgres", "postgres_projects"), Set.of(), "FKCOLUMN_NAME"));
        report("indexes", named(data.getIndexInfo(null, "postgres", "postgres_projects", false, false), Set.of(), "INDEX_NAME"));
        report("best row", named(data.getBestRowIdentifier(null, "postgres", "postgres_projects", 0, true), Set.of(), "COLUMN_NAME"));
        report("privileges", named(data.getTablePrivileges(null, "postgres", "postgres_projects"), Set.of(), "PRIVILEGE"));
        report("types", named(data.getTypeInfo(), Set.of("bool", "int8", "jsonb", "timestamptz"), "TYPE_NAME"));
        report("functions", named(data.getFunctions(null, "postgres", "%"), Set.of(), "FUNCTION_NAME"));
        report("procedures", named(data.getProcedures(null, "postgres", "%"), Set.of(), "PROCEDURE_NAME"));
        report("user types", named(data.getUDTs(null, "postgres", "%", null), Set.of(), "TYPE_NAME"));
        report("keywords", List.of(data.getSQLKeywords().split(",")).contains("limit"));
    }
}

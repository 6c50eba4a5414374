package statement

import "testing"

func TestEffects(t *testing.T) {
	t.Parallel()
	const credentials = "databricks_workspace.postgres.postgres_credentials"
	for text, want := range map[string]Effect{
		"SELECT 1":                      Reads,
		"WITH w AS (SELECT 1) SELECT 1": Reads,
		"VALUES (1)":                    Reads,
		"SHOW PROVIDERS":                Reads,
		"DESCRIBE " + credentials:       Reads,
		"REGISTRY LIST":                 Reads,
		"NATIVEQUERY 'SELECT 1'":        Reads,
		"EXPLAIN DELETE FROM " + credentials + " WHERE a = 1":                  Reads,
		"EXPLAIN ANALYZE SELECT 1":                                             Reads,
		"EXPLAIN ANALYZE DELETE FROM " + credentials + " WHERE a = 1":          Changes,
		"EXPLAIN ANALYZE EXEC " + credentials + ".generate":                    Changes,
		"/* a */ explain /* b */ analyze -- c\n exec " + credentials + ".x":    Changes,
		"SET on_error = 'partial'":                                             Sets,
		"USE databricks_workspace":                                             Sets,
		"SLEEP 1":                                                              Sets,
		"EXEC " + credentials + ".generate":                                    Changes,
		"INSERT INTO t (a) VALUES (1)":                                         Changes,
		"REPLACE INTO t (a) VALUES (1)":                                        Changes,
		"UPDATE t SET a = 1":                                                   Changes,
		"DELETE FROM t":                                                        Changes,
		"WITH w AS (SELECT 1 AS a) DELETE FROM t WHERE a IN (SELECT a FROM w)": Changes,
		"WITH w AS (SELECT 1 AS a) INSERT INTO t SELECT a FROM w":              Changes,
		"CREATE TEMP VIEW v AS SELECT 1":                                       Changes,
		"REFRESH MATERIALIZED VIEW v":                                          Changes,
		"DROP TABLE t":                                                         Changes,
	} {
		statements, err := Parse(text)
		if err != nil || len(statements) != 1 {
			t.Errorf("%s: %d statements, %v", text, len(statements), err)
			continue
		}
		if got := EffectOf(statements[0]); got != want {
			t.Errorf("%s: effect %d, want %d", text, got, want)
		}
		if got := (Scope{}).MayChange("SELECT 1; " + text); got != (want == Changes) {
			t.Errorf("%s behind another: %v", text, got)
		}
	}
	if (Scope{}).MayChange("DELETE FROM") || (Scope{}).MayChange("") {
		t.Error("a text that does not run changes something")
	}
}

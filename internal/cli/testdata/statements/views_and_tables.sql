-- flags: -o csv
CREATE VIEW branches AS SELECT parent AS project, name, status ->> '$.logical_size_bytes' AS bytes
FROM databricks_workspace.postgres.postgres_branches WHERE project_id IN ('orders', 'p');
SELECT project, count(*), max(bytes) FROM branches GROUP BY 1 ORDER BY 1;

CREATE MATERIALIZED VIEW sizes AS SELECT project, sum(bytes) AS bytes FROM branches GROUP BY 1;
SELECT * FROM sizes ORDER BY 1;
REFRESH MATERIALIZED VIEW sizes;
SELECT s.project, s.bytes, p.uid FROM sizes s JOIN databricks_workspace.postgres.postgres_projects p ON p.name = s.project ORDER BY 1;

CREATE TABLE teams (project TEXT, team TEXT);
INSERT INTO teams VALUES ('projects/orders', 'shop'), ('projects/p', 'platform'), ('projects/gone', 'nobody');
SELECT t.team, p.status ->> '$.display_name' AS project FROM teams t
LEFT JOIN databricks_workspace.postgres.postgres_projects p ON p.name = t.project ORDER BY 1;

CREATE OR REPLACE VIEW branches AS SELECT team FROM teams;
SELECT * FROM branches ORDER BY 1;
DROP VIEW branches;
DROP MATERIALIZED VIEW sizes;
DROP TABLE teams;

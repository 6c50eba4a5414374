// pg and pg-cursor: the simple protocol without parameters, the extended one with them.

import pg from "pg";
import Cursor from "pg-cursor";
import { report, failure, untilCanceled, QUERY, ROWS, SLOW, WRONG, EXEC } from "./story.js";

const client = new pg.Client();
await client.connect();
const rows = async (query, values) => (await client.query({ text: query, values, rowMode: "array" })).rows;

report("connect", ...(await rows("SELECT current_database()"))[0]);
report("query", ...(await rows(QUERY))[0]);
report("parameters", ...(await rows("SELECT name, $1::text FROM postgres.postgres_projects WHERE name = $2", [null, "projects/orders"]))[0]);

const columns = `SELECT column_name || '=' || data_type FROM information_schema.columns
  WHERE table_schema = $1 AND table_name = $2 AND column_name = ANY($3) ORDER BY column_name`;
report("introspect", ...(await rows(columns, ["postgres", "postgres_projects", ["create_time", "name", "status"]])).flat());

report("exec", (await rows(EXEC))[0][0].slice(0, 3));

const several = await client.query("SELECT 1 AS a; SELECT 2 AS b");
report("several", ...several.map((result) => Object.values(result.rows[0])[0]));

const prepared = { name: "by name", text: "SELECT name FROM postgres.postgres_projects WHERE name = $1" };
for (const name of ["projects/orders", "projects/fleet"]) {
  report(`prepared ${name}`, (await client.query({ ...prepared, values: [name] })).rows.length);
}

const cursor = client.query(new Cursor(ROWS, [], { rowMode: "array" }));
const numbers = [];
for (let part = await cursor.read(3); part.length > 0; part = await cursor.read(3)) numbers.push(...part.flat());
await cursor.close();
report("cursor", ...numbers);

const error = await failure(client.query(WRONG));
report("error", error.code, error.position);

const slow = client.query(SLOW);
const canceled = await untilCanceled(slow, () => new Promise((resolve) => {
  const request = new pg.Connection();
  request.on("connect", () => request.cancel(client.processID, client.secretKey));
  request.on("end", resolve);
  request.connect(client.port, client.host);
}));
report("cancel", canceled.code);

report("afterwards", ...(await rows("SELECT 1"))[0]);
await client.end();

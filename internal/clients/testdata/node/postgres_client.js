// postgres: the extended protocol, and types that it asks for when it connects.

import postgres from "postgres";
import { report, failure, pause, PGUSER, QUERY, ROWS, SLOW, WRONG, EXEC } from "./story.js";

const connect = () => postgres({ username: PGUSER, max: 1, onnotice: () => {} });
const sql = connect();
report("connect", ...(await sql`SELECT current_database()`.values())[0]);
report("query", ...(await sql.unsafe(QUERY).values())[0]);
report("parameters", ...(await sql`SELECT name, ${null}::text FROM postgres.postgres_projects WHERE name = ${"projects/orders"}`.values())[0]);

const names = ["create_time", "name", "status"];
const columns = await sql`SELECT column_name || '=' || data_type FROM information_schema.columns
  WHERE table_schema = 'postgres' AND table_name = 'postgres_projects' AND column_name IN ${sql(names)} ORDER BY column_name`.values();
report("introspect", ...columns.flat());

report("exec", (await sql.unsafe(EXEC).values())[0][0].slice(0, 3));

const numbers = [];
for await (const part of sql.unsafe(ROWS).cursor(3)) numbers.push(...part.map((row) => row.job_id));
report("cursor", ...numbers);

const error = await failure(sql.unsafe(WRONG));
report("error", error.code, error.position);

// The library cancels once. If the statement had not begun then, another one is tried.
let canceled;
for (let another = sql; !canceled; another = connect()) {
  await another`SELECT 1`;
  const slow = another.unsafe(SLOW);
  const ended = failure(slow.execute());
  await pause(100);
  slow.cancel();
  canceled = await Promise.race([ended, pause(5000)]);
}
report("cancel", canceled.code);

report("afterwards", ...(await sql`SELECT 1`.values())[0]);
process.exit();

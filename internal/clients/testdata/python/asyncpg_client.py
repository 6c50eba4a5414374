"""asyncpg: the extended protocol, binary values only, types from the server."""

import asyncio
import json

import asyncpg
from story import EXEC, QUERY, ROWS, SLOW, WRONG, report


async def main():
    conn = await asyncpg.connect()
    report("connect", await conn.fetchval("SELECT current_database()"))

    row = list(await conn.fetchrow(QUERY))
    report("query", *row[:5], json.loads(row[5]), row[6])

    row = await conn.fetchrow(
        "SELECT name, $1::text, $2::int8 + 1 FROM postgres.postgres_projects WHERE name = $3", None, 41, "projects/orders"
    )
    report("parameters", *row)

    rows = await conn.fetch(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = $1 AND table_name = $2 AND column_name = ANY($3::text[]) ORDER BY column_name",
        "postgres", "postgres_projects", ["create_time", "name", "status"],
    )
    report("introspect", *("=".join(row) for row in rows))

    report("exec", (await conn.fetchrow(EXEC))[0][:3])

    async with conn.transaction():
        report("cursor", *[row[0] async for row in conn.cursor(ROWS, prefetch=3)])

    prepared = await conn.prepare("SELECT name, create_time, 1::int4 AS one FROM postgres.postgres_projects")
    report("types", *(f"{column.name}={column.type.name}" for column in prepared.get_attributes()))

    try:
        await conn.fetch(WRONG)
    except asyncpg.PostgresError as error:
        report("error", error.sqlstate, error.position)

    try:
        await conn.fetch(SLOW, timeout=0.5)  # it cancels when the time is up
    except TimeoutError:
        report("cancel", "TimeoutError")

    report("afterwards", await conn.fetchval("SELECT 1::int8"))
    await conn.close()

    # A pool resets a connection before another user gets it.
    async with asyncpg.create_pool(min_size=1, max_size=1) as pool:
        report("pool", *[await pool.fetchval("SELECT 1::int8") for _ in range(2)])


asyncio.run(main())

#!/bin/sh
# Shows the first use of lakeql in 80 columns: a password for a Lakebase endpoint, and psql with it.
# `make demo` runs this. It needs no account; with PostgreSQL's programs it logs in to a server.
set -eu
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)

say() { printf '\n# %s\n' "$*"; }
shorten() { sed -E 's/(eyJ[A-Za-z0-9_-]{12})[A-Za-z0-9._-]*/\1…/g'; }

say 'A workspace runs inside the command. A table of its Postgres branches:'
cat <<'END'
$ lakeql exec --emulator "SELECT name, status ->> 'current_state' AS state
    FROM databricks_workspace.postgres.postgres_branches
    WHERE project_id = 'orders'"
END
lakeql exec --emulator "SELECT name, status ->> 'current_state' AS state
    FROM databricks_workspace.postgres.postgres_branches WHERE project_id = 'orders'"

say 'A statement mints a short-lived password for an endpoint (shortened here):'
sed 's/ *$//' "$here/demo.sql"
lakeql exec --emulator -o json -i "$here/demo.sql" | shorten

# programs prints the folder of PostgreSQL's programs; nothing without them.
programs() {
  for dir in $(dirname "$(command -v initdb || echo /)") /usr/lib/postgresql/*/bin /opt/homebrew/bin; do
    if [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ] && command -v psql >/dev/null; then
      echo "$dir"
      return
    fi
  done
}

# PostgreSQL does not run as root; Debian's package makes a user for it.
owner() {
  if [ "$(id -u)" != 0 ]; then
    "$@"
  else
    runuser -u postgres -- "$@"
  fi
}

connect() {
  data=$(mktemp -d)
  if [ "$(id -u)" = 0 ]; then chown postgres "$data"; fi
  emulator=
  trap 'kill ${emulator:-} 2>/dev/null || true; owner "$bin/pg_ctl" -D "$data/db" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$data"' EXIT
  owner "$1/initdb" -D "$data/db" -U postgres -A trust >/dev/null
  port=$((20000 + $$ % 10000))
  last=$((port + 20))
  until owner "$1/pg_ctl" -D "$data/db" -w -l "$data/log" -o "-p $port -c listen_addresses=127.0.0.1 -k $data" start >/dev/null 2>&1; do
    if [ "$port" = "$last" ]; then cat "$data/log" >&2; exit 1; fi
    port=$((port + 1)) # another program may have the port
  done
  lakeql emulator --postgres "host=127.0.0.1 port=$port user=postgres dbname=postgres" >"$data/emulator" 2>&1 &
  emulator=$!
  until grep -q DATABRICKS_TOKEN "$data/emulator"; do
    if ! kill -0 "$emulator"; then cat "$data/emulator"; exit 1; fi
    sleep 0.1
  done
  eval "$(grep -E '^ *export ' "$data/emulator")"
  say 'The password opens the endpoint. lakeql psql finds it, mints, and connects:'
  echo "\$ lakeql psql orders -- -c 'SELECT current_user, current_database()'"
  lakeql psql orders --endpoint-port "$port" -- -X -P pager=off -c 'SELECT current_user, current_database()'
}

bin=$(programs)
if [ -n "$bin" ]; then
  connect "$bin"
else
  say 'With psql and a PostgreSQL server here, this would log in with the password.'
fi

cat <<'END'

# Next, with your workspace (~/.databrickscfg, or DATABRICKS_HOST and _TOKEN):
$ lakeql psql                   # psql in your Lakebase endpoint
$ lakeql shell                  # statements at a prompt; \? lists the commands
$ lakeql exec "SHOW RESOURCES LIKE '%endpoint%'"
END

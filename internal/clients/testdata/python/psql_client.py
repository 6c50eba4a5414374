"""psql: its commands, a cursor, \\copy, \\watch, and Ctrl-C."""

import signal
import subprocess

from story import EXEC, QUERY, ROWS, SLOW, WRONG, report

PSQL = ["psql", "-X", "-A", "-t", "-q", "-F", " ", "-R", ", ", "-P", "null=null", "-v", "VERBOSITY=verbose"]


def start(script, *flags):
    """Start psql, and give it a script."""
    process = subprocess.Popen(
        [*PSQL, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # until psql itself handles it
    )
    process.stdin.write(script)
    process.stdin.flush()
    return process


def run(script, *flags):
    """Run psql with a script. Return what it prints, errors too, on one line."""
    out, err = start(script, *flags).communicate()
    return ", ".join((out + err).strip().splitlines())


report("connect", run("SELECT current_database();"))
report("query", run(QUERY + ";"))
report("parameters", run("\\set name projects/orders\nSELECT name, NULL FROM postgres.postgres_projects WHERE name = :'name';"))
report("exec", run(EXEC + ";")[:3])
report("cursor", run(f"BEGIN; DECLARE jobs CURSOR FOR {ROWS}; FETCH 3 FROM jobs; FETCH ALL FROM jobs; COMMIT;", "-v", "VERBOSITY=terse"))
report("fetch count", run(ROWS + ";", "-v", "FETCH_COUNT=3"))

# What a person types to find out what there is.
report("\\l", run("\\l"))
report("\\dn", run("\\dn postgres"))
report("\\dt", run("\\dt postgres.*proj*"))
report("\\dv", run("\\dv postgres.*end*"))
report("\\d", run("\\d workspace.secret_scopes"))
report("\\d+", run("\\d+ workspace.secret_scopes"))
report("\\df", run("\\df"))
report("\\du", run("\\du"))
report("\\gdesc", run("SELECT name, create_time, status, 1 AS one FROM postgres.postgres_projects \\gdesc"))
report("\\copy", run("\\copy (SELECT name, 'a\"b' AS q, NULL AS n FROM postgres.postgres_projects ORDER BY name LIMIT 2) TO STDOUT WITH (FORMAT csv, HEADER)"))

report("error", run(WRONG + ";"))

# Every other command that lists objects is answered too, if only by an empty list.
rest = [f"\\{name}" for name in (
    "d da dA dA+ db dc dC ddp dD des det deu dew df+ dF dg di dL dm dn+ do dO dp drds dRp ds dt+ dT du+ dx dX dy l+ z dconfig dti+"
).split()]
report("refused", *(part for part in run("\n".join(rest)).split(", ") if "ERROR" in part))

# \\watch repeats a statement until Ctrl-C, which also cancels one that runs.
watching = start("SELECT 'again'\\watch 0.02\n")
report("\\watch", *(watching.stdout.readline().strip() for _ in range(2)))
watching.send_signal(signal.SIGINT)
watching.communicate()

running = start(SLOW + ";\n")
running.stdin.close()
while running.poll() is None:
    running.send_signal(signal.SIGINT)
    try:
        running.wait(0.05)
    except subprocess.TimeoutExpired:
        pass
report("cancel", "57014" if "ERROR:  57014:" in running.stderr.read() else "no")

"""The statements that every client of Python runs, and the report that it prints.

PGHOST, PGPORT, PGUSER and PGDATABASE say where the server is. The other variables hold the
statements that all clients run, in every language.
"""

import datetime
import decimal
import json
import os
import threading

HOST = os.environ["PGHOST"]
PORT = int(os.environ["PGPORT"])
USER = os.environ["PGUSER"]
DATABASE = os.environ["PGDATABASE"]

QUERY = os.environ["QUERY"]  # one row, with a column of each common type
ROWS = os.environ["ROWS"]  # several rows, one number each
SLOW = os.environ["SLOW"]  # runs until it is canceled
WRONG = os.environ["WRONG"]  # names a column that there is none of
EXEC = os.environ["EXEC"]  # makes a credential


def text(value):
    """Write a value the same way for every client."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float() | decimal.Decimal():
            return f"{value:g}"
        case datetime.datetime():
            return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case dict():
            return json.dumps(value, sort_keys=True, separators=(",", ":"))
    return str(value)


def report(step, *values):
    """Print a line of the report."""
    print(step + ":", " ".join(text(value) for value in values), flush=True)


def until_canceled(run, cancel):
    """Run a statement on a thread, and cancel until it ends. Return what it raised."""
    raised = []

    def statement():
        try:
            run()
        except Exception as error:  # each client has errors of its own
            raised.append(error)

    thread = threading.Thread(target=statement)
    thread.start()
    while thread.is_alive():
        cancel()
        thread.join(0.05)
    return raised[0]

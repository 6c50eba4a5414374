"""Runs a command with its arguments as a task of a job.

Files of a workspace cannot be executed where they are, so this runs a copy on the disk of the cluster.
"""

import os
import shutil
import subprocess
import sys
import tempfile


def main(binary, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        command = shutil.copy(binary, os.path.join(folder, "lakeql"))
        os.chmod(command, 0o700)
        return subprocess.call([command, *arguments], env={**os.environ, "HOME": folder})


if __name__ == "__main__":
    status = main(*sys.argv[1:])
    if status != 0:  # a task that exits with 0 by sys.exit counts as failed in some runtimes
        sys.exit(status)

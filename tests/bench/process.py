"""A helper process of a benchmark: bytes in, its last line of output back."""

import subprocess
import sys


def ask(module: str, job: bytes) -> str:
    """Run `python -m module` with `job` on its standard input."""
    done = subprocess.run([sys.executable, "-m", module], input=job, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr.decode()}")
    return done.stdout.decode().splitlines()[-1]

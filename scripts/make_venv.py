"""Make a virtual environment with pip in it, also where Python comes without `ensurepip`."""

import importlib.util
import os
import subprocess
import sys
import tempfile


def main(path: str) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before the project's own requirement is checked
        sys.exit(f"Replicon needs Python 3.11 or newer, this is {sys.version.split()[0]}; try make PYTHON=python3.12")
    if importlib.util.find_spec("ensurepip"):
        sys.exit(subprocess.call([sys.executable, "-m", "venv", "--clear", path]))
    # A distribution's Python without its venv package; a target directory is allowed where it manages its own packages.
    with tempfile.TemporaryDirectory() as tools:
        install = [sys.executable, "-m", "pip", "install", "-qq", "--target", tools, "virtualenv"]
        if subprocess.call(install):
            sys.exit("this Python has no ensurepip and virtualenv could not be installed: install its venv package")
        environment = {**os.environ, "PYTHONPATH": tools}
        sys.exit(subprocess.call([sys.executable, "-m", "virtualenv", "--quiet", "--clear", path], env=environment))


if __name__ == "__main__":
    main(sys.argv[1])

r"""Start the app and open the browser; creates the environment and installs requirements first if needed.

    python3 scripts/start.py            (Windows: py scripts\start.py)
    python3 scripts/start.py -- --server.port 8600

What follows "--" goes to ``streamlit run``. Stop with Ctrl+C.
"""

from __future__ import annotations

import argparse
import os
import subprocess

from _environment import ROOT, fail, prepare, require_python


def main() -> int:
    """Run the app until it is stopped; returns its exit status, unless this process becomes the app."""
    require_python()
    parser = argparse.ArgumentParser(description="Open the app in the browser.")
    parser.add_argument("streamlit", nargs="*", help='arguments for "streamlit run", after "--"')
    arguments = parser.parse_args()
    home = ROOT / "Home.py"
    if not home.is_file():
        fail(f"{home} is missing; run this from a whole clone.")
    python = prepare(["requirements.txt"])
    command = [str(python), "-m", "streamlit", "run", str(home), "--server.showEmailPrompt=false", *arguments.streamlit]
    os.chdir(ROOT)
    if os.name != "nt":
        os.execv(command[0], command)  # replaces this process, so that stopping it stops the app
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    raise SystemExit(main())

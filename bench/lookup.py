#!/usr/bin/env python3
"""
Online look-up of one record against a county's register: makes the county, links it, and runs bench_lookup on it.

    ./dev bench lookup [LOOKUPS]
"""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDRED = os.environ.get("KINDRED", str(ROOT / "build/kindred"))
BUILD = pathlib.Path(os.environ.get("KINDRED_BENCH_BUILD", ROOT / "build/bench"))


def kindred(*arguments):
    subprocess.run([KINDRED, *map(str, arguments)], stdout=subprocess.DEVNULL, check=True)


with tempfile.TemporaryDirectory(prefix="kindred-bench.") as folder:
    feeds, register = pathlib.Path(folder, "feeds"), pathlib.Path(folder, "register")
    kindred("simulate", "--division", "610829", "--errors", "hard", "--out", feeds)
    kindred("init", register)
    kindred("import", "--register", register, feeds / "manifest.yaml")
    kindred("link", "--register", register)
    sys.exit(subprocess.run([BUILD / "bench/bench_lookup", register, *sys.argv[1:]], check=False).returncode)

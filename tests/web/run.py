#!/usr/bin/env python3
"""What people do with the console, in Chromium: each scenario of scenarios/ is a test. KINDRED_PICTURES keeps the pictures."""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "api"))
import app as application  # noqa: E402
from app import harness  # noqa: E402


def scenario(file):
    def test(folder, database):
        pictures = pathlib.Path(os.environ.get("KINDRED_PICTURES", folder / "pictures"))
        pictures.mkdir(parents=True, exist_ok=True)
        with application.running(folder, database, "--web", os.environ.get("KINDRED_WEB", harness.ROOT / "web/dist")) as app:
            done = subprocess.run(["node", file], capture_output=True, text=True, check=False, timeout=600, cwd=HERE, env={
                **os.environ, "KINDRED_ADDRESS": f"http://{app.host}:{app.port}", "KINDRED_PASSWORD": application.PASSWORD,
                "KINDRED_PICTURES": str(pictures), "KINDRED_VILLAGE": app.village, "KINDRED_FEEDS": str(next(folder.glob("feeds-*")))})
            print("".join(f"# {line}\n" for line in (done.stdout + done.stderr).splitlines()), end="", flush=True)
            assert done.returncode == 0, done.stderr[-3000:]

    test.__name__ = file.stem
    return test


if __name__ == "__main__":
    files = sorted((HERE / "scenarios").glob("*.mjs"))
    chosen = [f for f in files if not sys.argv[1:] or f.stem in sys.argv[1:]]
    harness.run_tests(*[harness.on_each_database(scenario(f))[0] for f in chosen])

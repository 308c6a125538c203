#!/usr/bin/env python3
"""
What people do with the console, in Chromium: each scenario of scenarios/ is a test, one after another over one register and server.

    run.py [SCENARIO…]

KINDRED_PICTURES keeps pictures of every page; those of the README are taken anew where they stand.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "api"))
import app as application  # noqa: E402
from app import harness  # noqa: E402


def scenario(file, app, environment):
    def test(_):
        done = subprocess.run(["node", file], capture_output=True, text=True, check=False, timeout=600, cwd=HERE, env=environment)
        print("".join(f"# {line}\n" for line in (done.stdout + done.stderr).splitlines()), end="", flush=True)
        assert done.returncode == 0, f"{done.stderr[-3000:]}\n{app.log_text()[-1000:]}"

    test.__name__ = file.stem
    return test


def main():
    files = [f for f in sorted((HERE / "scenarios").glob("*.mjs")) if not sys.argv[1:] or f.stem in sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="kindred-web.") as name:
        folder = pathlib.Path(name)
        pictures = os.environ.get("KINDRED_PICTURES", "")
        if pictures:
            pathlib.Path(pictures).mkdir(parents=True, exist_ok=True)
        with harness.Sqlite(folder) as database, application.running(
                folder, database, "--web", os.environ.get("KINDRED_WEB", harness.ROOT / "web/dist"), "--rate", "0") as app:
            environment = {
                **os.environ, "KINDRED_ADDRESS": f"http://{app.host}:{app.port}", "KINDRED_PASSWORD": application.PASSWORD,
                "KINDRED_PICTURES": pictures, "KINDRED_README_PICTURES": str(harness.ROOT / "docs/pictures"),
                "KINDRED_VILLAGE": app.village, "KINDRED_FEEDS": str(next(folder.glob("feeds-*")))}
            harness.run_tests(*[scenario(file, app, environment) for file in files])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The example client does an office's work: it takes every notice once, and the family sees the answer."""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "api")]
import app as application  # noqa: E402
from app import COUNTY, harness  # noqa: E402
from births import NEEDED, register  # noqa: E402
from kindred_client import Client, Problem  # noqa: E402


def an_office_takes_and_answers_its_notices(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk, admin = app.client("township_clerk"), app.client("administrator")
        births = [register(clerk, NEEDED) for _ in range(5)]
        office = admin.post("/api/accounts", {"login": "hukou", "name": "户籍", "roles": ["office_system"], "areas": [COUNTY],
                                              "is_system": True}).json["account"]
        token = admin.post("/api/tokens", {"account_id": office["id"], "title": "户籍", "scopes": ["notice.answer"], "days": 1,
                                           "rate_per_minute": 60}).json["secret"]
        decide = folder / "decide"
        decide.write_text("#!/bin/sh\ncat >/dev/null\necho 已受理\n", encoding="utf-8")
        decide.chmod(0o755)
        address = f"http://{app.host}:{app.port}"
        command = [sys.executable, HERE.parent.parent / "api/kindred_client.py", address, "household_registration", decide]
        environment = {**os.environ, "KINDRED_TOKEN": token}
        assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip() == "5"
        assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip() == "0"
        for birth in births:
            notices = clerk.get(f"/api/births/{birth['id']}").json["notices"]
            assert {n["state"] for n in notices if n["office"] == "household_registration"} == {"accepted"}
            assert {n["state"] for n in notices if n["office"] != "household_registration"} == {"waiting"}
        try:
            Client(address, token, "registration").find("张")
            raise AssertionError("an office's token found a person")
        except Problem as problem:
            assert problem.status == 403, problem


if __name__ == "__main__":
    harness.run_tests(*harness.on_each_database(an_office_takes_and_answers_its_notices))

#!/usr/bin/env python3
"""
The API fuzzed from its own contract with schemathesis: whatever is sent, no 5xx, no undocumented status, type or body, nothing wrong
taken for right. KINDRED_SCHEMATHESIS names the program `st`.
"""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import app as application  # noqa: E402
from app import Client, harness  # noqa: E402

# ignored_auth is left out: it spoils the cookie and leaves the token, which is enough. roles.py asks as nobody.
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
          "response_schema_conformance,negative_data_rejection,unsupported_method")
EXAMPLES = os.environ.get("KINDRED_FUZZ_EXAMPLES", "6")
# Ends the session, closes the account that fuzzes, or never ends.
NOT_FUZZED = ("watchJob", "signIn", "signOut", "changePassword", "changeAccount", "resetAccount", "revokeToken", "rotateToken")
# A role that may use each operation; the rest of the contract is a role's that is named `*`.
STAFF = {"data_steward": "stewardship", "township_clerk": "registration", "administrator": "audit"}


def token_of(app, admin, role):
    made = admin.post("/api/accounts", {"login": f"fuzz.{role}", "name": "fuzz", "roles": [role], "is_system": True,
                                        "areas": ["000000000000"]})
    assert made.status == 201, made
    permissions = next(r["permissions"] for r in admin.get("/api/roles").json["items"] if r["name"] == role)
    token = admin.post("/api/tokens", {"account_id": made.json["account"]["id"], "title": "fuzz", "scopes": permissions[:32], "days": 1,
                                       "rate_per_minute": 100000})
    assert token.status == 201, token
    return token.json["secret"]


def fuzzed_as(role):
    def test(folder, database):
        with application.running(folder, database, persons=1500) as app:
            admin = app.client("administrator")
            command = [os.environ.get("KINDRED_SCHEMATHESIS", "st"), "run", str(harness.ROOT / "api/openapi.yaml"),
                       "--url", f"http://{app.host}:{app.port}", "--checks", CHECKS, "--max-examples", EXAMPLES, "--seed", "1",
                       "--phases", "examples,coverage,fuzzing", "--warnings", "off", "--continue-on-failure", "--no-shrink",
                       "--suppress-health-check", "all", "--request-timeout", "30",
                       "-H", f"Authorization: Bearer {token_of(app, admin, role)}", "-H", f"Kindred-Purpose: {STAFF[role]}"]
            for operation in NOT_FUZZED:
                command += ["--exclude-operation-id", operation]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=800)
            assert app.process.poll() is None, f"the server ended: {app.log_text()[-3000:]}"
            assert Client(app).get("/readyz").status == 200
            assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
            print("# " + "\n# ".join(done.stdout.splitlines()[-8:]))

    test.__name__ = f"the_contract_holds_under_fuzz_as_{role}"
    return test


if __name__ == "__main__":
    harness.run_tests(*[harness.on_each_database(fuzzed_as(role))[number % 2] for number, role in enumerate(STAFF)])

#!/usr/bin/env python3
"""
The server keeps api/openapi.yaml: a day's work of every role goes over every route, every answer is held to its schema, and
every operation has answered well at least once.
"""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import app as application  # noqa: E402
from app import COUNTY, TOWNSHIP, Client, harness  # noqa: E402
from openapi import Contract  # noqa: E402
from roles import text_id  # noqa: E402

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"
                    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082")


def ok(answer, *statuses):
    assert answer.status in (statuses or (200, 201, 202, 204)), answer
    return answer.json if answer.body and answer.headers.get("Content-Type", "").startswith("application/json") else answer


def wait_for_job(client, job, state="done"):
    end = time.monotonic() + 120
    while job["state"] in ("waiting", "running"):
        assert time.monotonic() < end, job
        time.sleep(0.1)
        job = ok(client.get(f"/api/jobs/{job['id']}"))
    assert job["state"] == state, job
    return job


def the_steward_works(app, feeds):
    steward = app.client("data_steward")
    ok(steward.get("/api/feeds"))
    batch = ok(steward.get("/api/batches?limit=5"))["items"][0]
    ok(steward.get(f"/api/batches/{batch['id']}"))
    file = next(f for f in sorted(feeds.glob("*.csv")) if f.with_suffix(".bad.csv").exists())
    changed = file.read_bytes() + b"\n"  # another content, so another batch
    for name in ("one.csv", "two.csv"):
        upload = ok(steward.send("POST", f"/api/uploads?name={name}", raw=changed, content_type="application/octet-stream"))
        preview = ok(steward.get(f"/api/uploads/{upload['id']}/preview"))
        assert preview["rows"] > 0 and preview["columns"]
        if name == "one.csv":
            job = ok(steward.post(f"/api/uploads/{upload['id']}/import", {"feed": preview["source"]["feed"]}), 202)
            events = steward.get(f"/api/jobs/{job['id']}/events")
            assert b"event: done" in events.body, events
            wait_for_job(steward, job)
            bad = ok(steward.get("/api/batches?limit=1"))["items"][0]
            assert bad["has_bad_rows"], bad
            assert ok(steward.get(f"/api/batches/{bad['id']}/bad-rows")).body.count(b"\n") > 1
        else:
            ok(steward.delete(f"/api/uploads/{upload['id']}"))
    job = ok(steward.post("/api/jobs/link", {"is_full": True}), 202)
    stopped = steward.delete(f"/api/jobs/{job['id']}")
    assert stopped.status in (202, 409), stopped
    while ok(steward.get(f"/api/jobs/{job['id']}"))["state"] in ("waiting", "running"):
        time.sleep(0.1)
    wait_for_job(steward, ok(steward.post("/api/jobs/link", {"is_full": True}), 202))
    assert ok(steward.get("/api/jobs"))["items"]
    matches = ok(steward.get(f"/api/matches?division={COUNTY}&limit=3"))["items"]
    ok(steward.get(f"/api/matches/{matches[0]['id']}"))
    decided = ok(steward.post(f"/api/matches/{matches[0]['id']}/decision", {"said": "different", "note": "两个人"}))
    ok(steward.delete(f"/api/decisions/{decided['decision_id']}"), 204)
    ok(steward.get("/api/matches/quality"))


def the_village_works(app, database):
    worker, clerk = app.client("village_worker"), app.client("township_clerk")
    ok(worker.get("/api/session"))
    ok(worker.get("/api/today"))
    task = ok(worker.get("/api/tasks?state=open&limit=5"))["items"][0]
    answer = worker.get(f"/api/tasks/{task['id']}")
    detail = ok(answer)
    ok(worker.put(f"/api/tasks/{task['id']}/claim"))
    held = clerk.put(f"/api/tasks/{task['id']}/claim")
    assert held.status == 409 and held.json["holder"], held
    photo = ok(worker.send("POST", f"/api/tasks/{task['id']}/photos", raw=PNG, content_type="image/png"), 201)
    assert worker.get(f"/api/attachments/{photo['id']}").body == PNG
    stale = worker.post(f"/api/tasks/{task['id']}/answer", {"said": "unknown"}, headers={"If-Match": '"0"'})
    assert stale.status == 412, stale
    said = {"value": {"said": "value", "value": (detail["choices"] or [{"value": "测试"}])[0]["value"]}, "same": {"said": "same"},
            "confirmed": {"said": "confirmed"}}[detail["form"]]
    key = "contract-test-answer-1"
    first = worker.post(f"/api/tasks/{task['id']}/answer", said, headers={"If-Match": answer.headers["ETag"]}, key=key)
    ok(first)
    again = worker.post(f"/api/tasks/{task['id']}/answer", said, headers={"If-Match": answer.headers["ETag"]}, key=key)
    assert again.body == first.body, "the same key did the thing twice"
    ok(worker.delete(f"/api/tasks/{task['id']}/claim"), 204)
    ok(clerk.post(f"/api/tasks/{task['id']}/reopen", {"reason": "再问一次"}))


def persons_are_found_and_shown(app, database):
    clerk = app.client("township_clerk")
    row = database.rows("select id, name, name_initials, identity_number from person where state = 'active' and name is not null and "
                        f"identity_number is not null and division >= {TOWNSHIP} and division < {int(TOWNSHIP) + 1000} limit 1")[0]
    person, name, initials, number = text_id(int(row[0])), row[1], row[2], row[3]
    for text in (name, name[:1], initials, number):
        items = ok(clerk.post("/api/persons/lookup", {"text": text, "limit": 50}, key=None))["items"]
        assert items, f"nothing found by {len(text)} characters"
        if text in (name, number):
            assert person in [hit["person"]["id"] for hit in items]
    ok(clerk.get(f"/api/persons?q={application.quoted(name)}"))
    refused = clerk.get(f"/api/persons?q={number}")
    assert refused.status == 422, "an identity number was taken in an address"
    for part in ("", "/timeline", "/family", "/records", "/history", "/accesses"):
        ok(clerk.get(f"/api/persons/{person}{part}"))
    looked = ok(app.client("auditor").get(f"/api/persons/{person}/accesses"))["items"]
    assert {"registration", "audit"} <= {look["purpose"] for look in looked}, looked


def a_birth_is_registered(app):
    clerk, clinician = app.client("township_clerk"), app.client("clinician")
    delivery = ok(clinician.get(f"/api/deliveries?division={COUNTY}&limit=5"))["items"][0]
    declaration = ok(clinician.get(f"/api/deliveries/{delivery['id']}/prefill"))
    assert declaration["birth_date"] == delivery["birth_date"] and declaration["mother"]["name"] == delivery["mother_name"]
    declaration["declarant"] = {"kind": "mother", "name": "测试甲", "is_commitment": True}
    declaration["place"]["division"] = TOWNSHIP
    made = clerk.post("/api/births", declaration)
    birth = ok(made, 201)
    ok(clerk.post("/api/births/review", declaration, key=None))
    saved = clerk.put(f"/api/births/{birth['id']}", {**declaration, "note": "一切顺利"}, headers={"If-Match": made.headers["ETag"]})
    ok(saved)
    registered = clerk.post(f"/api/births/{birth['id']}/register", {}, headers={"If-Match": saved.headers["ETag"]})
    birth = ok(registered)
    assert birth["state"] == "registered" and birth["children"][0]["number"], birth
    ok(clerk.get("/api/births?state=registered"))
    ok(clerk.get(f"/api/births/{birth['id']}"))
    assert clerk.get(f"/api/births/{birth['id']}/confirmation").body.startswith(b"%PDF-")
    declaration["note"] = "更正"
    corrected = clerk.post(f"/api/births/{birth['id']}/correct", {"reason": "写错了", "declaration": declaration},
                           headers={"If-Match": registered.headers["ETag"]})
    ok(corrected)
    offices(app)
    ok(clerk.post(f"/api/births/{birth['id']}/cancel", {"reason": "试验"}, headers={"If-Match": corrected.headers["ETag"]}))


def offices(app):
    """An office's own system, with a token that can do nothing else."""
    admin = app.client("administrator")
    account = ok(admin.post("/api/accounts", {"login": "hukou.system", "name": "户籍系统", "roles": ["office_system"],
                                              "areas": [COUNTY], "is_system": True}), 201)["account"]
    made = ok(admin.post("/api/tokens", {"account_id": account["id"], "title": "户籍", "scopes": ["notice.answer"], "days": 30,
                                         "rate_per_minute": 600}), 201)
    office = Client(app, token=made["secret"], purpose="registration")
    notices = ok(office.post("/api/notices/take", {"office": "household_registration", "limit": 10}))["items"]
    assert notices, "no notice waits for the office"
    ok(office.post(f"/api/notices/{notices[0]['id']}/answer", {"is_accepted": True, "answer": "已受理"}), 204)
    assert office.get("/api/births").status == 403
    rotated = ok(admin.post(f"/api/tokens/{made['token']['id']}/rotate", {"grace_minutes": 0}))
    assert Client(app, token=made["secret"], purpose="registration").get("/api/session").status == 401
    assert Client(app, token=rotated["secret"], purpose="registration").get("/api/session").status == 200
    assert ok(admin.get("/api/tokens"))["items"]
    ok(admin.delete(f"/api/tokens/{made['token']['id']}"), 204)
    assert Client(app, token=rotated["secret"], purpose="registration").get("/api/session").status == 401


def managers_and_administrators_work(app):
    manager, admin, auditor = app.client("county_manager"), app.client("administrator"), app.client("auditor")
    overview = ok(manager.get("/api/overview"))
    assert overview["persons"] > 0 and sum(overview["male"]) > 0 and overview["parts"], overview
    ok(admin.get("/api/roles"))
    made = admin.post("/api/accounts", {"login": "li.si", "name": "李四", "roles": ["village_worker"], "areas": [app.village]})
    account = ok(made, 201)
    assert account["password"]
    new = Client(app, "li.si", account["password"])
    assert new.session["must_change_password"] and new.get("/api/today").status == 403
    ok(new.post("/api/session/password", {"old": account["password"], "new": "River-9-and-hill"}, key=None), 204)
    ok(new.get("/api/today"))
    ok(new.delete("/api/session"), 204)
    at = f"/api/accounts/{account['account']['id']}"
    ok(admin.get("/api/accounts?q=li"))
    shown = admin.get(at)
    ok(admin.patch(at, {"name": "李四（二）"}, headers={"If-Match": shown.headers["ETag"]}))
    assert ok(admin.post(f"{at}/reset"))["password"]
    ok(auditor.get("/api/audit?limit=20"))
    ok(auditor.get("/api/audit?action=person&q=clerk"))
    job = wait_for_job(auditor, ok(auditor.post("/api/audit/verify", key=None), 202))
    assert job["result"]["first_bad_seq"] in (0, None), job


def reference_and_operation(app):
    someone = app.client("township_clerk")
    ok(someone.get("/api/divisions?parent=610800000000"))
    ok(someone.get(f"/api/divisions?q={application.quoted('吴堡')}"))
    ok(someone.get(f"/api/divisions/{COUNTY}"))
    ok(someone.get("/api/codes"))
    nobody = Client(app)
    assert b"openapi: 3.1" in ok(nobody.get("/api/openapi.yaml")).body
    ok(nobody.get("/healthz"))
    ok(nobody.get("/readyz"))
    assert b"kindred_" in ok(nobody.get("/metrics")).body


def every_route_keeps_the_contract(folder, database):
    contract = Contract(harness.ROOT / "api/openapi.yaml")
    with application.running(folder, database, persons=8000, seed=1) as app:
        app.watchers.append(contract.watch)
        the_village_works(app, database)
        persons_are_found_and_shown(app, database)
        a_birth_is_registered(app)
        managers_and_administrators_work(app)
        reference_and_operation(app)
        the_steward_works(app, next(folder.glob("feeds-*")))
    assert not contract.faults, "\n".join(contract.faults)
    never = contract.operations - contract.answered_well
    assert not never, f"these operations never answered well: {sorted(never)}"
    print(f"# {contract.checked} answers held to the contract")


if __name__ == "__main__":
    harness.run_tests(*harness.on_each_database(every_route_keeps_the_contract))

#!/usr/bin/env python3
"""Long work outlives the server: how it ended is known after a crash, and what a crash has cut off is told and can be done again."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import app as application  # noqa: E402
from app import harness  # noqa: E402


def ended(steward, job):
    end = time.monotonic() + 60
    while True:
        answer = steward.get(f"/api/jobs/{job}")
        assert answer.status == 200, answer
        if answer.json["state"] not in ("waiting", "running"):
            return answer.json
        assert time.monotonic() < end, answer
        time.sleep(0.05)


def crash_and_start(app):
    app.stop(kill=True)
    app.port = 0
    app.start()
    return app.client("data_steward")


def a_job_is_known_after_a_crash(folder, database):
    with application.running(folder, database, persons=1500) as app:
        steward = app.client("data_steward")
        file = next((folder / "feeds-1500-5-hard").glob("住院分娩*.csv"))
        upload = steward.send("POST", "/api/uploads?name=again.csv", raw=file.read_bytes(),
                              content_type="application/octet-stream")
        assert upload.status == 201, upload

        cut_off = steward.post("/api/jobs/link", {"is_full": True})
        assert cut_off.status == 202, cut_off
        steward = crash_and_start(app)
        job = steward.get(f"/api/jobs/{cut_off.json['id']}").json
        assert job["state"] == "failed" and job["problem"]["type"] == "urn:kindred:problem:interrupted", job
        assert job["title"] == cut_off.json["title"] and job["by"] == cut_off.json["by"] and job["ended_at"] is None, job

        linked = ended(steward, steward.post("/api/jobs/link", {"is_full": True}).json["id"])
        assert linked["state"] == "done" and linked["result"]["persons"] > 1000, linked
        imported = ended(steward, steward.post(f"/api/uploads/{upload.json['id']}/import", {}).json["id"])
        assert imported["state"] == "done" and imported["result"]["already_imported"], imported
        assert not list((database.register / "uploads").iterdir()), "what was imported is still kept"

        steward = crash_and_start(app)
        for job in (linked, imported):
            assert steward.get(f"/api/jobs/{job['id']}").json == job
        listed = [job["id"] for job in steward.get("/api/jobs").json["items"]]
        assert listed[:3] == [imported["id"], linked["id"], cut_off.json["id"]], listed


if __name__ == "__main__":
    harness.run_tests(*harness.on_each_database(a_job_is_known_after_a_crash))

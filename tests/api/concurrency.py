#!/usr/bin/env python3
"""Of those who do one thing at the same instant exactly one does it; the others are told so, and nothing is there twice."""
import datetime
import pathlib
import re
import sqlite3
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import app as application  # noqa: E402
from app import Client, PASSWORD, TOWNSHIP, harness  # noqa: E402
from births import NEEDED, changed  # noqa: E402
from roles import ALPHABET  # noqa: E402

AT_ONCE, ROUNDS = 4, 5
CLAIM_MINUTES = int(re.search(r"claim_minutes: (\d+)", (harness.ROOT / "packs/cn/access.yaml").read_text(encoding="utf-8")).group(1))


def together(*asks):
    """The answers of all, sent as nearly at once as threads can."""
    gate = threading.Barrier(len(asks))
    answers = [None] * len(asks)

    def one(at):
        gate.wait()
        answers[at] = asks[at]()

    threads = [threading.Thread(target=one, args=(at,)) for at in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def the_winner(answers):
    """One was answered well, the others 409 or 412 with words."""
    won = [at for at, answer in enumerate(answers) if answer.status < 300]
    assert len(won) == 1, answers
    for answer in answers:
        assert answer.status < 300 or answer.status in (409, 412) and answer.json["detail"], answers
    return won[0]


def number_of(text):
    number = 0
    for letter in text:
        number = number << 5 | ALPHABET.index(letter)
    return number


def stewards(app, count):
    """As many accounts with the role, each with its own name and session."""
    for at in range(count):
        harness.kindred("account", "create", "--register", app.register, "--login", f"steward.{at}", "--name", f"管理{at}",
                        "--role", "data_steward", "--area", application.COUNTY, "--password", PASSWORD, "--keep-password")
    return [Client(app, f"steward.{at}", purpose="stewardship") for at in range(count)]


def one_decides_a_pair(database, people):
    matches = people[0].get(f"/api/matches?open=true&limit={ROUNDS}").json["items"]
    assert matches, "the simulated county has no doubtful match"
    words = ("same", "different", "unknown", "same")
    for match in matches:
        path = f"/api/matches/{match['id']}/decision"
        answers = together(*[lambda c=c, said=said: c.post(path, {"said": said}) for c, said in zip(people, words)])
        won = the_winner(answers)
        kept = database.rows(f"select id, decided_by, kind from decision where task_id = {number_of(match['id'])}")
        assert number_of(answers[won].json["decision_id"]) in {int(row[0]) for row in kept}, kept
        assert {row[1] for row in kept} == {people[won].session["account"]["name"]}, kept  # joining may take several
        assert len({row[2] for row in kept}) == 1, kept


def one_holds_a_task(database, people):
    tasks = people[0].get(f"/api/tasks?state=open&limit={ROUNDS}").json["items"]
    for task in tasks:
        path = f"/api/tasks/{task['id']}/claim"
        answers = together(*[lambda c=c: c.put(path) for c in people])
        at = the_winner(answers)
        won = people[at].session["account"]["name"]
        until = datetime.datetime.fromisoformat(answers[at].json["until"].replace("Z", "+00:00"))
        lasts = until - datetime.datetime.now(datetime.timezone.utc)
        assert abs(lasts.total_seconds() - 60 * CLAIM_MINUTES) < 30, lasts
        assert {a.json["holder"] for a in answers if a.status != 200} == {won}, (won, answers)
        assert people[0].get(f"/api/tasks/{task['id']}").json["task"]["held_by"] == won
        assert int(database.scalar(f"select count(*) from claim where object = 'task/{task['id'].lower()}'")) == 1


def one_answers_a_task(database, people):
    for task in people[0].get(f"/api/tasks?state=open&limit={2 * ROUNDS}").json["items"][ROUNDS:]:
        path = f"/api/tasks/{task['id']}"
        tag = people[0].get(path).headers["ETag"]
        answers = together(*[lambda c=c: c.post(f"{path}/answer", {"said": "unknown", "note": c.login},
                                                headers={"If-Match": tag}) for c in people])
        won = people[the_winner(answers)].login
        assert people[0].get(path).json["note"] == won


def one_registers_a_draft(database, clerk):
    for at in range(ROUNDS):
        name = f"测试同时{'甲乙丙丁戊'[at]}"
        made = clerk.post("/api/births", changed(children=[{"name": name}]))
        path, tag = f"/api/births/{made.json['id']}", made.headers["ETag"]
        answers = together(*[lambda: clerk.post(f"{path}/register", {}, headers={"If-Match": tag}) for _ in range(AT_ONCE)])
        number = answers[the_winner(answers)].json["children"][0]["number"]
        birth = clerk.get(path).json
        assert birth["state"] == "registered" and [c["number"] for c in birth["children"]] == [number], birth
        case = number_of(made.json["id"])
        counts = {f"person where name = '{name}' and state = 'active'": 1, f"source_record where name = '{name}'": 1,
                  f"case_action where case_id = {case} and kind = 'registered'": 1, f"notice where case_id = {case}": 3}
        for what, count in counts.items():
            assert int(database.scalar(f"select count(*) from {what}")) == count, what


def a_key_sent_twice_at_once_is_done_once(database, clerk):
    before = database.count("case_file")
    for at in range(ROUNDS):
        answers = together(*[lambda: clerk.post("/api/births", NEEDED, key=f"at-once-{at}") for _ in range(AT_ONCE)])
        ids = {answer.json["id"] for answer in answers if answer.status == 201}
        assert len(ids) == 1 and all(a.status in (201, 409) for a in answers), answers
    assert database.count("case_file") == before + ROUNDS


def one_saves_a_draft(clerk):
    for _ in range(ROUNDS):
        made = clerk.post("/api/births", NEEDED)
        path, tag = f"/api/births/{made.json['id']}", made.headers["ETag"]
        answers = together(*[lambda text=text: clerk.put(path, changed(note=text), headers={"If-Match": tag})
                             for text in ("甲", "乙", "丙")])
        won = "甲乙丙"[the_winner(answers)]
        assert clerk.get(path).json["declaration"]["note"] == won


def of_those_who_act_at_once_one_wins(folder, database):
    with application.running(folder, database, persons=1500) as app:
        people, clerk = stewards(app, AT_ONCE), app.client("township_clerk")
        one_decides_a_pair(database, people)
        one_holds_a_task(database, people)
        one_answers_a_task(database, people)
        one_registers_a_draft(database, clerk)
        a_key_sent_twice_at_once_is_done_once(database, clerk)
        one_saves_a_draft(clerk)
        harness.kindred("audit", "verify", "--register", app.register)


def a_look_does_not_wait_for_a_writer(folder, database):
    """As an import holds SQLite's one writer: people are seen, and who looked stands in the log behind it."""
    with application.running(folder, database, persons=300) as app:
        clerk = app.client("township_clerk")
        person = database.scalar(f"select id from person where state = 'active' and division between {TOWNSHIP} and "
                                 f"{TOWNSHIP[:9]}999 limit 1")
        looks = f"select count(*) from audit where action = 'person.read' and person_id = {person} and is_allowed = 1"
        path = f"/api/persons/{''.join(ALPHABET[int(person) >> shift & 31] for shift in range(60, -1, -5))}"
        writer = sqlite3.connect(database.register / "register.db", isolation_level=None)
        writer.execute("begin immediate")
        began = time.monotonic()
        for _ in range(5):
            answer = clerk.get(path)
            assert answer.status == 200, answer
        assert time.monotonic() - began < 3, "a look waited for the writer"
        assert int(database.scalar(looks)) == 0
        writer.execute("rollback")
        writer.close()
        end = time.monotonic() + 5
        while int(database.scalar(looks)) < 5 and time.monotonic() < end:
            time.sleep(0.1)
        assert int(database.scalar(looks)) == 5, "looks are missing in the log"
        harness.kindred("audit", "verify", "--register", app.register)


if __name__ == "__main__":
    harness.run_tests(*harness.on_each_database(of_those_who_act_at_once_one_wins),
                      harness.on_each_database(a_look_does_not_wait_for_a_writer)[0])

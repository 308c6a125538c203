#!/usr/bin/env python3
"""
The server when things go wrong: slow and silent clients, uploads cut off, the database stopped under load, kill -9 while births are
written, stolen cookies, tricks with paths, names that are scripts or formulas.
"""
import glob
import http.client
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "api"))
import app as application  # noqa: E402
from app import TOWNSHIP, App, Client, harness  # noqa: E402

IDLE = 5000
DECLARATION = {"birth_date": "2026-06-01", "place": {"kind": "home", "division": TOWNSHIP}, "children": [{}],
               "declarant": {"kind": "relative", "name": "测试人"}}


def raw(app, data, timeout=20):
    """What comes back for these bytes, until the server closes or is silent for a second after its answer."""
    with socket.create_connection((app.host, app.port), timeout=timeout) as wire:
        wire.sendall(data)
        answer = b""
        wire.settimeout(timeout)
        try:
            while chunk := wire.recv(65536):
                answer += chunk
                wire.settimeout(1)
        except TimeoutError:
            pass
        return answer


def thousands_of_idle_connections_do_no_harm(folder, database):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    assert limit[1] > IDLE + 200, "this machine allows too few open files"
    with application.running(folder, database, persons=1500) as app:
        idle = []
        try:
            for _ in range(IDLE):
                idle.append(socket.create_connection((app.host, app.port), timeout=10))
            start = time.monotonic()
            clerk = app.client("township_clerk")
            assert clerk.get("/api/today").status == 200
            assert time.monotonic() - start < 10
            assert memory_of(app.process.pid) < 400 << 20
        finally:
            for wire in idle:
                wire.close()


def memory_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]) << 10


def slow_clients_are_let_go_and_hold_up_nobody(folder, database):
    with application.running(folder, database, persons=1500, env={"KINDRED_HTTP_TIMEOUT_S": "2"}) as app:
        clerk = app.client("township_clerk")
        slow = [socket.create_connection((app.host, app.port)) for _ in range(64)]
        for wire in slow:
            wire.sendall(b"POST /api/births HTTP/1.1\r\nHost: a\r\nContent-Le")
        assert clerk.get("/api/today").status == 200
        time.sleep(4)
        for wire in slow:
            wire.settimeout(5)
            answer = wire.recv(4096)
            assert answer == b"" or b" 408 " in answer.split(b"\r\n")[0], answer
            wire.close()


def an_upload_cut_off_leaves_nothing(folder, database):
    with application.running(folder, database, persons=1500) as app:
        steward = app.client("data_steward")
        spool = database.register / "spool"
        before = sorted(p.name for p in spool.rglob("*")) if spool.exists() else []
        with socket.create_connection((app.host, app.port)) as wire:
            wire.sendall((f"POST /api/uploads?name=a.csv HTTP/1.1\r\nHost: {app.host}\r\nCookie: kindred_session={steward.cookie}\r\n"
                          f"Kindred-CSRF: {steward.csrf}\r\nIdempotency-Key: cut-off-upload\r\n"
                          "Content-Type: application/octet-stream\r\nContent-Length: 10000000\r\n\r\n").encode() + b"x" * 300000)
            time.sleep(0.5)
        end = time.monotonic() + 10
        while spool.exists() and sorted(p.name for p in spool.rglob("*")) != before:
            assert time.monotonic() < end, f"half an upload stays: {list(spool.rglob('*'))}"
            time.sleep(0.1)
        assert steward.get("/api/feeds").status == 200


def tricks_with_paths_reach_no_file(folder, database):
    with application.running(folder, database, persons=1500) as app:
        for path in ("/../kindred.yaml", "/%2e%2e/kindred.yaml", "/assets/../../kindred.yaml", "/assets/%2e%2e%2f%2e%2e%2fkindred.yaml",
                     "/..%5c..%5ckindred.yaml", "//etc/passwd", "/assets//../../../etc/passwd", "/%00", "/assets/%00.js", "/.git/config",
                     "/keys/", "/register.db", "/%c0%ae%c0%ae/kindred.yaml", "/" + "a/" * 3000, "*", "http://elsewhere/../kindred.yaml"):
            answer = raw(app, f"GET {path} HTTP/1.1\r\nHost: {app.host}\r\nConnection: close\r\n\r\n".encode())
            status = int(answer.split(b" ")[1])
            assert status < 500, (path, answer[:200])
            for secret in (b"database:", b"root:", b"SQLite format", b"[core]"):
                assert secret not in answer, path


def names_that_are_scripts_or_formulas_stay_names(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        for name in ("<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "=HYPERLINK(\"http://a\",\"b\")", "+1+1", "@SUM(1)",
                     "'; drop table person; --", "{{7*7}}", "%s%n%x", "\u202eabc"):
            made = clerk.post("/api/births", {**DECLARATION, "children": [{"name": name}]})
            if made.status == 422:
                assert made.json["field"].endswith("/name")
                continue
            assert made.status == 201, made
            assert made.headers["Content-Type"].startswith("application/json")
            assert made.headers["X-Content-Type-Options"] == "nosniff"
            assert made.json["declaration"]["children"][0]["name"] == name
        assert int(database.scalar("select count(*) from person")) > 1000
        page = Client(app).get("/")
        assert "default-src '" in page.headers["Content-Security-Policy"]


def a_stolen_or_old_cookie_opens_nothing(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        cookie = clerk.cookie
        assert clerk.send("POST", "/api/births", DECLARATION, headers={"Kindred-CSRF": "wrong"}).status == 403
        assert clerk.send("POST", "/api/births", DECLARATION, headers={"Kindred-CSRF": ""}).status == 403
        assert clerk.delete("/api/session").status == 204
        clerk.cookie = cookie
        assert clerk.get("/api/today").status == 401, "a cookie is good after its session ended"
        for forged in ("", "x", cookie[:-1] + ("A" if cookie[-1] != "A" else "B"), cookie + "A", "%00", "a" * 5000):
            clerk.cookie = forged
            assert clerk.get("/api/today").status in (400, 401, 431), forged[:20]
        for _ in range(30):
            wrong = Client(app).post("/api/session", {"login": "township_clerk.in", "password": "wrong"}, key=None)
            assert wrong.status in (401, 429), wrong
        assert wrong.status == 429, "nobody is locked out"


class Writers:
    """Threads that register births until told to stop, and keep what was acknowledged."""

    def __init__(self, app, count=4):
        self.app, self.acknowledged, self.refused, self.broken = app, [], 0, []
        self.is_over = threading.Event()
        clients = [app.client("township_clerk") for _ in range(count)]
        self.threads = [threading.Thread(target=self.work, args=(client,), daemon=True) for client in clients]
        for thread in self.threads:
            thread.start()

    def work(self, clerk):
        while not self.is_over.is_set():
            try:
                made = clerk.post("/api/births", DECLARATION)
                if made.status == 201:
                    done = clerk.post(f"/api/births/{made.json['id']}/register", {}, headers={"If-Match": made.headers["ETag"]})
                    if done.status == 200:
                        self.acknowledged.append(done.json["children"][0]["number"])
                        continue
                    made = done
                self.refused += 1
                if made.status != 503:
                    self.broken.append(repr(made))
                time.sleep(0.02)
            except (OSError, http.client.HTTPException):
                self.refused += 1
                time.sleep(0.02)

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive(), "a request never ended"


def every_acknowledged_registration_survives_kill_9(folder, database):
    with application.running(folder, database, persons=1500) as app:
        for _ in range(3):
            writers = Writers(app)
            time.sleep(2)
            app.stop(kill=True)
            writers.stop()
            assert writers.acknowledged, "nothing was registered before the kill"
            database.settle()
            kept = {number for number, in database.rows("select number from case_file where number is not null")}
            kept |= set(" ".join(facts for facts, in database.rows("select facts from case_file")).replace('"', " ").split())
            lost = [number for number in writers.acknowledged if number not in kept]
            assert not lost, f"{len(lost)} of {len(writers.acknowledged)} acknowledged registrations are gone"
            database.run("doctor")
            harness.kindred("audit", "verify", "--register", database.register)
            app.start()


class OwnPostgres:
    """A server of the test's own, to be stopped and started."""

    def __init__(self, folder):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kindred-fault-pg."))
        self.bin = pathlib.Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])
        self.user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self.user:
            subprocess.run(["chown", "postgres", self.folder], check=True)
        self.run(self.bin / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "kindred", "--encoding=UTF8", "--locale=C")
        self.url = f"postgresql://kindred@/postgres?host={str(self.folder).replace('/', '%2F')}"

    def run(self, *command):
        subprocess.run([*self.user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60)

    def start(self):
        self.run(self.bin / "pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o",
                 f"-c listen_addresses='' -c unix_socket_directories={self.folder}", "start")
        self.folder.chmod(0o755)

    def stop(self, how="immediate"):
        self.run(self.bin / "pg_ctl", "-D", self.folder / "data", "-w", "-m", how, "stop")


def the_database_may_stop_and_start_under_load(folder):
    own = OwnPostgres(folder)
    own.start()
    try:
        database = harness.Database(folder)
        database.url = own.url
        database.rows = lambda sql: harness.Postgres.psql(own.url, sql)
        with application.running(folder, database, persons=1500) as app:
            writers = Writers(app)
            time.sleep(2)
            before = len(writers.acknowledged)
            assert before, "nothing was registered"
            own.stop()
            time.sleep(1)
            assert Client(app).get("/healthz").status == 200
            assert Client(app).get("/readyz").status == 503
            time.sleep(2)
            own.start()
            end = time.monotonic() + 60
            while len(writers.acknowledged) < before + 20:
                assert time.monotonic() < end, f"the service did not return: {writers.broken[-3:]}"
                time.sleep(0.1)
            writers.stop()
            assert writers.refused, "nobody noticed that the database was away"
            assert not writers.broken, writers.broken[:3]
            kept = int(database.rows("select count(*) from case_file where state = 'registered'")[0][0])
            assert kept >= len(writers.acknowledged), (kept, len(writers.acknowledged))
            harness.kindred("audit", "verify", "--register", database.register)
            assert app.stop() == 0, "the server did not end well"
    finally:
        own.stop()


def it_stops_when_told_with_its_work_done(folder, database):
    with application.running(folder, database, persons=1500) as app:
        writers = Writers(app)
        time.sleep(1)
        app.process.send_signal(signal.SIGTERM)
        assert app.process.wait(30) == 0
        writers.stop()
        assert not writers.broken, writers.broken[:3]


def any_byte_of_the_audit_log_changed_is_named(folder, database):
    with application.running(folder, database, persons=1500) as app:
        clerk = app.client("township_clerk")
        for _ in range(3):
            assert clerk.get("/api/births").status == 200
    harness.kindred("audit", "verify", "--register", database.register)
    rows = int(database.scalar("select max(seq) from audit"))
    middle = rows // 2
    columns = [name for name in ("at", "login", "role", "action", "purpose", "object", "is_allowed", "request_id", "address", "hash")
               if database.scalar(f"select count(*) from audit where seq = {middle} and {name} is not null") not in (0, "0")]
    assert len(columns) >= 6, columns
    for name in columns:
        kept = database.rows(f"select {name} from audit where seq = {middle}")[0][0]
        is_number = name in ("at", "is_allowed")
        database.execute(f"update audit set {name} = " + (f"{name} + 1" if is_number else f"'x' || substr({name}, 2)") +
                         f" where seq = {middle}")
        verdict = harness.kindred("audit", "verify", "--register", database.register, "--json", exits=1)
        assert json.loads(verdict.out)["first_bad_seq"] in (middle, middle + 1), (name, verdict.out)
        value = str(kept) if is_number else "'" + str(kept).replace("'", "''") + "'"
        database.execute(f"update audit set {name} = {value} where seq = {middle}")
        harness.kindred("audit", "verify", "--register", database.register)
    database.execute(f"delete from audit where seq = {rows}")
    harness.kindred("audit", "verify", "--register", database.register, exits=1)


if __name__ == "__main__":
    both = (every_acknowledged_registration_survives_kill_9, a_stolen_or_old_cookie_opens_nothing,
            it_stops_when_told_with_its_work_done, any_byte_of_the_audit_log_changed_is_named)
    one = (thousands_of_idle_connections_do_no_harm, slow_clients_are_let_go_and_hold_up_nobody, an_upload_cut_off_leaves_nothing,
           tricks_with_paths_reach_no_file, names_that_are_scripts_or_formulas_stay_names)
    harness.run_tests(*[test for each in both for test in harness.on_each_database(each)],
                      *[harness.on_each_database(each)[0] for each in one], the_database_may_stop_and_start_under_load)

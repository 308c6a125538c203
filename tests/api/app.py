"""
A register of invented people with a server over it and an account for every role, inside and outside an area: what the tests
of the API and of the console share.

KINDRED names the program; a PostgreSQL register gets a schema of its own on KINDRED_TEST_POSTGRES.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

COUNTY, TOWNSHIP = "610829000000", "610829001000"
ELSEWHERE = "610828000000"  # another county: outside every inner area
PASSWORD = "Water-7-mountain-" + "quiet"
# role: its own area, a purpose it has, and the invented name of who has it
ROLES = {
    "village_worker": (None, "verification", "折春燕"),
    "township_clerk": (TOWNSHIP, "registration", "慕志远"),
    "clinician": (COUNTY, "care", "薛佳宁"),
    "county_manager": (COUNTY, "verification", "霍建国"),
    "city_manager": ("610800000000", "verification", "尚文博"),
    "data_steward": (COUNTY, "stewardship", "冯子涵"),
    "auditor": (COUNTY, "audit", "康慎之"),
    "administrator": ("000000000000", "audit", "艾思远"),
}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class Client:
    """One account's session: cookies, CSRF token, purpose, language."""

    def __init__(self, app, login=None, password=PASSWORD, purpose=None, token=None, language="en"):
        self.app, self.login, self.purpose, self.token, self.language = app, login, purpose, token, language
        self.cookie = self.csrf = self.session = None
        if login:
            answer = self.post("/api/session", {"login": login, "password": password}, key=None)
            assert answer.status == 200, f"{login} cannot sign in: {answer!r}"
            self.session = answer.json
            self.csrf = self.session["csrf"]

    def send(self, method, path, body=None, headers=None, key="", raw=None, content_type=None):
        given = {"Accept-Language": self.language}
        if self.cookie:
            given["Cookie"] = f"kindred_session={self.cookie}"
        if self.csrf and method not in ("GET", "HEAD"):
            given["Kindred-CSRF"] = self.csrf
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        if self.purpose:
            given["Kindred-Purpose"] = self.purpose
        if key is not None and method == "POST":
            given["Idempotency-Key"] = key or str(uuid.uuid4())
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
            given["Content-Type"] = "application/json"
        if content_type:
            given["Content-Type"] = content_type
        given.update(headers or {})
        connection = http.client.HTTPConnection(self.app.host, self.app.port, timeout=60)
        try:
            connection.request(method, path, body=data, headers=given)
            answer = connection.getresponse()
            result = Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            if found := re.match(r"kindred_session=([^;]*)", cookie):
                self.cookie = found.group(1) or None
        self.app.answered(method, path, result)
        return result

    def get(self, path, **kw):
        return self.send("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self.send("POST", path, body, **kw)

    def put(self, path, body=None, **kw):
        return self.send("PUT", path, body, **kw)

    def patch(self, path, body=None, **kw):
        return self.send("PATCH", path, body, **kw)

    def delete(self, path, **kw):
        return self.send("DELETE", path, **kw)


class App:
    """A running server on a register folder."""

    def __init__(self, register, *arguments, env=None):
        self.register, self.arguments, self.env = register, arguments, env or {}
        self.process, self.host, self.port = None, "127.0.0.1", 0
        self.watchers = []

    def start(self, timeout=30):
        command = [harness.KINDRED, "serve", "--register", str(self.register), "--listen", f"127.0.0.1:{self.port}",
                   *self.arguments]
        self.log = open(self.register.parent / "serve.log", "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env={**os.environ, "KINDRED_LANG": "en", **self.env})
        line = self.process.stdout.readline().decode()
        found = re.search(r"http://([\d.]+):(\d+)", line)
        assert found, f"the server did not say where it listens: {line!r}\n{self.log_text()[-2000:]}"
        self.host, self.port = found.group(1), int(found.group(2))
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        end = time.monotonic() + timeout
        while True:
            try:
                if Client(self).get("/readyz").status == 200:
                    return self
            except OSError:
                pass
            assert self.process.poll() is None, f"the server ended: {self.log_text()[-3000:]}"
            assert time.monotonic() < end, f"the server is not ready after {timeout} s: {self.log_text()[-2000:]}"
            time.sleep(0.05)

    def log_text(self):
        return (self.register.parent / "serve.log").read_text(errors="replace")

    def stop(self, kill=False):
        """Gracefully, or as a power cut would."""
        if self.process and self.process.poll() is None:
            if kill:
                self.process.kill()
            else:
                self.process.terminate()
            self.process.wait(30)
        if self.process:
            self.log.close()
        return self.process.returncode if self.process else None

    def answered(self, method, path, answer):
        for watch in self.watchers:
            watch(method, path, answer)

    def client(self, role, where="in", **kw):
        return Client(self, f"{role}.{where}", purpose=ROLES[role][1], **kw)


def make_accounts(register):
    """For every role one account inside and one outside, with passwords that need not be changed."""
    village = busiest_village(register)
    for role, (area, _, name) in ROLES.items():
        for where in ("in", "out"):
            own = (area or village) if where == "in" else ELSEWHERE
            if role == "administrator":
                own = "000000000000"
            harness.kindred("account", "create", "--register", register, "--login", f"{role}.{where}", "--name",
                            name, "--role", role, "--area", own, "--password", PASSWORD, "--keep-password")
    return village


def busiest_village(register):
    """The village of the test township with most open tasks, so that its worker has something to do."""
    tasks = harness.kindred("tasks", "list", "--register", register, "--division", TOWNSHIP[:9], "--state", "open",
                            "--limit", "1000", "--json").json["tasks"]
    counts = {}
    for task in tasks:
        division = str(task["division"])
        if not division.endswith("000"):
            counts[division] = counts.get(division, 0) + 1
    assert counts, "no village of the township has a task"
    return max(sorted(counts), key=lambda code: counts[code])


@contextlib.contextmanager
def running(folder, database, *arguments, persons=3000, seed=5, env=None):
    """A register with people, accounts and a server."""
    database.init()
    database.run("import", harness.simulated(folder, persons, seed) / "manifest.yaml")
    database.run("link")
    village = make_accounts(database.register)
    app = App(database.register, *arguments, env=env)
    app.village = village
    try:
        yield app.start()
    finally:
        app.stop()


def quoted(text):
    return urllib.parse.quote(text, safe="")

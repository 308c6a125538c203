#!/usr/bin/env python3
"""
The server where it meets the machine: the shipped example of nginx in front of it, its own TLS, systemd's sockets and unit, stopping,
and what it says when it cannot start. A tool that is missing is a failure.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import KINDRED, ROOT, Sqlite, kindred, run_tests, simulated  # noqa: E402

PACKAGING = ROOT / "packaging"
COUNTY = "610829000000"
PASSWORD = "Water-7-mountain-" + "quiet"
PEER = "127.0.0.7"  # where people come from, so that it is not taken for the proxy's own address
FORGED = "203.0.113.9"
UPLOAD_BYTES = 20 << 20
DOWNLOAD_BYTES = 16 << 20
WAIT_S = 30
IS_SANITIZED = b"__asan_init" in pathlib.Path(KINDRED).read_bytes()
START_S_MAX, IDLE_BYTES_MAX = (20, 1 << 30) if IS_SANITIZED else (1, 50 << 20)


def tool(name, package):
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert found, f"{name} is not installed: it is in the package {package}"
    return found


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def is_listening(port):
    """Without a connection, which would be the first one."""
    wanted = f"0100007F:{port:04X}"
    lines = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(line.split()[1] == wanted and line.split()[3] == "0A" for line in lines)


def until(is_so, what, seconds=WAIT_S):
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, f"{what} did not come in {seconds} s"
        time.sleep(0.02)
    return found


def certificate(folder):
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run([tool("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def empty_register(folder):
    kindred("init", folder / "register")
    return folder / "register"


def register_with_steward(folder, persons):
    database = Sqlite(folder).init()
    database.run("import", simulated(folder, persons) / "manifest.yaml")
    kindred("account", "create", "--register", database.register, "--login", "steward", "--name", "测试人", "--role", "data_steward",
            "--area", COUNTY, "--password", PASSWORD, "--keep-password")
    return database


class Served:
    """`kindred serve` with these arguments, on a port of its choice unless told otherwise."""

    def __init__(self, register, *arguments, listen="127.0.0.1:0", env=None):
        self.log = pathlib.Path(register).parent / "serve.log"
        with open(self.log, "ab") as log:
            began = time.monotonic()
            self.process = subprocess.Popen([KINDRED, "serve", "--register", register, "--listen", listen, *arguments], stderr=log,
                                            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                            env={**os.environ, "KINDRED_LANG": "en", **(env or {})})
            line = self.process.stdout.readline().decode()
            self.start_s = time.monotonic() - began
        found = re.fullmatch(r"(https?)://127\.0\.0\.1:(\d+)\n", line)
        assert found, f"the server told {line!r}: {self.log.read_text(errors='replace')[-2000:]}"
        self.scheme, self.port = found.group(1), int(found.group(2))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ended(self.process)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(WAIT_S) == 0, self.log.read_text(errors="replace")[-2000:]


def ended(process):
    """Told to end, and killed when it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        process.stdout.close()


def connection(port, tls=None, timeout=60):
    if tls:
        return http.client.HTTPSConnection("localhost", port, timeout=timeout, context=tls, source_address=(PEER, 0))
    return http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)


def trusting(cert, version=None):
    context = ssl.create_default_context(cafile=cert)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def ask(port, method, path, body=None, headers=None, tls=None):
    """Status, headers and body of one request on its own connection."""
    wire = connection(port, tls)
    with contextlib.closing(wire):
        wire.request(method, path, body=body, headers=headers or {})
        answer = wire.getresponse()
        return answer.status, answer.headers, answer.read()


def signed_in(port, tls=None, headers=None):
    """The headers of a session, and the headers of the answer that gave it."""
    status, told, body = ask(port, "POST", "/api/session", json.dumps({"login": "steward", "password": PASSWORD}),
                             {"Content-Type": "application/json", **(headers or {})}, tls)
    assert status == 200, body
    cookie = re.match(r"kindred_session=[^;]+", told["Set-Cookie"]).group()
    return {"Cookie": cookie, "Kindred-CSRF": json.loads(body)["csrf"], "Kindred-Purpose": "stewardship"}, told


def post_headers(session, kind):
    return {**session, "Idempotency-Key": str(uuid.uuid4()), "Content-Type": kind}


# ---- behind nginx ----

def replaced(text, old, new):
    assert text.count(old) == 1, f"the example says {old!r} {text.count(old)} times"
    return text.replace(old, new)


@contextlib.contextmanager
def nginx_before(folder, port):
    """The shipped site with this machine's addresses and certificate; its TLS port, its plain port, and whom to trust."""
    cert, key = certificate(folder)
    plain_port, tls_port = free_port(), free_port()
    site = (PACKAGING / "nginx.conf").read_text(encoding="utf-8")
    site = replaced(site, "server 127.0.0.1:8080;", f"server 127.0.0.1:{port};")
    site = replaced(site, "listen 80;", f"listen 127.0.0.1:{plain_port};")
    site = replaced(site, "listen 443 ssl http2;", f"listen 127.0.0.1:{tls_port} ssl http2;")
    site = replaced(site, "/etc/ssl/kindred/fullchain.pem", str(cert))
    site = replaced(site, "/etc/ssl/kindred/key.pem", str(key))
    site = site.replace("register.example.cn", "localhost")
    (folder / "site.conf").write_text(site, encoding="utf-8")
    scratch = "".join(f"{what}_temp_path {folder}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(("user root;\n" if os.getuid() == 0 else "") + f"daemon off;\npid {folder}/nginx.pid;\n"
                                       f"error_log {folder}/nginx.log;\nevents {{}}\nhttp {{\n{scratch}include {folder}/site.conf;\n}}\n",
                                       encoding="utf-8")
    command = [tool("nginx", "nginx-light"), "-e", folder / "nginx.log", "-p", folder, "-c", folder / "nginx.conf"]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0 and "[warn]" not in tested.stderr, tested.stderr
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: is_listening(tls_port) and is_listening(plain_port), "nginx")
        yield tls_port, plain_port, trusting(cert)
    finally:
        ended(process)


def nginx_hands_on_what_the_server_must_know(folder):
    database = register_with_steward(folder, 300)
    with Served(database.register, "--behind-proxy") as served, nginx_before(folder, served.port) as (port, plain_port, tls):
        status, told, _ = ask(plain_port, "GET", "/people?a=b")
        assert status == 308 and told["Location"] == "https://127.0.0.1/people?a=b", told
        newer = trusting(folder / "cert.pem")
        newer.set_alpn_protocols(["h2", "http/1.1"])
        with newer.wrap_socket(socket.create_connection(("127.0.0.1", port), WAIT_S), server_hostname="localhost") as wire:
            assert wire.selected_alpn_protocol() == "h2"
        session, told = signed_in(port, tls, {"X-Forwarded-For": FORGED})
        cookie = {part.strip() for part in told["Set-Cookie"].split(";")}
        assert {"Secure", "HttpOnly", "SameSite=Strict"} <= cookie, cookie
        assert told["Strict-Transport-Security"], told
        assert "nginx/" not in told["Server"], told["Server"]
        status, told, body = ask(port, "GET", "/api/feeds", headers=session, tls=tls)
        assert status == 200 and re.fullmatch("[0-9a-f]{32}", told["X-Request-Id"]), (told, body)
        assert ask(port, "GET", "/metrics", tls=tls)[0] == 403
        assert ask(port, "GET", "/metrics", headers=session, tls=tls)[0] == 403
        assert ask(served.port, "GET", "/metrics", headers={"X-Forwarded-For": PEER})[0] == 401, "told through another proxy"
        assert b"kindred_" in ask(served.port, "GET", "/metrics")[2]
        served.stop()
    told = {address for address, in database.rows("select distinct address from audit where login = 'steward'")}
    assert told == {PEER}, f"the audit log names {told}"


def nginx_streams_uploads(folder):
    database = register_with_steward(folder, 300)
    with Served(database.register, "--behind-proxy") as served, nginx_before(folder, served.port) as (port, _, tls):
        session, _ = signed_in(port, tls)
        headers = {**post_headers(session, "application/octet-stream"), "Content-Length": str(UPLOAD_BYTES)}
        head = "POST /api/uploads?name=a.csv HTTP/1.1\r\nHost: localhost\r\n"
        line = "姓名,性别\n".encode()
        content = (line * (UPLOAD_BYTES // len(line) + 1))[:UPLOAD_BYTES]
        with tls.wrap_socket(socket.create_connection(("127.0.0.1", port), WAIT_S), server_hostname="localhost") as wire:
            wire.sendall((head + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n").encode())
            wire.sendall(content[:UPLOAD_BYTES // 2])
            spool = database.register / "spool"
            until(lambda: sum(f.stat().st_size for f in spool.iterdir()) > UPLOAD_BYTES // 4, "the first half of an upload")
            wire.sendall(content[UPLOAD_BYTES // 2:])
            answer = http.client.HTTPResponse(wire, method="POST")
            answer.begin()
            body = answer.read()
        assert answer.status == 201, body
        kept = list((database.register / "uploads").rglob("a.csv"))
        assert len(kept) == 1 and kept[0].read_bytes() == content
        with tls.wrap_socket(socket.create_connection(("127.0.0.1", port), WAIT_S), server_hostname="localhost") as wire:
            wire.sendall(f"{head}Content-Length: {UPLOAD_BYTES}\r\nContent-Type: application/octet-stream\r\n\r\n".encode())
            assert b" 401 " in wire.recv(4096).split(b"\r\n")[0], "an upload is read before it is known who sends it"


def nginx_passes_events_as_they_come(folder):
    database = register_with_steward(folder, 3000)
    with Served(database.register, "--behind-proxy") as served, nginx_before(folder, served.port) as (port, _, tls):
        session, _ = signed_in(port, tls)
        status, _, body = ask(port, "POST", "/api/jobs/link", '{"is_full":true}', post_headers(session, "application/json"), tls)
        assert status == 202, body
        job = json.loads(body)
        with contextlib.closing(sqlite3.connect(database.register / "register.db", timeout=WAIT_S, isolation_level=None)) as holder:
            holder.execute("begin immediate")  # while we write, the job cannot end
            wire = connection(port, tls)
            with contextlib.closing(wire):
                wire.request("GET", f"/api/jobs/{job['id']}/events", headers=session)
                answer = wire.getresponse()
                assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/event-stream"), answer.headers
                first = b""
                while not first.endswith(b"\n\n"):
                    first += answer.readline()
                assert re.search(rb'"state": ?"(waiting|running)"', first), first
                holder.execute("rollback")
                assert b"event: done" in answer.read()


# ---- its own TLS ----

def tls_of_its_own_is_new_and_whole(folder):
    register, (cert, key) = empty_register(folder), certificate(folder)
    with Served(register, "--tls-cert", cert, "--tls-key", key) as served:
        assert served.scheme == "https"
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            status, told, _ = ask(served.port, "GET", "/healthz", tls=trusting(cert, version))
            assert status == 200 and "max-age=" in told["Strict-Transport-Security"], told
        for version in ("tls1", "tls1_1"):  # a client that would still speak them
            done = subprocess.run([tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{served.port}", f"-{version}", "-cipher",
                                   "ALL:@SECLEVEL=0"], input=b"", capture_output=True, check=False, timeout=WAIT_S)
            assert done.returncode != 0 and b"Cipher is (NONE)" in done.stdout, done.stdout
            assert b"protocol version" in done.stderr, done.stderr
        with socket.create_connection(("127.0.0.1", served.port), WAIT_S) as wire:
            wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP/" not in (told := all_of(wire)) and len(told) <= 64, told
        assert ask(served.port, "GET", "/healthz", tls=trusting(cert))[0] == 200
        served.stop()


def all_of(wire):
    """What comes until the other side closes: at most an alert of TLS where HTTP is not spoken."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := wire.recv(65536):
            got += piece
    return got


def a_certificate_that_cannot_be_used_is_named(folder):
    register, (cert, key) = empty_register(folder), certificate(folder)
    (folder / "other").mkdir()
    _, other_key = certificate(folder / "other")
    for files, told in (((cert, folder / "absent.pem"), "absent.pem"), ((key, key), "key.pem: this is no certificate in PEM"),
                        ((cert, cert), "cert.pem: this is no key in PEM"), ((cert, other_key), "key does not belong")):
        done = kindred("serve", "--register", register, "--listen", "127.0.0.1:0", "--tls-cert", files[0], "--tls-key", files[1], exits=1)
        assert told in done.err or (told == "key does not belong" and "mismatch" in done.err), done.err
    kindred("serve", "--register", register, "--tls-cert", cert, exits=2)


# ---- systemd ----

def a_socket_of_systemd_is_taken_over(folder):
    register, port = empty_register(folder), free_port()
    command = [tool("systemd-socket-activate", "systemd"), "-l", f"127.0.0.1:{port}", "-E", "PATH",
               *[f"--setenv={name}" for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "KINDRED_DATA") if name in os.environ],
               KINDRED, "serve", "--register", register, "--listen", "127.0.0.1:1"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        until(lambda: is_listening(port), "the socket")
        status, _, body = ask(port, "GET", "/readyz")  # it is this request that starts the server
        assert status == 200, body
        assert process.stdout.readline() == f"http://127.0.0.1:{port}\n".encode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
    finally:
        ended(process)


def a_unix_socket_is_taken_over_and_systemd_told(folder):
    register = empty_register(folder)
    start = ("import os, sys\nos.environ['LISTEN_PID'], os.environ['LISTEN_FDS'] = str(os.getpid()), '1'\n"
             "os.dup2(int(sys.argv[1]), 3)\nos.execv(sys.argv[2], sys.argv[2:])\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, socket.socket(socket.AF_UNIX) as listener:
        manager.bind(str(folder / "notify"))
        manager.settimeout(WAIT_S)
        listener.bind(str(folder / "http"))
        listener.listen()
        process = subprocess.Popen([sys.executable, "-c", start, str(listener.fileno()), KINDRED, "serve", "--register", register],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   pass_fds=[listener.fileno()], env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify")})
        try:
            assert manager.recv(4096).startswith(b"READY=1")
            with socket.socket(socket.AF_UNIX) as wire:
                wire.settimeout(WAIT_S)
                wire.connect(str(folder / "http"))
                wire.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert all_of(wire).startswith(b"HTTP/1.1 200 ")
            process.send_signal(signal.SIGTERM)
            assert manager.recv(4096).startswith(b"STOPPING=1")
            assert process.wait(WAIT_S) == 0
        finally:
            ended(process)


def the_unit_is_right_and_closed(folder):
    analyze = tool("systemd-analyze", "systemd")
    for name in ("kindred.service", "kindred.socket"):
        text = (PACKAGING / name).read_text(encoding="utf-8")
        if name.endswith("service"):
            text = replaced(text, "/usr/bin/kindred ", f"{KINDRED} ")
        (folder / name).write_text(text, encoding="utf-8")
    for command in (["verify", "--man=no", folder / "kindred.service", folder / "kindred.socket"],
                    ["security", "--offline=yes", "--threshold=20", folder / "kindred.service"]):  # the threshold is in tenths
        done = subprocess.run([analyze, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert command[0] != "verify" or not done.stderr.strip(), done.stderr
    users = subprocess.run([tool("systemd-sysusers", "systemd"), "--dry-run", PACKAGING / "kindred.sysusers"], capture_output=True,
                           text=True, check=False)
    assert users.returncode == 0, users.stderr
    unit = (PACKAGING / "kindred.service").read_text(encoding="utf-8")
    owner = re.search(r"^User=(\w+)$", unit, re.M).group(1)
    assert re.search(rf'^u {owner} - "[^"]+" /var/lib/', (PACKAGING / "kindred.sysusers").read_text(encoding="utf-8"), re.M)
    listed = re.search(r"^ExecStart=/usr/bin/kindred serve (.*)$", unit, re.M).group(1).split()
    overview = kindred("serve", "--help").out
    assert all(option in overview for option in listed if option.startswith("--")), listed


# ---- starting and stopping ----

def a_download_that_has_begun_is_finished_before_the_end(folder):
    register, web = empty_register(folder), folder / "web"
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_text("<!doctype html><title>a</title>", encoding="utf-8")
    content = os.urandom(1 << 16) * (DOWNLOAD_BYTES >> 16)
    (web / "assets/large.woff2").write_bytes(content)
    with Served(register, "--web", web) as served, socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.settimeout(WAIT_S)
        wire.connect(("127.0.0.1", served.port))
        wire.sendall(b"GET /assets/large.woff2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        assert answer.status == 200
        got = answer.read(1 << 16)
        served.process.send_signal(signal.SIGTERM)
        until(lambda: not is_listening(served.port), "the end of listening")
        time.sleep(0.5)
        assert served.process.poll() is None, "the server went in the midst of a download"
        assert got + answer.read() == content
        assert served.process.wait(WAIT_S) == 0


def what_keeps_it_from_starting_is_said(folder):
    register = empty_register(folder)
    with Served(register) as served:
        told = kindred("serve", "--register", register, "--listen", f"127.0.0.1:{served.port}", exits=1)
        assert f"cannot listen on 127.0.0.1:{served.port}: address already in use" in told.err, told.err
        assert "--listen" in told.err and not told.out, told
    for wrong in (folder / "absent", folder):
        told = kindred("serve", "--register", wrong, "--listen", "127.0.0.1:0", exits=1)
        assert str(wrong) in told.err and "kindred init" in told.err, told.err
    assert not (folder / "absent").exists()
    for wrong in ("nonsense", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", "[::1:80", "example.cn:80", ""):
        told = kindred("serve", "--register", register, "--listen", wrong, exits=2)
        assert f"'{wrong}' is no address to listen on" in told.err and "127.0.0.1:8080" in told.err, told.err


def an_idle_server_is_small_and_quick(folder):
    with Served(empty_register(folder)) as served:
        assert ask(served.port, "GET", "/readyz")[0] == 200
        assert served.start_s <= START_S_MAX, f"it took {served.start_s:.2f} s to start"
        status = pathlib.Path(f"/proc/{served.process.pid}/status").read_text(encoding="ascii")
        resident = int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) << 10
        assert resident <= IDLE_BYTES_MAX, f"it takes {resident >> 20} MB"
        served.stop()


def a_request_that_cannot_be_read_is_told_in_one_language(folder):
    with Served(empty_register(folder)) as served:
        for spoken in ("en", "zh-CN"):  # of others before, which must not rub off
            assert ask(served.port, "GET", "/api/today", headers={"Accept-Language": spoken})[0] == 401
            with socket.create_connection(("127.0.0.1", served.port), WAIT_S) as wire:
                wire.sendall(b"GET / HTTP/1.1\r\n\r\n")
                answer = http.client.HTTPResponse(wire)
                answer.begin()
                told = json.loads(answer.read())
            assert (told["title"], told["detail"]) == ("请求格式不对", "请求没有主机名"), told


if __name__ == "__main__":
    run_tests(nginx_hands_on_what_the_server_must_know, nginx_streams_uploads, nginx_passes_events_as_they_come,
              tls_of_its_own_is_new_and_whole, a_certificate_that_cannot_be_used_is_named, a_socket_of_systemd_is_taken_over,
              a_unix_socket_is_taken_over_and_systemd_told, the_unit_is_right_and_closed,
              a_download_that_has_begun_is_finished_before_the_end, what_keeps_it_from_starting_is_said, an_idle_server_is_small_and_quick,
              a_request_that_cannot_be_read_is_told_in_one_language)

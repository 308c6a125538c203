#!/usr/bin/env python3
"""
All checks of the tree: scripts/check.py [STEP…] | --list | --fuzz NAME SECONDS

A step that fails does not stop those after it. Every step counts as one, and every single test of a test program as
one. What each said stands in build/check/STEP.log. The last line is `N passed, N failed`; the exit code is 1 when
anything failed or nothing passed. Run through `./dev check`, which installs what this needs.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/check"
JOBS = os.cpu_count() or 1
FUZZ_SECONDS = 10
TAIL_LINES = 40
THREADED = re.compile(r"base|frame|match|simulate|exchange|import|register|tasks|store|live|access|http|jobs")
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
GCC, CLANG, TSAN = BUILD / "gcc", BUILD / "clang", BUILD / "tsan"
COMPILERS = {
    GCC: ("gcc", []),
    CLANG: ("clang-14", ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dfuzzers=true"]),
    TSAN: ("clang-14", ["-Db_sanitize=thread", "-Db_lundef=false"]),
}
PROGRAM = "src/cli/kindred"
built = {}


class Tally:
    """Counts, and tells each result in one line."""

    def __init__(self):
        self.passed = self.failed = 0
        self.names_failed = []
        self.lock = threading.Lock()

    def add(self, name, seconds, passed, failed, log=None):
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.names_failed += [name] if failed else []
            many = f"{passed} passed" + (f", {failed} failed" if failed else "")
            print(f"{'FAILED' if failed else 'ok':6}  {name:34} {seconds:7.1f} s  {many}", flush=True)
            if failed and log and log.is_file():
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                told = [line for line in lines if line.startswith("not ok")][:TAIL_LINES]
                for line in told + lines[-TAIL_LINES:]:
                    print("        | " + line)
                print(f"        | (whole: {log.relative_to(ROOT)})", flush=True)


tally = Tally()


def run(name, command, env=None, timeout=900, cwd=ROOT):
    """Run a command with its output in the step's log; its exit code, its seconds and the log."""
    log = BUILD / f"{name.replace(' ', '-').replace('/', '-')}.log"
    start = time.monotonic()
    with open(log, "wb") as out:
        try:
            code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=cwd,
                                  env={**os.environ, **(env or {})}, timeout=timeout, check=False).returncode
        except subprocess.TimeoutExpired:
            out.write(f"\nstopped after {timeout} s\n".encode())
            code = -1
        except OSError as error:
            out.write(f"{error}\n".encode())
            code = -1
    return code, time.monotonic() - start, log


def step(name, *commands, env=None, timeout=900):
    """Commands that count as one; true when all succeeded."""
    total = 0.0
    for command in commands:
        code, seconds, log = run(name, [str(c) for c in command], env, timeout)
        total += seconds
        if code != 0:
            tally.add(name, total, 0, 1, log)
            return False
    tally.add(name, total, 1, 0)
    return True


def tap(name, command, env=None, timeout=600):
    """
    A test program that speaks TAP: every `ok` counts, but what was skipped has failed, for a check that does not run
    checks nothing. To die, or to tell less than was planned, is one failure.
    """
    code, seconds, log = run(name, [str(c) for c in command], env, timeout)
    text = log.read_text(encoding="utf-8", errors="replace")
    results = re.findall(r"^(ok|not ok)\b(.*)", text, re.M)
    passed = sum(word == "ok" and "# skip" not in rest.lower() for word, rest in results)
    failed = len(results) - passed
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", text, re.M))
    if (code != 0 and not failed) or passed + failed < planned or planned == 0:
        failed += 1
    tally.add(name, seconds, passed, failed, log)


def in_parallel(function, items):
    """As many at once as there are cores; what goes wrong in one comes out here."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(function, items))


def sources(*folders, pattern="*.c"):
    return sorted(str(f.relative_to(ROOT)) for folder in folders for f in (ROOT / folder).rglob(pattern))


def build(folder, chosen=None):
    """Configure and compile once a run: all, or the program and the tests chosen by name. True when it succeeded."""
    if folder not in built:
        configured = [["true"]]
        if not (folder / "build.ninja").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            configured = [["meson", "setup", folder, "--werror", "-Dbuildtype=debugoptimized", *COMPILERS[folder][1]]]
        env = {"CC": COMPILERS[folder][0]}
        built[folder] = step(f"configure {folder.name}", *configured, env=env)
        tests = [t["cmd"][0] for t in unit_tests(folder) if chosen and chosen.search(t["name"])]
        targets = [os.path.relpath(test, folder) for test in tests] + ([PROGRAM] if chosen else [])
        built[folder] = built[folder] and step(f"build {folder.name}", ["ninja", "-C", folder, *targets], env=env)
    return built[folder]


def unit_tests(folder):
    """What `meson test` would run: name, command and environment of each."""
    listed = subprocess.run(["meson", "introspect", "--tests", folder], capture_output=True, text=True, check=False)
    return json.loads(listed.stdout) if listed.returncode == 0 else []


def run_tests(folder, chosen=None, env=None):
    tests = [t for t in unit_tests(folder) if chosen is None or chosen.search(t["name"])]
    if not tests:
        tally.add(f"tests {folder.name}", 0, 0, 1)
    in_parallel(lambda t: tap(f"{folder.name} {t['name']}", t["cmd"], {**t["env"], **(env or {})}), tests)


class Postgres:
    """A private server for as long as the checks run; its address in KINDRED_TEST_POSTGRES."""

    def __enter__(self):
        start = time.monotonic()
        self.server = subprocess.Popen(
            [ROOT / "scripts/with_postgres.sh", "--fast", "sh", "-c", 'echo "$KINDRED_TEST_POSTGRES"; cat >/dev/null'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        address = self.server.stdout.readline().strip()
        if address:
            os.environ["KINDRED_TEST_POSTGRES"] = address
        tally.add("postgresql starts", time.monotonic() - start, 1 if address else 0, 0 if address else 1)
        return self

    def __exit__(self, *_):
        self.server.stdin.close()
        try:
            self.server.wait(60)
        except subprocess.TimeoutExpired:
            tally.add("postgresql stops", 60, 0, 1)


# ---- the steps ----

def check_format():
    step("format", ["clang-format-14", "--dry-run", "-Werror",
                    *sources("src", "include", "tests", "fuzz", "bench", pattern="*.[ch]")])


def check_house():
    step("layers", [sys.executable, "scripts/check_layers.py"])
    step("banned functions", [sys.executable, "scripts/check_banned.py", "c"])
    step("unfinished work and paths", [sys.executable, "scripts/check_banned.py", "words"])
    step("messages in both languages", [sys.executable, "scripts/messages.py", "check"])
    step("folder readmes", [sys.executable, "scripts/check_banned.py", "readmes"])


def check_gcc():
    if build(GCC):
        run_tests(GCC)


def check_clang():
    if build(CLANG):
        run_tests(CLANG, env=SANITIZER_ENV)


def check_threads():
    if build(TSAN, THREADED):
        run_tests(TSAN, THREADED, env=SANITIZER_ENV)


def check_tidy():
    """Over the program's own sources; all files are one step."""
    def one(file):
        return subprocess.run(["clang-tidy-14", "-p", CLANG, "--quiet", file], cwd=ROOT, capture_output=True, text=True, check=False)

    if not build(CLANG):
        return
    start, log = time.monotonic(), BUILD / "clang-tidy.log"
    try:
        results = in_parallel(one, sources("src"))
    except OSError as error:
        log.write_text(f"{error}\n", encoding="utf-8")
        results = []
    else:
        log.write_text("".join(r.stdout for r in results if r.returncode), encoding="utf-8")
    is_clean = bool(results) and all(r.returncode == 0 for r in results)
    tally.add("clang-tidy", time.monotonic() - start, int(is_clean), int(not is_clean), log)


def check_cppcheck():
    step("cppcheck", ["cppcheck", "--quiet", f"-j{JOBS}", "--std=c11", "--enable=warning,portability",
                      "--inline-suppr", "--error-exitcode=1", "--max-configs=2", "-D_GNU_SOURCE", "-Isrc", "-Iinclude",
                      "--suppress=missingIncludeSystem", "src"])


def run_script(file, folder):
    """A test of the whole program, with the program of that build."""
    env = {"KINDRED": str(folder / PROGRAM), **({} if folder == GCC else SANITIZER_ENV)}
    tap(f"{folder.name} {file.parent.name} {file.stem}", [sys.executable, file], env=env, timeout=900)


def scripts_of(folder):
    return [f for f in sorted((ROOT / "tests" / folder).glob("*.py")) if "run_tests(" in f.read_text(encoding="utf-8")]


def console_jobs():
    """What people do in a browser; the API by its contract, and fuzzed under the sanitizers."""
    is_web = step("web sources", ["npm", "--prefix", "web", "run", "check"]) and \
        step("web build", ["npm", "--prefix", "web", "run", "build"])
    api = scripts_of("api")
    return [(file, GCC) for file in scripts_of("web") if is_web] + [(file, CLANG) for file in api if file.stem == "fuzz"] + \
        [(file, GCC) for file in api if file.stem != "fuzz"] + [(file, CLANG) for file in api if file.stem == "contract"]


def fault_jobs():
    return [(file, GCC) for file in scripts_of("faults")]


def integration_jobs():
    """As people run it, and under the sanitizers: the main job under that of threads."""
    files = scripts_of("integration")
    return [(file, TSAN if file.stem == "main_job" else CLANG) for file in files] + [(file, GCC) for file in files]


def run_programs(makers):
    """Each script has registers and servers of its own: as many at once as there are cores, those that take longest first."""
    if build(GCC) and build(CLANG) and build(TSAN, THREADED):
        in_parallel(lambda job: run_script(*job), [job for make in makers for job in make()])


def fuzz_one(name, seconds):
    """Fixed seed, so that a run can be repeated. New inputs go to a scratch folder: the shipped corpus stays as it is."""
    scratch, corpus = ROOT / "build/fuzz" / name, ROOT / "fuzz/corpus" / name
    scratch.mkdir(parents=True, exist_ok=True)
    folders = [folder for folder in (scratch, corpus) if folder.is_dir()]
    step(f"fuzz {name}", [CLANG / f"fuzz/fuzz_{name}", "-seed=1", f"-max_total_time={seconds}", "-rss_limit_mb=2048",
                          "-timeout=20", "-print_final_stats=1", f"-artifact_prefix={scratch}/", *folders],
         env=SANITIZER_ENV, timeout=seconds + 300)


def fuzzers():
    return sorted(f.stem[len("fuzz_"):] for f in (ROOT / "fuzz").glob("fuzz_*.c"))


def check_fuzz():
    if build(CLANG):
        in_parallel(lambda name: fuzz_one(name, FUZZ_SECONDS), fuzzers())


STEPS = {
    "format": check_format,
    "house": check_house,
    "gcc": check_gcc,
    "clang": check_clang,
    "threads": check_threads,
    "tidy": check_tidy,
    "cppcheck": check_cppcheck,
    "fuzz": check_fuzz,
}
# These drive whole programs and run beside each other.
PROGRAM_STEPS = {"console": console_jobs, "faults": fault_jobs, "integration": integration_jobs}


def run_steps(names):
    """The steps asked for, in their order; what drives whole programs last."""
    chosen = {name: function for name, function in STEPS.items() if name in names}
    if makers := [make for name, make in PROGRAM_STEPS.items() if name in names]:
        chosen["programs"] = lambda: run_programs(makers)
    with Postgres():
        for name, function in chosen.items():
            try:
                function()
            except Exception:  # a fault of this script is no reason to leave the other steps out, nor to call it passed
                log = BUILD / f"{name}-broke-off.log"
                log.write_text(traceback.format_exc(), encoding="utf-8")
                tally.add(f"{name} broke off", 0, 0, 1, log)


def run_fuzzers(name, seconds):
    if build(CLANG):
        for one in [name] if name else fuzzers():
            fuzz_one(one, seconds)


def main():
    arguments = sys.argv[1:]
    if arguments == ["--list"]:
        print("\n".join([*STEPS, *PROGRAM_STEPS]))
        return 0
    BUILD.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    if arguments[:1] == ["--fuzz"]:
        name, seconds = arguments[1:]
        if (name and name not in fuzzers()) or not seconds.isdigit():
            print(f"usage: ./dev fuzz [NAME [SECONDS]], NAME one of: {' '.join(fuzzers())}", file=sys.stderr)
            return 2
        run_fuzzers(name, int(seconds))
    else:
        known = [*STEPS, *PROGRAM_STEPS]
        unknown = [a for a in arguments if a not in known]
        if unknown:
            print(f"no step '{unknown[0]}'; there are: {' '.join(known)}", file=sys.stderr)
            return 2
        run_steps(arguments or known)
    print(f"in all {time.monotonic() - start:.0f} s")
    if tally.names_failed:
        print(f"failed: {', '.join(tally.names_failed)}")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


sys.exit(main())

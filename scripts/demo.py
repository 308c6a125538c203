#!/usr/bin/env python3
"""
An invented county, end to end: simulate, import, link, and the console over it with an account for every role.

Leaves build/demo: feeds/ as the departments would send them, register/, and summary.json with what was measured.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDRED = ROOT / "build/kindred"
DEMO = ROOT / "build/demo"
FEEDS, REGISTER = DEMO / "feeds", DEMO / "register"
DIVISION = "610829"


def kindred(*arguments, shows=False):
    """What a command answers with --json; or, with `shows`, its own words on the terminal."""
    command = [str(KINDRED), *map(str, arguments)]
    if shows:
        return subprocess.run(command, check=False).returncode
    done = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"demo: failed: {' '.join(command)}\n{done.stdout.decode(errors='replace')}")
    return json.loads(done.stdout)


def say(text):
    print(text, flush=True)


def run_all():
    """Every stage with its seconds; what simulate, import, link and tasks answered."""
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir(parents=True)
    stages, answers = {}, {}
    register = ("--register", REGISTER)
    for stage, what, command in (
            ("simulate", "十一个部门的文件 / eleven departments' files",
             ("simulate", "--division", DIVISION, "--errors", "hard", "--seed", "1", "--out", FEEDS)),
            ("init", "建登记库 / a new register", ("init", REGISTER)),
            ("import", "导入 / import", ("import", *register, FEEDS / "manifest.yaml")),
            ("link", "归并成人 / records become persons", ("link", *register, "--truth", FEEDS / "truth.csv")),
            ("count", "待办 / tasks", ("tasks", "count", *register)),
            ("tasks", "待办清单 / the first tasks", ("tasks", "list", "--limit", "20", *register))):
        say(f"  {what} …")
        start = time.monotonic()
        answers[stage] = kindred(*command)
        stages[stage] = round(time.monotonic() - start, 3)
    return stages, answers


def summarise(stages, answers, seconds):
    linked = answers["link"]
    summary = {
        "division": DIVISION,
        "persons": linked["persons"],
        "source_records": linked["source_records"],
        "batches": answers["import"]["imported"],
        "bad_rows": answers["import"]["bad_rows"],
        "precision": linked["precision"],
        "recall": linked["recall"],
        "f1": linked["f1"],
        "tasks": {c["kind"]: c["count"] for c in answers["count"] if c["state"] == "open"},
        "seconds": round(seconds, 3),
        "stages": stages,
        "link_stages": linked["stages"],
        "peak_memory_bytes": linked["peak_memory_bytes"],
    }
    text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
    (DEMO / "summary.json").write_text(text, encoding="utf-8")
    return summary


def every_task():
    return kindred("tasks", "list", "--state", "open", "--division", "610829001", "--limit", "1000", "--register", REGISTER)["tasks"]


def title_of(kind):
    found = kindred("tasks", "list", "--kind", kind, "--limit", "1", "--register", REGISTER)["tasks"]
    return f"{found[0]['title_zh']} {found[0]['title_en']}" if found else kind


def tell(summary):
    say(f"""
吴堡县（虚构的人口） / Wubu county (an invented population)
  {summary['batches']:>10,}  批文件            files, one batch each
  {summary['source_records']:>10,}  条来源记录        source records
  {summary['persons']:>10,}  人                persons
  {summary['precision']:>10.5f}  查准率（对真值）  precision, against truth
  {summary['recall']:>10.5f}  查全率            recall
  {summary['f1']:>10.5f}  F1
  {sum(summary['tasks'].values()):>10,}  件待办            tasks for villages and townships""")
    for kind, count in sorted(summary["tasks"].items(), key=lambda item: -item[1]):
        say(f"  {count:>14,}  {title_of(kind)}")
    say(f"  {summary['seconds']:>10.1f}  秒 seconds: "
        + ", ".join(f"{name} {seconds:.1f}" for name, seconds in summary["stages"].items()))


# Who may sign in: login, role, area, name.
STAFF = (("clerk", "township_clerk", "610829001000", "王经办"), ("doctor", "clinician", "610829000000", "李大夫"),
         ("steward", "data_steward", "610829000000", "赵数据"), ("county", "county_manager", "610829000000", "刘县管"),
         ("city", "city_manager", "610800000000", "陈市管"), ("auditor", "auditor", "000000000000", "孙审计"),
         ("admin", "administrator", "000000000000", "周管理"))
PASSWORD = "Kindred-demo-1"  # of invented people; a real account's first password is random and must be changed


def village_with_work(tasks):
    """The village of the clerk's township that has most to settle."""
    counts = collections.Counter(str(t["division"]) for t in tasks if str(t["division"]).startswith("610829001"))
    inner = [code for code, _ in counts.most_common() if not code.endswith("000")]
    return inner[0] if inner else "610829001000"


def make_accounts(tasks):
    staff = (("village", "village_worker", village_with_work(tasks), "张村医"), *STAFF)
    for login, role, area, name in staff:
        kindred("account", "create", "--register", REGISTER, "--login", login, "--name", name, "--role", role, "--area", area,
                "--password", PASSWORD, "--keep-password")
    return staff


def serve(staff, is_once, listen):
    """The console until Ctrl-C; with `is_once` only until it has answered."""
    server = subprocess.Popen([KINDRED, "serve", "--register", REGISTER, "--listen", listen, "--web", ROOT / "web/dist"],
                              stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r"http://\S+", server.stdout.readline())
        if not found:
            sys.exit("demo: the server did not start")
        address = found.group().rstrip("/")
        say(f"\n控制台 / the console: {address}\n密码都是 / every password: {PASSWORD}")
        for login, role, _, name in staff:
            say(f"  {login:<10} {name}  {role}")
        if is_once:
            with urllib.request.urlopen(f"{address}/readyz", timeout=30) as ready:
                return ready.status == 200
        say("\nCtrl-C 结束 / Ctrl-C ends")
        server.wait()
    except KeyboardInterrupt:
        say("")
    finally:
        server.terminate()
        server.wait(30)
    return True


def tell_next(tasks):
    say("\n命令行 / on the command line:")
    kindred_at, register = KINDRED.relative_to(ROOT), REGISTER.relative_to(ROOT)
    person = next((t["person"] for t in tasks if t["person"]), None)
    if person:
        say(f"  {kindred_at} person why {person} --register {register}")
    if tasks:
        say(f"  {kindred_at} tasks show {tasks[0]['id']} --register {register}")
    say(f"  {kindred_at} audit verify --register {register}")


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when everything has been done and has answered")
    parser.add_argument("--listen", default="127.0.0.1:8610", metavar="ADDR:PORT")
    options = parser.parse_args()
    os.chdir(ROOT)
    say("亲源演示 / Kindred demo")
    start = time.monotonic()
    stages, answers = run_all()
    summary = summarise(stages, answers, time.monotonic() - start)
    tasks = answers["tasks"]["tasks"]
    tell(summary)
    tell_next(tasks)
    listen = "127.0.0.1:0" if options.once else options.listen
    sys.exit(0 if serve(make_accounts(every_task()), options.once, listen) else 1)


main()

#!/usr/bin/env python3
"""
An invented county, end to end: simulate, import, link, ask. `./dev demo [--once]` runs it after building.

Leaves build/demo: feeds/ as the departments would send them, register/, and summary.json with what was measured.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

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


def tell_next(tasks):
    say("\n接下来 / next:")
    kindred_at, register = KINDRED.relative_to(ROOT), REGISTER.relative_to(ROOT)
    person = next((t["person"] for t in tasks if t["person"]), None)
    if person:
        say(f"  {kindred_at} person why {person} --register {register}")
    if tasks:
        say(f"  {kindred_at} tasks show {tasks[0]['id']} --register {register}")
    say(f"  {kindred_at} tasks list --division {DIVISION} --register {register}")
    say(f"  {kindred_at} corrections list --register {register}")
    say("  cat build/demo/summary.json")


def is_id(text):
    return len(text) == 13 and text.isalnum() and text.isascii()


def prompt():
    """Until the end of input or Ctrl-C: a name or pinyin finds persons, an id shows one and why, `tasks` lists."""
    register = ("--register", REGISTER)
    say("""
姓名、拼音首字母或编号；why 编号：每个取值的理由；task 编号：一件待办；tasks：待办清单；Ctrl-D 结束
a name, pinyin initials or an id; why ID: reasons of every value; task ID: one task; tasks: the list; Ctrl-D ends""")
    while True:
        try:
            words = input("亲源> ").split()
        except (EOFError, KeyboardInterrupt):
            say("")
            return
        if not words:
            continue
        if words[0] in ("quit", "exit"):
            return
        if words[0] == "tasks":
            kindred("tasks", "list", *register, "--limit", "20", shows=True)
        elif words[0] == "task" and len(words) == 2:
            kindred("tasks", "show", words[1], *register, shows=True)
        elif words[0] == "why" and len(words) == 2:
            kindred("person", "why", words[1], *register, shows=True)
        elif is_id(words[0]):
            kindred("person", "show", words[0], *register, shows=True)
        elif words[0].isascii() and words[0].isalpha():
            kindred("person", "show", "--initials", words[0].lower(), *register, shows=True)
        else:
            kindred("person", "show", "--name", " ".join(words), *register, shows=True)


def main():
    if sys.argv[1:] not in ([], ["--once"]):
        sys.exit("usage: ./dev demo [--once]")
    os.chdir(ROOT)
    say("亲源演示 / Kindred demo")
    start = time.monotonic()
    stages, answers = run_all()
    summary = summarise(stages, answers, time.monotonic() - start)
    tasks = answers["tasks"]["tasks"]
    tell(summary)
    tell_next(tasks)
    if sys.argv[1:] == []:
        prompt()


main()

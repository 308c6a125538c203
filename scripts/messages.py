#!/usr/bin/env python3
"""
What the program says when something fails, in both languages: src/base/messages.csv, English as it stands in the C, and Chinese.

    messages.py make OUT.c      the catalogue as C, refused when a pair's conversions (%s, %lld …) differ
    messages.py check           every message in src/ is in the catalogue, and nothing else is

A Chinese text that wants its values in another order numbers all of them: %2$s … %1$d.
"""
import csv
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "src/base/messages.csv"
# The argument that holds the text.
CALLS = {"kd_fail": 3, "kd_fail_at": 5, "kd_hint": 1, "kd_yaml_fail": 2, "kd_fail_errno": 2, "kd_message": 0,
         "kd_problem_answer": 2, "kd_conn_refuse": 2,
         "wrong": -1, "refuse": -1, "fail_as": -1}  # the last three: short ways of a file, which hand the text to kd_message
CALL = re.compile(r"(?<!define )\b(" + "|".join(CALLS) + r")\s*\(")
# Comments, and single characters, which may be quotes; texts are matched first, so that they stay whole.
BLANKED = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/|\'(?:\\.|[^\'\\\n])\'', re.S)
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
CONVERSION = re.compile(r"%(?:(\d+)\$)?([-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j|t)?[a-zA-Z%])")


def arguments(text, at):
    """The arguments of the call whose opening bracket ends at `at`."""
    depth, current, found, in_text = 0, "", [], False
    while at < len(text):
        c = text[at]
        if in_text:
            current += c
            if c == "\\":
                at += 1
                current += text[at]
            elif c == '"':
                in_text = False
        elif c == '"':
            in_text, current = True, current + c
        elif c in "([{":
            depth, current = depth + 1, current + c
        elif c in ")]}":
            if depth == 0:
                return found + [current]
            depth, current = depth - 1, current + c
        elif c == "," and depth == 0:
            found, current = found + [current], ""
        else:
            current += c
        at += 1
    return found


def unescaped(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), text)


def texts_of(argument):
    """The texts an argument may be: `a ? "x" : "y"` is two; adjacent literals are one."""
    for choice in re.split(r'[?:](?=(?:[^"]*"[^"]*")*[^"]*$)', re.sub(r'\\"', "\x01", argument)):
        joined = "".join(LITERAL.findall(choice))
        if re.search(r"[A-Za-z]", CONVERSION.sub("", joined)):
            yield unescaped(joined.replace("\x01", '"'))


def blanked(match):
    return match.group() if match.group().startswith('"') else re.sub(r"[^\n]", " ", match.group())


def said():
    """Every text with the first place that says it."""
    found = {}
    for file in sorted((ROOT / "src").rglob("*.c")):
        text = BLANKED.sub(blanked, file.read_text(encoding="utf-8"))
        for call in CALL.finditer(text):
            given = arguments(text, call.end())
            if len(given) > max(CALLS[call.group(1)], 0):
                where = f"{file.relative_to(ROOT)}:{text[:call.start()].count(chr(10)) + 1}"
                for one in texts_of(given[CALLS[call.group(1)]]):
                    found.setdefault(one, where)
    return found


def catalogue():
    with open(CATALOGUE, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return [(i + 1, row) for i, row in enumerate(rows)][1:]


def conversions(text):
    """Conversions in the order of the values they take."""
    found = [(m.group(1), m.group(2)) for m in CONVERSION.finditer(text) if m.group(2) != "%"]
    if any(number for number, _ in found):
        if not all(number for number, _ in found) or any("*" in kind for _, kind in found):
            return None
        return [kind for _, kind in sorted(found, key=lambda f: int(f[0]))]
    return [kind for _, kind in found]


def faults_of_catalogue():
    seen = set()
    for line, row in catalogue():
        where = f"{CATALOGUE.relative_to(ROOT)}:{line}"
        if len(row) != 2 or not all(row):
            yield f"{where}: wants an English and a Chinese text"
        elif row[0] in seen:
            yield f"{where}: stands twice"
        elif conversions(row[0]) != conversions(row[1]):
            yield f"{where}: the conversions differ: {conversions(row[0])} and {conversions(row[1])}"
        seen.add(row[0])


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def make(out):
    if faults := list(faults_of_catalogue()):
        sys.exit("\n".join(faults))
    pairs = sorted((row for _, row in catalogue()), key=lambda row: row[0].encode())
    with open(out, "w", encoding="utf-8") as file:
        file.write('#include "messages.h"\n\nconst kd_message_pair KD_MESSAGES[] = {\n')
        file.writelines(f"    {{ {quoted(en)}, {quoted(zh)} }},\n" for en, zh in pairs)
        file.write("    { \"\", \"\" }, /* no list is empty in C */\n};\n")
        file.write(f"const size_t KD_MESSAGE_COUNT = {len(pairs)};\n")


def check():
    known = {row[0] for _, row in catalogue() if row}
    spoken = said()
    faults = list(faults_of_catalogue())
    faults += [f"{where}: not in {CATALOGUE.relative_to(ROOT)}: {text}" for text, where in spoken.items() if text not in known]
    faults += [f"{CATALOGUE.relative_to(ROOT)}: nothing says this any more: {text}" for text in sorted(known - set(spoken))]
    print("\n".join(faults) or f"all {len(spoken)} messages stand in both languages")
    sys.exit(1 if faults else 0)


if sys.argv[1:2] == ["make"] and len(sys.argv) == 3:
    make(sys.argv[2])
elif sys.argv[1:] == ["check"]:
    check()
elif sys.argv[1:] == ["list"]:  # what is not in the catalogue yet, as CSV to be completed
    known = {row[0] for _, row in catalogue() if row}
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows([text, ""] for text in said() if text not in known)
else:
    sys.exit(__doc__)

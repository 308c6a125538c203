#!/usr/bin/env python3
"""
What must not stand in this tree: banned C functions, unfinished work, paths of somebody's machine; and what must:
a README.md of under 40 lines in every folder of src/ and in tests/, bench/ and fuzz/.

    check_banned.py c | words | readmes
"""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BANNED = ("strcpy strcat stpcpy sprintf vsprintf strtok atoi atol atoll atof rand srand gets localtime gmtime ctime "
          "asctime system popen alloca tmpnam mktemp").split()
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b(?!X)")
MACHINE = re.compile(r"(?<![\w.{}$])/(?:wo" r"rk|ro" r"ot|ho" r"me)/\w")
README_LINES_MAX = 40
TEXT = {".c", ".h", ".py", ".md", ".yaml", ".yml", ".build", ".txt", ".sh", ".sql", ".json", ".toml", ""}


def files(*folders):
    for folder in folders:
        for path, names, found in os.walk(ROOT / folder):
            names[:] = sorted(n for n in names if n not in {".git", "build", "node_modules", "__pycache__", "corpus"})
            yield from (pathlib.Path(path, f) for f in sorted(found))


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def place(file, text, match):
    return f"{file.relative_to(ROOT)}:{text[:match.start()].count(chr(10)) + 1}"


def check_c():
    """C functions whose use is nearly always a bug, outside comments and strings."""
    for file in files("src", "include", "tests", "fuzz", "bench"):
        if file.suffix not in {".c", ".h"}:
            continue
        text = NOT_CODE.sub(blank, file.read_text(encoding="utf-8"))
        for match in CALL.finditer(text):
            yield f"{place(file, text, match)}: {match.group(1)} is banned"


def check_words():
    for file in files("."):
        if file.suffix not in TEXT or file.stat().st_size > 1 << 20:
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for pattern, what in ((UNFINISHED, "unfinished work"), (MACHINE, "the path of one machine")):
            for match in pattern.finditer(text):
                yield f"{place(file, text, match)}: {what}: {match.group()}"


def check_readmes():
    folders = [f for f in sorted((ROOT / "src").iterdir()) if f.is_dir()]
    for folder in [*folders, ROOT / "tests", ROOT / "bench", ROOT / "fuzz"]:
        readme = folder / "README.md"
        if not readme.is_file():
            yield f"{folder.relative_to(ROOT)}: no README.md"
        elif (lines := readme.read_text(encoding="utf-8").count("\n")) >= README_LINES_MAX:
            yield f"{readme.relative_to(ROOT)}: {lines} lines; a reader wants under {README_LINES_MAX}"


def main():
    checks = {"c": check_c, "words": check_words, "readmes": check_readmes}
    if len(sys.argv) != 2 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    faults = list(checks[sys.argv[1]]())
    print("\n".join(faults) or "nothing found")
    sys.exit(1 if faults else 0)


main()

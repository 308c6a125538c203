#!/usr/bin/env python3
"""Write files as C string constants: embed.py OUT.c NAME=FILE … ; NAME is the constant's name."""
import sys


def literal(text: str) -> str:
    lines = text.split("\n")
    quoted = []
    for i, line in enumerate(lines):
        line = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
        quoted.append('    "' + line + ("\\n" if i + 1 < len(lines) else "") + '"')
    return "\n".join(quoted)


def main() -> None:
    out, pairs = sys.argv[1], sys.argv[2:]
    with open(out, "w", encoding="utf-8") as file:
        for pair in pairs:
            name, path = pair.split("=", 1)
            with open(path, encoding="utf-8") as source:
                file.write(f"extern const char {name}[];\nconst char {name}[] =\n{literal(source.read())};\n")


main()

#!/usr/bin/env python3
"""
Hold the includes to the order of the layers.

A folder of src/ includes only itself and what stands above it in ORDER; an engine (all down to `simulate`) never
includes the store or anything below it; of another folder only its face, src/NAME/NAME.h or include/kindred/NAME.h.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORDER = ("base text frame match rules demog simulate store register access exchange services benefits monitor "
         "server cli").split()
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<(kindred/[^>]+)>)', re.M)


def faults_of(file, layer):
    text = file.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        quoted, public = match.groups()
        where = f"{file.relative_to(ROOT)}:{text[:match.start()].count(chr(10)) + 1}"
        path = pathlib.PurePosixPath(quoted or public)
        if ".." in path.parts:
            yield f"{where}: an include with .. hides where it goes: {path}"
            continue
        other = path.stem if public else path.parts[0] if len(path.parts) > 1 else layer
        if other not in ORDER:
            yield f"{where}: '{other}' is no layer"
        elif ORDER.index(other) > ORDER.index(layer):
            yield f"{where}: {layer} stands above {other} and must not see it"
        elif other != layer and quoted and path.parts[1:] != (f"{other}.h",):
            yield f"{where}: {path} is private to src/{other}; include {other}/{other}.h"


def main():
    faults = []
    for folder in sorted((ROOT / "src").iterdir()):
        if not folder.is_dir():
            continue
        if folder.name not in ORDER:
            faults.append(f"src/{folder.name}: a folder that has no place in the order of the layers")
            continue
        for file in sorted(folder.rglob("*.[ch]")):
            faults.extend(faults_of(file, folder.name))
    for file in sorted((ROOT / "include/kindred").glob("*.h")):
        if file.stem not in ORDER[:ORDER.index("store")]:
            faults.append(f"{file.relative_to(ROOT)}: only an engine has a public header")
        else:
            faults.extend(faults_of(file, file.stem))
    print("\n".join(faults) or "the includes follow the order of the layers")
    sys.exit(1 if faults else 0)


main()

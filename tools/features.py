#!/usr/bin/env python3
"""Whether the hypervisor links without each of its features: features.py NAME: OBJECT... NAME: OBJECT... all: OBJECT...

What the other objects want of a feature's must be weak symbols. It is asked of the objects, since a link takes seconds."""

import subprocess
import sys
from collections import defaultdict


def symbols(objects: list[str]) -> dict[str, tuple[set[str], set[str]]]:
    """For each object the symbols that it defines and those that it cannot do without."""
    out = subprocess.run(["gcc-nm", "-A", *objects], check=True, capture_output=True, text=True).stdout
    found = defaultdict(lambda: (set(), set()))
    for line in out.splitlines():
        path, _, rest = line.partition(":")
        *_, kind, name = rest.split()
        if kind == "U":
            found[path][1].add(name)
        elif kind.isupper():
            found[path][0].add(name)
    return found


def main() -> int:
    features, name = defaultdict(list), ""
    for word in sys.argv[1:]:
        if word.endswith(":"):
            name = word[:-1]
        else:
            features[name].append(word)
    objects = features.pop("all")
    found = symbols(objects)
    failures = 0
    for name, without in features.items():
        missing = set().union(*(found[o][0] for o in without))
        for o in objects:
            if o not in without and found[o][1] & missing:
                failures += 1
                print(f"without {name}, {o} misses {', '.join(sorted(found[o][1] & missing))}")
    return 1 if failures else 0


sys.exit(main())

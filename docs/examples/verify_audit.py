"""Proves an exported audit log whole, without flit: python verify_audit.py FILE LENGTH:HASH, as a report prints it."""

import csv
import hashlib
import json
import re
import sys

TOLD = ("run", "outcome", "verb", "entry", "object", "key", "part", "destination_id", "code", "by")
HEADER = ("\ufeff" + ",".join(("seq", "at", *TOLD, "event", "hash")) + "\n").encode()
HEAD = re.compile("([1-9][0-9]*):([0-9a-f]{16,64})")
JSONL = re.compile(r'\{"seq":[0-9]+,"at":"([^"\n]*)","event":(.*),"hash":"(.{64})"\}\n')


def cell(value):  # on one line, and behind an apostrophe where a spreadsheet would run it
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return "" if value is None else re.sub("^(?='*[=+@\t\uff1d\uff0b\uff0d\uff20-])", "'", " ".join(text.splitlines()))


def written(number, at, event, here, as_csv):  # a line as flit writes it: whatever else is there was not written by it
    if not as_csv:
        return f'{{"seq":{number},"at":"{at}","event":{event},"hash":"{here}"}}\n'.encode()
    out = csv.writer(type("Out", (), {"write": str.encode}), lineterminator="\n")
    return out.writerow([number, at, *map(cell, map(json.loads(event).get, TOLD)), event, here])


csv.field_size_limit(1 << 28)
heads, last, number = dict([(HEAD.fullmatch(" ".join(sys.argv[2:])) or sys.exit(__doc__)).groups()]), "0" * 64, 0
with open(sys.argv[1], "rb") as file:
    as_csv = file.readline() == HEADER or bool(file.seek(0))
    for number, raw in enumerate(file, 1):
        try:
            found = next(csv.reader([raw.decode()])) if as_csv else JSONL.fullmatch(raw.decode()).groups()
            at, event, here = found[as_csv], *found[-2:]
            last, known = hashlib.sha256(f"{last}\n{at}\n{event}".encode()).hexdigest(), heads.get(str(number), "")
            if (raw, here) != (written(number, at, event, here, as_csv), last) or not last.startswith(known):
                raise ValueError
        except (ValueError, AttributeError, IndexError, StopIteration, csv.Error):
            sys.exit(f"NOT WHOLE: line {number} was changed or moved, or one before it is missing.")
sys.exit("NOT WHOLE: lines are missing at the end." if number < int(*heads) else 0)  # whole

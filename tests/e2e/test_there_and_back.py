"""The example practice into an account that people work in all the while, later exports, and all of it taken back.

With FLITSTACK_PATIENTS=1000: as many patients, into 200 people of whom 30 are patients; the ordinary suite moves fewer.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import random
import shutil
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from tests.e2e.conftest import FLIT, ended, write_export
from tests.e2e.desk import Book, Desk, on_ours
from tests.e2e.test_existing import in_the_account, someone
from tests.faults.real import difference

from flitstack.journal import Journal
from flitstack.protocols import full_key
from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.canonical import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Row: TypeAlias = dict[str, str]
PATIENTS = int(os.environ.get("FLITSTACK_PATIENTS", "40"))
SEED = int(os.environ.get("FLITSTACK_THERE_AND_BACK_SEED", "1"))
KNOWN, OTHERS, DEEDS = (30, 170, 60) if PATIENTS >= 200 else (8, 32, 16)
RAGGED = "more cells than columns"
REQUESTS_EACH = 15
"""About how many requests the first run takes per patient: the moments at which people work are drawn from as many."""
RECORDS = ("organization", "person", "deal", "activity", "note", "file")
SCHEMA_PATHS = {
    "field": "/api/v2/{of}Fields/{id}",
    "pipeline": "/api/v2/pipelines/{id}",
    "stage": "/api/v2/stages/{id}",
    "activity_type": "/api/v1/activityTypes/{id}",
}


# --- the export ---


def rows_of(export: Path, table: str) -> list[Row]:
    """Return a table of the export."""
    csv.field_size_limit(10_000_000)
    with (export / f"{table}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, restkey=RAGGED))


def write_rows(export: Path, table: str, rows: list[Row]) -> None:
    """Write a table of the export, its rows as ragged as they were."""
    names = list(rows[0])
    with (export / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in rows:
            cells = [row[name] for name in names if row.get(name) is not None]
            writer.writerow([*cells, *row.get(RAGGED, ())])


def next_export(export: Path, turn: int, chance: random.Random, torn: set[str]) -> None:
    """Let the practice's own system move on: things change, somebody new comes, and rows vanish.

    :param torn: patients whom people changed in the account; they change here, too.
    """
    patients, points = rows_of(export, "patients"), rows_of(export, "contact_points")
    visits, plans = rows_of(export, "appointments"), rows_of(export, "treatment_plans")
    some = max(3, len(patients) // 15)
    for row in chance.sample([row for row in points if row["kind"] == "email" and "@" in row["value"]], some):
        row["value"] = f"turn{turn}-{row['id'].lower()}@mail.example"
    for number, row in enumerate(chance.sample([row for row in points if row["kind"] == "mobile"], some)):
        row["value"] = f"(414) 555-{turn}{number:03d}"
    for number, row in enumerate(row for row in points if row["patient_id"] in torn and row["kind"] == "mobile"):
        row["value"] = f"(415) 555-{turn}{number:03d}"
    for row in (row for row in patients if row["id"] in torn):
        row["birth_date"] = f"1977-07-0{turn}"
    for row in chance.sample(patients, some):
        row["preferred_name"], row["contact_preference"] = f"Turn{turn}", "phone"
    for row in chance.sample(visits, some):
        row["reason"] = f"Moved at turn {turn}"
    for row in [row for row in plans if row["status"] == "proposed"][:some]:
        row["status"] = "accepted"
    for number in range(3):
        new = f"N{turn}{number}"
        names = {"last_name": f"Newcomer{new}", "first_name": "Nell", "birth_date": f"1981-0{1 + number}-1{turn}"}
        patients.append({**patients[-1], "id": new, "chart_number": new, "guarantor_id": new, **names})
        points.append({**points[0], "id": f"C{new}", "patient_id": new, "kind": "mobile",
                       "value": f"(415) 555-2{turn}{number}0"})  # fmt: skip
        visits.append({**visits[0], "id": f"AP{new}", "patient_id": new})
    for rows in (visits, plans):
        for row in chance.sample(rows[:-3], 2):
            rows.remove(row)
    gone = chance.choice(patients[len(patients) // 2 : -3])["id"]
    write_rows(export, "patients", [row for row in patients if row["id"] != gone])
    write_rows(export, "contact_points", [row for row in points if row["patient_id"] != gone])
    write_rows(export, "appointments", [row for row in visits if row["patient_id"] != gone])
    write_rows(export, "treatment_plans", plans)
    manifest = export / "export_manifest.json"
    told = json.loads(manifest.read_text("utf-8"))
    told["as_of"] = f"2026-07-{turn:02d}"
    manifest.write_text(json.dumps(told), "utf-8")


def known_people(export: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return who is in the account before: patients, as the front desk once typed them in, and others; and their ids.

    These patients get a mobile number and an e-mail of their own in the export: invented ones are few, and shared.
    """
    points = rows_of(export, "contact_points")
    kinds = {(row["patient_id"], row["kind"]): row for row in points}
    rows = rows_of(export, "patients")
    often = Counter(row["id"] for row in rows)  # some stand there twice: by a decision only one of them is meant
    patients = [row for row in rows if row["birth_date"] and row["status"] == "patient" and often[row["id"]] == 1]
    told = [row for row in patients if {(row["id"], "mobile"), (row["id"], "email")} <= kinds.keys()][:KNOWN]
    assert len(told) == KNOWN
    people = []
    for number, row in enumerate(told):
        mobile, email = f"(312) 555-1{number:03d}", f"known{number}@mail.example"
        kinds[row["id"], "mobile"]["value"], kinds[row["id"], "email"]["value"] = mobile, email
        typed = {"first": row["first_name"], "last": row["last_name"], "mobile": mobile, "email": email}
        people.append(person_of(in_the_account(typed, number)))
    write_rows(export, "contact_points", points)
    others = [person_of(someone(number)) for number in range(30, 30 + OTHERS)]
    return people + others, [row["id"] for row in told]


def person_of(row: Row) -> dict[str, Any]:
    """Return what is typed in of somebody."""
    return {
        "name": f"{row['first']} {row['last']}",
        "phones": [{"value": row["mobile"], "label": "work", "primary": True}],
        "emails": [{"value": row["email"], "label": "work", "primary": True}],
    }


# --- the two accounts ---


def begin(desk: Desk, people: list[dict[str, Any]]) -> None:
    """Type in the people of before."""
    for number, person in enumerate(people):
        desk.known[f"before/{number}"] = "person", desk.hand.add("person", person)["id"]


@dataclass(slots=True)
class Migration:
    """A migration under way into an account over HTTP."""

    site: Any
    desk: Desk
    people: list[dict[str, Any]]
    figures: list[str] = field(default_factory=list)

    def run(self, what: str, deeds: list[Any], chance: random.Random, within: int) -> Any:
        """Run while people work, and check what holds after every run."""
        self.desk.plan(deeds, within, chance)
        began = time.monotonic()
        done = self.flit(self.site.command("--json", "--approve-unseen", "test"))
        self.figure(what, done, time.monotonic() - began)
        self.desk.finish()
        wrong = self.not_as_written()
        assert done.code in ((6,) if wrong else (0, 1)), done.err
        assert done.report["verified"]["mismatched"] == len(wrong)
        assert wrong <= {(kind, str(id_)) for (kind, id_), typed in self.desk.typed.items() if typed is None}
        for stream, counts in done.report["streams"].items():
            assert counts["read"] == sum(n for name, n in counts.items() if name != "read"), (what, stream, counts)
        self.check(what)
        self.desk.look()
        return done

    def torn(self) -> set[str]:
        """Return the patients whose person people changed."""
        changed = {str(id_) for (kind, id_), typed in self.desk.typed.items() if kind == "person" and typed}
        start = "dental:patients:"
        return {key.removeprefix(start) for (_, key), id_ in ids_in(self.site.journal).items()
                if key.startswith(start) and id_ in changed}  # fmt: skip

    def not_as_written(self) -> set[tuple[str, str]]:
        """Return what of ours the last run did not find as it was written, but for what people changed.

        What people deleted is among it: nothing tells that from a loss.
        """
        told = json.loads((self.site.folder / "flit-reports" / "report.json").read_text("utf-8"))
        ids = ids_in(self.site.journal)
        return {(one[0], ids[one[0], one[1]]) for one in told["verified"]["differences"] if one[2] != "changed"}

    def undo(self, deeds: list[Any], chance: random.Random, within: int) -> Any:
        """Take it back while people work on records of their own."""
        self.desk.plan(deeds, within, chance)
        began = time.monotonic()
        command = [*FLIT, "rollback", "--json", "--journal", str(self.site.journal), "--approve-unseen", "test"]
        done = self.flit([*command, "--set", "dest.list_lag_s=0"])
        self.figure("rollback", done, time.monotonic() - began)
        self.desk.finish()
        self.check("rollback")
        return done

    def flit(self, command: list[str]) -> Any:
        """Run a command to its end, however long it takes."""
        return ended(command, cwd=self.site.folder, env=self.site.env(), timeout=3600)

    def figure(self, what: str, done: Any, seconds: float) -> None:
        """Note what it took."""
        assert done.out, done.err
        requests, tokens = done.report["requests"], done.report["tokens"]["spent"]
        self.figures.append(f"{what}: {requests:,} requests, {tokens:,} tokens, {seconds:,.1f} s, exit {done.code}")

    def check(self, what: str) -> None:
        """Every edit of people's is there, and none of them failed."""
        assert self.desk.errors == [], what
        assert self.desk.lost() == [], what


def ids_in(journal: Path) -> dict[tuple[str, str], str]:
    """Return object and key of what the journal knows in the account, to its id there."""
    with Journal.existing(journal) as opened:
        links = opened.records.links()
        return {(link.object, full_key(link.key, link.part)): link.destination_id for link in links}


@pytest.fixture
def migration(tmp_path: Path, serve: Any) -> Iterator[Migration]:
    """A migration into an account of people, not begun."""
    folder = tmp_path / "migrated"
    folder.mkdir()
    write_export(folder / "export", PATIENTS, 5)
    with serve(folder / "account.db") as served:
        desk, (people, known) = Desk(served.sandbox), known_people(folder / "export")
        begin(desk, people)
        served.sandbox.front.human = desk
        # Some patients stand in the export twice: somebody says which of the two the account's person is.
        adopt = [f"adopt,patients:{id_},{desk.known[f'before/{place}'][1]}" for place, id_ in enumerate(known)]
        (folder / "decided.csv").write_text("\n".join(["decision,record,other", *adopt]), "utf-8")
        site = served.site(folder)
        yield Migration(replace(site, settings=(*site.settings, "decisions=decided.csv")), desk, people)


def replayed(folder: Path, people: list[dict[str, Any]], book: Book) -> Any:
    """Return what an account holds in which people alone worked."""
    with Sandbox(str(folder / "left_alone.db"), plan="ultimate", seats=5) as sandbox:
        desk = Desk(sandbox)
        begin(desk, people)
        for deed in book.written:
            deed(desk)
        assert desk.lost() == []
        return sandbox.canonical()


def without_conflicts(folder: Path, desk: Desk, places: list[tuple[str, str, str]]) -> Any:
    """Return what the account holds once what is listed, and what people hung on that, is removed by hand.

    :param places: object, id, and field; "" for the whole record.
    """
    copy = folder / "by_hand.db"
    with closing(sqlite3.connect(folder / "account.db")) as account, closing(sqlite3.connect(copy)) as to:
        account.backup(to)
    with Sandbox(str(copy), plan="ultimate", seats=5, switches=Switches(burst=100_000)) as sandbox:
        hand = Desk(sandbox).hand
        for kind, number in desk.beside:
            hand.delete(kind, number)
        before = {number for kind, number in desk.known.values() if kind == "person"}
        schema = []
        for object_, id_, name in dict.fromkeys(places):
            there = object_ in SCHEMA_PATHS or sandbox.account.store.live(object_, int(id_))
            if object_ in SCHEMA_PATHS:
                schema.append((object_, id_))
            elif there and object_ == "person" and int(id_) in before:
                if name.endswith("__c"):
                    hand.edit("person", int(id_), {"fields": {name: None}})
            elif there:
                hand.delete(object_, id_)
        ofs = {doc["field_code"]: doc["of"] for doc in sandbox.dump()["field"]}
        for object_, id_ in sorted(schema, key=lambda item: list(SCHEMA_PATHS).index(item[0])):
            if object_ != "stage":  # they go with their pipeline
                hand.do("DELETE", SCHEMA_PATHS[object_].format(of=ofs.get(id_), id=id_))
        return sandbox.canonical()


def check_reasons(desk: Desk, listed: dict[tuple[str, int], str]) -> None:
    """Nothing is said to be changed, or to carry something, that people did not change or hang something on."""
    here = {(kind, doc["id"]) for kind in RECORDS for doc in desk.docs(kind)}
    codes: dict[str, set[tuple[str, int]]] = {}
    for place, code in listed.items():
        codes.setdefault(code, set()).add(place)
    changed, before = codes.get("changed", set()), set(desk.known.values())
    assert desk.changed & here <= changed
    assert changed - desk.changed <= before & desk.typed.keys()
    assert codes.get("something_hangs_on_it", set()) == (desk.hung & here) - changed


def test_taken_back_the_account_is_as_if_people_alone_had_worked_in_it_but_for_listed_conflicts(
    migration: Migration, tmp_path: Path
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - a repeatable choice, no secret
    export, desk = migration.site.export, migration.desk
    book = Book(chance, sorted(desk.known))
    turns = itertools.count()

    def deeds(meddling: int = DEEDS // 2) -> list[Any]:
        """Return what people do next: with their own records, in that order, and between that with ours."""
        found = book.next_deeds(DEEDS)
        for number in range(meddling):
            found.insert(chance.randint(0, len(found)), on_ours(next(turns), number, chance))
        return found

    migration.run("load", deeds(), chance, REQUESTS_EACH * PATIENTS)
    known = {desk.known[f"before/{number}"] for number in range(KNOWN)}
    assert {place for place in known if desk.typed.get(place, {}) is not None} == set(desk.adopted())
    book.empties = True
    next_export(export, 1, chance, migration.torn())
    migration.run("delta", deeds(), chance, 100)
    shutil.copytree(export, tmp_path / "same")
    shutil.rmtree(export)
    (tmp_path / "same").rename(export)
    same = migration.run("the same export", deeds(), chance, 60)
    assert same.writes == 0
    next_export(export, 2, chance, migration.torn())
    second = migration.run("second delta", deeds(), chance, 100)
    assert second.report["streams"]["patients"]["conflict"] >= 1
    done = migration.undo(deeds(0), chance, 4 * PATIENTS)
    sys.stdout.write("\n".join(migration.figures) + "\n")

    assert done.code == 1, done.err
    assert done.report["verified"]["expected"] == done.report["verified"]["found"]
    conflicts = done.report["conflicts"]
    with Journal.existing(migration.site.journal) as journal:
        assert journal.audit.broken_at() is None
    ids = ids_in(migration.site.journal)
    places = [(one["object"], ids[one["object"], one["key"]], one["field"]) for one in conflicts]
    check_reasons(
        desk, {(o, int(id_)): one["code"] for one, (o, id_, _) in zip(conflicts, places, strict=True) if o in RECORDS}
    )
    found = without_conflicts(migration.site.folder, desk, places)
    wanted = replayed(tmp_path, migration.people, book)
    assert difference(found, wanted) == {}
    assert fingerprint(found) == fingerprint(wanted)
    kept = Counter(conflict["code"] for conflict in conflicts)
    sys.stdout.write(f"{sum(n['deleted'] for n in done.report['objects'].values()):,} deleted, kept: {dict(kept)}\n")

"""An account of 200 people of whom 30 are patients: who is adopted, who is not, and what stays as it was."""

from __future__ import annotations

import asyncio
import csv
import json
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import pytest

from flitstack_pipedrive.sandbox.app import Sandbox, Switches

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Row: TypeAlias = dict[str, str]
MakeSite: TypeAlias = "Callable[..., Any]"

FIRST = (
    "Ada", "Boris", "Chloé", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Keiko", "Lars", "Maeve",
    "Nadia", "Oscar", "Priya", "Quentin", "Rosa", "Stefan", "Tessa",
)  # fmt: skip
LAST = (
    "Abernathy", "Bianchi", "Castellanos", "Dvořák", "Eriksen", "Fairweather", "Górski", "Hawthorne", "Ivanova",
    "Jankowski", "Kowalczyk", "Lindqvist", "Moreau", "Nakamura", "Okafor", "Petrosyan", "Quintero", "Rasmussen",
    "Schröder", "Thornbury",
)  # fmt: skip


def someone(number: int, **facts: str) -> Row:
    """Return an invented person; nobody else has the same number."""
    row = {
        "first": FIRST[number % 20],
        "last": LAST[(number * 7 + number // 20) % 20],
        "born": f"{1940 + number * 3 % 60}-{1 + number % 12:02d}-{1 + number * 5 % 28:02d}",
        "mobile": f"(312) 555-{1000 + number * 37:04d}",
        "home": f"(773) 555-{1000 + number * 41:04d}",
        "email": f"person{number}@mail.example",
        "street": f"{100 + number * 3} Quarry Lane",
    }
    return {**row, **facts}


def patients() -> list[Row]:
    """Return 30 who are in the account and six who are not."""
    stones = {"last": "Stone", "home": "(773) 555-9101", "email": "stones@post.example", "street": "9 Mill Race"}
    reyes = {"first": "Tomás", "last": "Reyes", "home": "(773) 555-9202", "email": "reyes@post.example",
             "street": "14 Ferry Road"}  # fmt: skip
    known = [
        someone(200, first="Ava", born="2001-02-03", **stones),  # twins
        someone(201, first="Mia", born="2001-02-03", **stones),
        someone(202, born="1958-11-20", **reyes),  # father and son
        someone(203, born="1987-04-02", **reyes),
        someone(204, first="Robert", email="family@post.example"),  # an e-mail for a whole family
        someone(205, first="Joan", email="family@post.example"),
        *(someone(number) for number in range(24)),
    ]
    haddad = {"first": "Omar", "last": "Haddad", "email": "haddad@post.example", "home": "(773) 555-9303"}
    strangers = [
        someone(206, first="Noor", last="Haddad", email="haddad@post.example"),  # the account has her father alone
        someone(207, born="2009-08-07", **haddad),  # and his namesake is his son
        someone(208, first="Leo", born="2001-02-03", **stones),  # a third of the twins, whom the account does not have
        someone(209, first="Ada", last="Abernathy"),  # the name of another, and nothing else
        someone(210, email="reyes@post.example", last="Reyes", first="Lucía"),
        someone(211),
    ]
    return [*known, *strangers]


def in_the_account(row: Row, number: int) -> Row:
    """Return a patient as the front desk once typed them in."""
    row = dict(row)
    if row["first"] == "Robert":
        row["first"] = "Bob"
    match number % 5:
        case 1:
            row["last"] = row["last"].upper()
        case 2:
            row["mobile"] = "+1 " + row["mobile"].replace("(", "").replace(") ", "-")
        case 3:
            row["email"] = row["email"].upper()
        case 4:
            row["first"] = row["first"].replace("é", "e")
        case _:
            pass
    return row


def write_export(out: Path) -> None:
    """Write the patients as an export in the neutral layout."""
    out.mkdir()
    tables: dict[str, list[dict[str, Any]]] = {"patients": [], "contact_points": [], "addresses": []}
    for number, row in enumerate(patients()):
        id_ = f"P{number:03d}"
        tables["patients"].append(
            {"id": id_, "last_name": row["last"], "first_name": row["first"], "status": "patient",
             "birth_date": row["born"], "created_at": "2019-03-04T09:00:00"}
        )  # fmt: skip
        for kind in ("mobile", "home", "email"):
            point = {"id": f"C{len(tables['contact_points'])}", "patient_id": id_, "kind": kind, "value": row[kind]}
            tables["contact_points"].append(point)
        tables["addresses"].append(
            {"id": f"A{number}", "patient_id": id_, "kind": "mailing", "line1": row["street"], "city": "Saltmarsh",
             "state": "NJ", "postal_code": "07099"}
        )  # fmt: skip
    for name, rows in tables.items():
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    (out / "export_manifest.json").write_text(json.dumps({"as_of": "2026-06-30", "time_zone": "America/Chicago"}))


def people_of_the_account() -> list[Row]:
    """Return 200 people: 30 patients, and 170 others, some of whom share much with a patient."""
    known = [in_the_account(row, number) for number, row in enumerate(patients()[:30])]
    father = someone(300, first="Omar", last="Haddad", email="haddad@post.example", home="(773) 555-9303")
    known.append({**father, "birthday": "1970-01-09"})
    known.append(someone(301, last="Stone", first="George", email="stones@post.example", home="(773) 555-9101"))
    return [*known, *(someone(number) for number in range(30, 198))]


def seed(sandbox: Sandbox) -> None:
    """Type the people into the account, as people do."""

    async def type_in() -> None:
        headers = {"x-api-token": sandbox.users[0]["token"]}
        transport = httpx.ASGITransport(sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://account.example", headers=headers) as client:
            body = {"field_name": "Birthday", "field_type": "date"}
            birthday = (await client.post("/api/v2/personFields", json=body)).json()["data"]["field_code"]
            for row in people_of_the_account():
                person: dict[str, Any] = {
                    "name": f"{row['first']} {row['last']}",
                    "phones": [{"value": row["mobile"], "label": "work"}, {"value": row["home"], "label": "home"}],
                    "emails": [{"value": row["email"]}],
                }
                if "birthday" in row:
                    person["custom_fields"] = {birthday: row["birthday"]}
                answer = await client.post("/api/v2/persons", json=person)
                assert answer.status_code == 200, answer.text

    asyncio.run(type_in())


@pytest.fixture
def account_of_200(tmp_path: Path, make_site: MakeSite) -> Any:
    """A migration into the account of 200, not begun."""
    write_export(tmp_path / "export")
    site = make_site(tmp_path)
    with Sandbox(str(site.account), plan=site.plan, seats=site.seats, switches=Switches(burst=100_000)) as sandbox:
        seed(sandbox)
    return site


def key_of(person: dict[str, Any]) -> str | None:
    found: str | None = person["by_name"].get("Source_System_ID__c")
    return found


def test_thirty_of_two_hundred_are_adopted_after_approval_nobody_wrongly_and_nothing_is_overwritten(
    account_of_200: Any,
) -> None:
    site = account_of_200
    before = {person["id"]: person for person in site.state()["person"]}

    shown = site.run(approve=False)
    untouched = {person["id"]: person for person in site.state()["person"]}
    done = site.run()
    after = {person["id"]: person for person in site.state()["person"]}
    again = site.run()

    assert shown.code == 3
    assert "== existing ==" in shown.err
    assert "30 of ours are certainly among them" in shown.err
    assert untouched == before
    assert done.code == 0, done.err
    expected = {id_: f"dental:patients:P{number:03d}" for number, id_ in enumerate(list(before)[:30])}
    assert {id_: key_of(after[id_]) for id_ in before if key_of(after[id_])} == expected
    assert len(after) == 200 + 6
    for id_, person in before.items():
        held = {name: value for name, value in person.items() if value not in (None, [], "", {})}
        changing = {"update_time", "custom_fields", "by_name"}
        assert {name: after[id_][name] for name in held.keys() - changing} == {
            name: held[name] for name in held.keys() - changing
        }
        assert person["by_name"].items() <= after[id_]["by_name"].items()
    assert done.report["objects"]["person"]["created"] == 6
    assert done.report["objects"]["person"]["updated"] == 30
    assert after[next(iter(before))]["by_name"]["Date_Of_Birth__c"] == "2001-02-03"
    assert again.code == 0
    assert again.writes == 0
    assert again.report["verified"]["mismatched"] == 0


def test_a_decisions_file_adopts_leaves_out_and_creates_whom_a_person_says(account_of_200: Any) -> None:
    site = account_of_200
    first, second = list(site.state()["person"])[:2]
    other = next(p for p in site.state()["person"] if p["name"] == "George Stone")
    lines = [
        "decision,record,other",
        "create,patients:P000,",
        f"adopt,patients:P032,{other['id']}",
        "skip,patients:P005,",
        "merge,patients:P007,patients:P006",
    ]
    (site.folder / "decided.csv").write_text("\n".join(lines))

    done = site.run("--set", "decisions=decided.csv")
    (site.folder / "decided.csv").unlink()
    again = site.run()

    keys = {person["id"]: key_of(person) for person in site.state()["person"]}
    assert done.code == 0, done.err
    assert keys[first["id"]] is None
    assert keys[second["id"]] == "dental:patients:P001"
    assert keys[other["id"]] == "dental:patients:P032"
    assert "dental:patients:P000" in keys.values()
    assert "dental:patients:P005" not in keys.values()
    assert "dental:patients:P007" not in keys.values()
    assert done.report["streams"]["patients"]["folded"] == 1
    assert done.report["streams"]["patients"]["skipped"] == 1
    assert again.code == 0, again.err
    assert again.writes == 0


def test_with_create_nobody_is_matched_and_nothing_is_listed_for_it(account_of_200: Any) -> None:
    done = account_of_200.run("--set", "existing=create", "--dry-run")

    assert done.code == 0, done.err
    assert "existing" not in done.err

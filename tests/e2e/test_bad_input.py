"""What goes wrong gives one message and the right exit code; once its cause is gone the same command finishes."""

from __future__ import annotations

import resource
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.e2e.conftest import FLIT, Ended, Served, Site, ended, keys_of

from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.faults import Fault, FaultRule
from flitstack_pipedrive.sandbox.serving import serve_in_thread

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Serve, State

USAGE, PERMISSION, STOPPED = 2, 4, 5
STATUS = {
    USAGE: {"usage_error", "not_an_export_error"},
    PERMISSION: {"auth_error", "configuration_error", "plan_limit", "settings_error"},
    STOPPED: {"journal_error", "not_sent", "stopped", "unavailable"},
}
"""What a run that ends with such a code says of itself: the error's name."""


def _assert_told(done: Ended, code: int, *words: str) -> None:
    """The exit code, one line on stderr that says these words, and the same as one JSON object on stdout."""
    message = done.one_message()
    assert done.code == code, done.err
    assert len(message.splitlines()) == 1, message
    assert not [word for word in words if word not in message], message
    assert set(done.report) == {"status", "error", "exit_code", "gates", "journal"}
    assert done.report["status"] in STATUS[code]
    assert done.report["error"] == message
    assert done.report["exit_code"] == code
    assert done.report["gates"] == []
    assert done.report["journal"]


@pytest.fixture(scope="module")
def wanted(loaded: Site) -> Counter[tuple[str, str]]:
    """What the account holds when nothing goes wrong."""
    return keys_of(loaded.state())


def _assert_finishes(
    site: Site, wanted: Counter[tuple[str, str]], found: Callable[[], Counter[tuple[str, str]]]
) -> None:
    """The same command ends well, with everything there exactly once."""
    done = site.run()

    assert done.code == 0, done.err
    assert done.report["verified"]["mismatched"] == 0
    assert found() - wanted == {}
    assert wanted - found() == {}


# --- the export -----------------------------------------------------------------------------------------------------


def _no_folder(export: Path) -> None:
    shutil.rmtree(export)


def _nothing_in_it(export: Path) -> None:
    shutil.rmtree(export)
    export.mkdir()


def _no_export(export: Path) -> None:
    _nothing_in_it(export)
    (export / "prices.csv").write_text("article,price\nbolt,3\n", "utf-8")


def _a_file(export: Path) -> None:
    shutil.rmtree(export)
    export.write_text("id,name\n1,x\n", "utf-8")


def _empty_file(export: Path) -> None:
    (export / "patients.csv").write_bytes(b"")


def _no_header(export: Path) -> None:
    _drop_lines(export / "patients.csv", slice(1, None))


def _no_header_elsewhere(export: Path) -> None:
    _drop_lines(export / "recalls.csv", slice(1, None))


def _only_header_of_patients(export: Path) -> None:
    _drop_lines(export / "patients.csv", slice(0, 1))


def _no_patients(export: Path) -> None:
    (export / "patients.csv").unlink()


def _drop_lines(path: Path, kept: slice) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[kept]))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_no_folder, ("export: no such file or folder", "Give the folder or the zip")),
        (_nothing_in_it, ("export: no CSV", "Give the folder or the zip")),
        (_no_export, ("none with columns of a known export", "--set source.layout=FILE")),
        (_a_file, ("neither a folder nor a zip", "Put the export's CSV files into a folder")),
        (_empty_file, ("patients.csv: the file is empty", "Export it again")),
        (_no_header, ("patients.csv: the first line is data", "--set source.headerless=")),
        (_no_header_elsewhere, ("recalls.csv: the first line is data", "--set source.headerless=")),
        (_only_header_of_patients, ("The export holds no patients", "--set source.layout=")),
        (_no_patients, ("The export holds no patients", "--set source.layout=")),
    ],
)
def test_an_input_that_cannot_be_used_is_refused_and_nothing_is_written(
    site: Site, export: Path, wanted: Counter[tuple[str, str]], spoil: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    spoil(site.export)

    _assert_told(site.run(), USAGE, *words)

    assert not site.account.exists() or not site.state()["person"]
    if site.export.is_file():
        site.export.unlink()
    shutil.copytree(export, site.export, dirs_exist_ok=True)
    _assert_finishes(site, wanted, lambda: keys_of(site.state()))


def test_an_input_that_is_no_export_leaves_no_journal_behind(site: Site) -> None:
    _no_export(site.export)

    site.run()

    assert not site.journal.exists()


def test_a_file_with_a_header_alone_is_an_empty_stream_with_a_warning(site: Site) -> None:
    _drop_lines(site.export / "recalls.csv", slice(0, 1))

    done = site.run()

    assert done.code == 0, done.err
    (warning,) = [line for line in done.report["findings"] if "recalls.csv" in line["message"]]
    assert warning["severity"] == "warning"
    assert not [doc for doc in site.state()["activity"] if doc["subject"].startswith("Recall")]


def test_an_export_without_its_patients_later_is_a_question_and_nobody_has_vanished(
    loaded: Site, export: Path, tmp_path: Path
) -> None:
    site = loaded.copy(tmp_path / "later")
    before = site.state()
    _only_header_of_patients(site.export)

    _assert_told(site.run(), USAGE, "The export holds no patients", "the last one held 12", "leave that file out")

    assert site.state() == before
    shutil.copy(export / "patients.csv", site.export)
    _assert_nothing_written(site, before)


def test_to_leave_out_the_file_of_the_patients_later_keeps_those_of_the_last_export(
    loaded: Site, tmp_path: Path
) -> None:
    site = loaded.copy(tmp_path / "later")
    before = site.state()
    _only_header_of_patients(site.export)
    assert site.run().code == USAGE
    _no_patients(site.export)

    done = _assert_nothing_written(site, before)

    assert [line["code"] for line in done.report["findings"] if line.get("stream") == "patients"] == ["stream_absent"]


def test_a_file_emptied_later_counts_as_left_out_and_what_it_held_stays(loaded: Site, tmp_path: Path) -> None:
    site = loaded.copy(tmp_path / "later")
    before = site.state()
    (site.export / "recalls.csv").write_bytes(b"")

    done = _assert_nothing_written(site, before)

    codes = {line["code"]: line for line in done.report["findings"]}
    assert codes["empty_file"]["severity"] == "warning"
    assert codes["stream_absent"]["stream"] == "recalls"


def _assert_nothing_written(site: Site, before: State) -> Ended:
    """The run ends well, without a write, and the account is as it was."""
    done = site.run()
    assert done.code == 0, done.err
    assert done.writes == 0
    assert done.report["verified"]["mismatched"] == 0
    assert site.state() == before
    return done


def test_what_was_typed_wrongly_is_told_in_a_line(site: Site) -> None:
    for setting, word in (
        ("profil=full", "profile"),
        ("profile=most", "engagement"),
        ("source.layot=neutral", "source.layout"),
        ("dest.seats=five", "dest.seats"),
        ("owner_map=nowhere.csv", "nowhere.csv"),
    ):
        chosen = () if setting.startswith("profile=") else ("profile=full",)
        done = replace(site, settings=(*chosen, setting)).run()
        assert done.code in {USAGE, PERMISSION}, setting
        assert word in done.one_message(), setting
        assert len(done.one_message().splitlines()) == 1, done.err


def test_without_an_input_it_says_so_and_names_the_demo(site: Site) -> None:
    done = ended([*FLIT, "run", "--source", "dental", "--dest", "pipedrive"], cwd=site.folder, env=site.env())

    assert done.code == USAGE
    assert "--input PATH" in done.err
    assert "--demo" in done.err
    assert done.out == ""


# --- the account ----------------------------------------------------------------------------------------------------


def test_a_wrong_token_is_told_and_the_right_one_carries_on(
    site: Site, serve: Serve, wanted: Counter[tuple[str, str]]
) -> None:
    with serve(site.account) as served:
        right = served.site(site.folder)
        for token, word in (("0" * 40, "401"), ("", "no API token"), ("two words", "characters no token has")):
            wrong = replace(right, environment={**right.environment, "PIPEDRIVE_API_TOKEN": token})
            _assert_told(wrong.run(), PERMISSION, word, "PIPEDRIVE_API_TOKEN")

        assert not served.sandbox.dump()["person"]
        _assert_finishes(right, wanted, lambda: keys_of(served.sandbox.dump()))


def test_a_token_of_somebody_who_is_no_admin_is_refused(
    site: Site, serve: Serve, wanted: Counter[tuple[str, str]]
) -> None:
    with serve(site.account) as served:
        right = served.site(site.folder)
        token = served.token(is_admin=False)

        done = replace(right, environment={**right.environment, "PIPEDRIVE_API_TOKEN": token}).run()

        _assert_told(done, PERMISSION, "no deals admin", "Use the token of an admin user")
        assert token not in done.out + done.err
        assert not served.sandbox.dump()["person"]
        _assert_finishes(right, wanted, lambda: keys_of(served.sandbox.dump()))


def test_a_token_never_comes_from_the_command_line(site: Site, serve: Serve) -> None:
    with serve(site.account) as served:
        token = served.token(is_admin=True)

        done = served.site(site.folder).run("--set", f"dest.api_token={token}")

    assert done.code == PERMISSION
    assert "PIPEDRIVE_API_TOKEN" in done.one_message()
    assert token not in done.out + done.err


def test_a_server_that_is_down_is_told_and_once_it_is_up_the_same_command_finishes(
    site: Site, wanted: Counter[tuple[str, str]]
) -> None:
    with Sandbox(str(site.account), plan="ultimate", seats=5, switches=Switches(burst=100_000)) as sandbox:
        with serve_in_thread(sandbox) as url:
            to = Served(sandbox, url).site(site.folder)

        _assert_told(to.run(), STOPPED, "127.0.0.1 does not answer", "run the same command again")

        with serve_in_thread(sandbox, _port(url)):
            _assert_finishes(to, wanted, lambda: keys_of(sandbox.dump()))


def test_a_server_that_goes_down_amid_the_writes_is_told_and_nothing_is_written_twice(
    site: Site, wanted: Counter[tuple[str, str]]
) -> None:
    with Sandbox(str(site.account), plan="ultimate", seats=5, switches=Switches(burst=100_000)) as sandbox:
        sandbox.set_faults([FaultRule(Fault("latency", 0.04), method="POST")])
        with serve_in_thread(sandbox) as url:
            to = Served(sandbox, url).site(site.folder)
            to = replace(to, settings=(*to.settings, "dest.attempts=1"))
            running = to.start()
            _wait_for(sandbox, wanted.total() // 2)
        out, err = running.communicate(timeout=120)
        sandbox.set_faults([])

        _assert_told(Ended(running.returncode, out, err), STOPPED, "same command again")
        assert keys_of(sandbox.dump()).total() < wanted.total()
        with serve_in_thread(sandbox, _port(url)):
            _assert_finishes(to, wanted, lambda: keys_of(sandbox.dump()))


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _wait_for(sandbox: Sandbox, records: int) -> None:
    deadline = time.monotonic() + 60
    while keys_of(sandbox.dump()).total() < records and time.monotonic() < deadline:
        time.sleep(0.02)


# --- the disk -------------------------------------------------------------------------------------------------------


def _no_file_beyond(size: int) -> Callable[[], None]:
    """Return what limits a process before it starts, as a full disk would: no file may grow beyond the size."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.parametrize("size", [20_000, 150_000, 600_000, 1_000_000])
def test_a_full_disk_before_the_first_write_is_told_and_with_room_the_same_command_finishes(
    site: Site, serve: Serve, wanted: Counter[tuple[str, str]], size: int
) -> None:
    with serve(site.account) as served:
        to = served.site(site.folder)

        done = to.run(preexec_fn=_no_file_beyond(size))

        _assert_told(done, STOPPED, "the disk is full", "run the same command again")
        assert not served.sandbox.dump()["person"]
        _assert_finishes(to, wanted, lambda: keys_of(served.sandbox.dump()))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_disk_that_fills_up_amid_the_writes_leaves_nothing_unaccounted_for(
    site: Site, serve: Serve, wanted: Counter[tuple[str, str]], share: float
) -> None:
    with serve(site.account) as served:
        to = served.site(site.folder)
        served.sandbox.set_faults([FaultRule(Fault("latency", 0.04), method="POST")])
        running = to.start()
        _wait_for(served.sandbox, int(share * wanted.total()))
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        out, err = running.communicate(timeout=60)
        served.sandbox.set_faults([])

        _assert_told(Ended(running.returncode, out, err), STOPPED, "the disk is full", "run the same command again")
        assert keys_of(served.sandbox.dump()).total() < wanted.total()
        _assert_finishes(to, wanted, lambda: keys_of(served.sandbox.dump()))


# --- the plan -------------------------------------------------------------------------------------------------------


def _take_fields(served: Served, count: int) -> list[str]:
    """Use up custom fields of the account, as other integrations have; return their codes."""
    headers = {"x-api-token": served.token(is_admin=True)}
    codes: list[str] = []
    with httpx.Client(base_url=served.url, headers=headers) as client:
        for number in range(count):
            body = {"field_name": f"Theirs {number}", "field_type": "varchar"}
            answer = client.post("/api/v2/dealFields", json=body).raise_for_status()
            codes.append(answer.json()["data"]["field_code"])
    return codes


def _free_fields(served: Served, codes: list[str]) -> None:
    headers = {"x-api-token": served.token(is_admin=True)}
    with httpx.Client(base_url=served.url, headers=headers) as client:
        for code in codes:
            client.delete(f"/api/v2/dealFields/{code}").raise_for_status()


def _own_fields(served: Served) -> set[str]:
    return {field["field_name"] for field in served.sandbox.dump()["field"] if "Theirs" not in field["field_name"]}


def test_a_cap_of_custom_fields_that_is_used_up_is_told_before_anything_is_written(site: Site, serve: Serve) -> None:
    with serve(site.account, "lite") as served:
        codes = _take_fields(served, 30)
        to = served.site(site.folder, "lite")

        _assert_told(to.run(), PERMISSION, "custom field")
        assert not _own_fields(served)
        assert not served.sandbox.dump()["person"]

        _free_fields(served, codes[:12])
        done = to.run()
        assert done.code == 0, done.err
        assert done.report["verified"]["mismatched"] == 0
        assert len(_own_fields(served)) <= 12
        assert {"Source_System_ID__c", "Dental_Reference__c"} <= _own_fields(served)


def test_on_the_smallest_plan_thirty_fields_are_made_and_the_rest_is_folded(site: Site, serve: Serve) -> None:
    with serve(site.account, "lite") as served:
        done = served.site(site.folder, "lite").run()
        state = served.sandbox.dump()

    assert done.code == 0, done.err
    assert done.report["verified"]["mismatched"] == 0
    assert len(state["field"]) <= 30
    names = {field["field_name"] for field in state["field"]}
    assert {"Source_System_ID__c", "Mailing_Address__c", "Date_Of_Birth__c", "Dental_Reference__c"} <= names
    folded = [doc["by_name"].get("Dental_Reference__c") or "" for doc in state["person"]]
    assert any("Further details: Chart number: 0000001" in text for text in folded)


def test_on_the_next_plan_nothing_is_folded(site: Site, serve: Serve, loaded: Site) -> None:
    with serve(site.account, "growth") as served:
        done = served.site(site.folder, "growth").run()
        names = {(field["of"], field["field_name"]) for field in served.sandbox.dump()["field"]}

    assert done.code == 0, done.err
    assert done.report["verified"]["mismatched"] == 0
    assert not [name for _, name in names if name == "Dental_Reference__c"]
    assert names == {(field["of"], field["field_name"]) for field in loaded.state()["field"]}

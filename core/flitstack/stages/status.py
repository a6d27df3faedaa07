"""Status: where a migration stands, what it waits for and what comes next, from the journal alone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING, Any

from flitstack.journal import ABOUT, PURGED, WAITING, Journal
from flitstack.stages.demo import is_demo
from flitstack.stages.final.report import last_verified
from flitstack.stages.writing.schema import SCHEMA_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flitstack.journal import OpenGate, RunRow
    from flitstack.protocols import JSON

OPEN = ("planned", "blocked", "intended", "in_doubt")
SAMPLE, WATCH = "sample", "watch"
FEWEST = 20
"""Writes that must have been seen before anything is said of the time left."""
STOPPED = {
    "Interrupted": "A person stopped it; nothing is lost.",
    "Unavailable": "The destination did not answer.",
    "RateLimited": "The destination asked to wait.",
    "NotSent": "A request could not leave this machine.",
    "JournalError": "The journal could not be written: a full disk, or another run.",
    "AuthError": "The destination refused the token, or its user lacks a right.",
    "PlanLimit": "The account's plan has no room for what is needed.",
    "UsageError": "The command or its input could not be used as given.",
    "NotAnExportError": "The input was no export that the source knows.",
    "SettingsError": "A setting did not fit.",
    "MappingError": "The map was wrong.",
    "ConfigurationError": "Settings, sign-in or permissions were not as needed.",
    "PluginError": "A plugin could not be used.",
}
WITHOUT_A_WORD = "It ended without a word: it was killed, or the machine went down. Nothing is lost."


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a migration stands.

    :param state: one word: `nothing_yet`, `staged`, `waiting_for_approval`, `approved`, `running`, `writing`,
        `waiting_for_budget`, `stopped`, `sample_taken`, `done`, `conflicts`, `mismatched`, `watching`,
        `rolling_back`, `rolled_back`.
    :param words: the same for a person. :param next: what to do, commands included, one a line.
    :param done, planned: writes of the run under way or of the last one, done and in all.
    :param left_s: seconds until the last write at the pace of the latest ones; None when nobody can say.
    :param tokens_today: of a run under way, or one that was killed, as of its last commit.
    :param in_use: fields, pipelines and the like that taking back left, because records that stay use them.
    :param watching: the folder that was to be watched, and until when, in words; "" when that is over.
    :param until: when the budget opens again, ISO, "" when unknown or not waited for.
    """

    journal: str
    state: str
    words: str
    next: tuple[str, ...] = ()
    source: str = ""
    destination: str = ""
    account: str = ""
    as_of: str = ""
    gates: tuple[OpenGate, ...] = ()
    read: int = 0
    rejected: int = 0
    in_destination: int = 0
    wanted: int = 0
    done: int = 0
    planned: int = 0
    left_s: float | None = None
    in_doubt: int = 0
    conflicts: int = 0
    in_use: int = 0
    sampled: int = 0
    undone: int = 0
    watching: str = ""
    tokens_today: int = 0
    tokens: int = 0
    predicted: int = 0
    daily_budget: int | None = None
    until: str = ""
    runs: int = 0
    last_run: RunRow | None = None
    verified: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints."""
        told: dict[str, JSON] = asdict(self)
        return told | {"next": list(self.next), "gates": [asdict(gate) for gate in self.gates]}


def standing_of(path: Path, now: datetime, *, demo: bool = False) -> Standing:
    """Return where the migration of a journal stands; needs no network, and works while a run is under way.

    :param now: the time, UTC.
    :param demo: the journal is the demo's, whose commands name no export.
    :raises ConfigurationError: the file is no journal.
    """
    if not path.exists():
        begin = "flit run --source SOURCE --dest DESTINATION --demo" if demo else "flit audit --input EXPORT"
        again = "flit run --source SOURCE --dest DESTINATION --input EXPORT"
        words = "There is no journal here: nothing was begun."
        return Standing(str(path), "nothing_yet", words, (begin,) if demo else (begin, again))
    with Journal.existing(path) as journal:
        return _Look(journal, now, demo).standing()


class _Look:
    """One look at an open journal."""

    def __init__(self, journal: Journal, now: datetime, demo: bool) -> None:
        self.journal = journal
        self.now = now
        self.runs = journal.history.runs()
        self.last = self.runs[-1] if self.runs else None
        self.writing = journal.history.is_writing()
        self.place = f"--journal {quote(str(journal.path))}"
        self.again = _run_command(journal, self.place, demo=demo or is_demo(journal))

    def standing(self) -> Standing:
        journal = self.journal
        if self.last is None:
            words = "The journal is there, and no run has used it yet."
            return Standing(str(journal.path), "nothing_yet", words, (self.again,))
        left = sum(journal.operations.count(state) for state in OPEN)
        figures = {**self._identity(), **self._counts(self.last, left)}
        figures["tokens_today"] = self._today()
        found = self._under_way(figures, left) if self.writing else self._between(figures, left)
        return Standing(str(journal.path), **{**figures, **found, **self._purged(found["words"])})

    def _purged(self, words: str) -> dict[str, Any]:
        """Return what holds instead once the values are gone: most commands refuse then."""
        if not (at := self.journal.runs.meta(PURGED)):
            return {}
        left = (f"flit report {self.place}", f"flit journal verify {self.place}")
        return {"words": f"{words} Its values were purged on {at[:10]}.", "next": left}

    def _identity(self) -> dict[str, Any]:
        """Return what moves where, as far as it is known."""
        runs, latest = self.journal.runs, self.journal.staging.latest()
        account = self.journal.history.last_basis("full").get("account") or {}
        return {
            "source": runs.meta("source") or "",
            "destination": runs.meta("destination") or "",
            "account": str(account.get("name") or runs.meta("account") or ""),
            "as_of": (latest.as_of or "")[:10] if latest else "",
            "daily_budget": account.get("daily tokens"),
        }

    def _counts(self, last: RunRow, left: int) -> dict[str, Any]:
        journal, history = self.journal, self.journal.history
        done, objects = history.done_by(last.id), history.objects()
        open_ = {one.name for one in journal.conflicts.open(*ABOUT)}
        in_use = {name for name in open_ if name[1].startswith(SCHEMA_KEY)}
        return {
            "read": sum(journal.staging.count(stream) for stream in journal.staging.streams()),
            "rejected": history.rejected(),
            "in_destination": sum(row.held for row in objects),
            "wanted": sum(row.wanted for row in objects),
            "done": done,
            "planned": done + left,
            "in_doubt": journal.operations.count("in_doubt", *(() if self.writing else ("intended",))),
            "conflicts": len(open_ - in_use) if open_ else journal.operations.count("conflict"),
            "in_use": len(in_use),
            "sampled": history.sampled(),
            "undone": sum(states.get("done", 0) for states in history.undone().values()),
            "watching": self._watched(),
            "tokens": sum(run.tokens for run in self.runs),
            "predicted": last.predicted or 0,
            "runs": len(self.runs),
            "last_run": last,
            "verified": last_verified(journal),
        }

    def _today(self) -> int:
        day = f"{self.now:%Y-%m-%d}"
        return sum(one.tokens for one in self.journal.history.days() if one.day == day)

    # --- while a process holds the lease ---

    def _under_way(self, figures: Mapping[str, Any], left: int) -> dict[str, Any]:
        waiting = self._waiting()
        if waiting is not None:
            words = f"The day's budget is used up. The run under way waits {_until(waiting)} and carries on by itself."
            return {"state": "waiting_for_budget", "words": words, "until": waiting, "next": ("Leave it running.",)}
        assert self.last is not None  # noqa: S101 - looked at before
        if not left:
            words = "A run is under way: it reads, plans, or reads back what was written."
            return {"state": "running", "words": words, "next": ("Leave it running; look again later.",)}
        undo = self.journal.history.undo_under_way()
        done, planned = figures["done"], figures["planned"]
        words = f"A run is {'taking back' if undo else 'writing'}: {done:,} of {planned:,} writes are done."
        return {
            "state": "rolling_back" if undo else "writing",
            "words": words,
            "left_s": self._left_s(left),
            "next": ("Leave it running; Ctrl-C there stops it safely.",),
        }

    def _left_s(self, left: int) -> float | None:
        """Return the seconds that what is left takes at the pace of the latest writes, None while too few were seen."""
        assert self.last is not None  # noqa: S101 - looked at before
        count, first, end = self.journal.history.recent(self.last.id)
        if count < FEWEST:
            return None
        span = (datetime.fromisoformat(end) - datetime.fromisoformat(first)).total_seconds()
        return left * span / (count - 1)

    def _waiting(self) -> str | None:
        """Return until when the last run waits for the budget, ISO, "" when nobody knows; None when it does not."""
        text = self.journal.runs.meta(WAITING)
        return None if not text else str(json.loads(text)["until"])

    def _watched(self) -> str:
        """Return what folder is to be watched until when, while that time has not come."""
        told = json.loads(self.journal.runs.meta(WATCH) or "{}")
        until = str(told.get("until") or "")
        if not until or datetime.fromisoformat(until) <= self.now:
            return ""
        return f"{told.get('folder', 'a folder')}, {_until(until)}"

    # --- while no process does ---

    def _between(self, figures: Mapping[str, Any], left: int) -> dict[str, Any]:
        assert self.last is not None  # noqa: S101 - looked at before
        status = self.last.status
        if status == "BudgetExhausted":
            until = self._waiting() or ""
            words = f"The day's budget is used up{f', {_until(until)}' if until else ''}; the run ended."
            told = ("The same command carries on then; with --wait it waits by itself:", f"  {self.again} --wait")
            return {"state": "waiting_for_budget", "words": words, "until": until, "next": told}
        if status == "ApprovalNeeded":
            return self._at_gates()
        if status == "running" or status in STOPPED:
            words = f"The last run stopped. {STOPPED.get(status, WITHOUT_A_WORD)}"
            return {"state": "stopped", "words": words, "next": ("The same command carries on:", f"  {self.again}")}
        if status.startswith("undone") or (figures["undone"] and not figures["in_destination"]):
            held = figures["in_destination"]
            words = f"It was rolled back{f', but for {held:,} records' if held else ': nothing of it is left'}."
            if held > figures["undone"]:
                words = f"A part was taken back, {figures['undone']:,} writes; {held:,} records are there still."
            return {"state": "rolled_back", "words": words, "next": ("To begin again:", f"  {self.again}")}
        if status == "done" and not (figures["in_destination"] or figures["wanted"]):  # a probe's run
            return {"state": "nothing_yet", "words": "Nothing was loaded yet.", "next": (self.again,)}
        return self._ended(figures, left, status)

    def _ended(self, figures: Mapping[str, Any], left: int, status: str) -> dict[str, Any]:
        report = f"flit report {self.place}"
        list_ = f"flit rejects list {self.place}"
        if status == "dry_run":
            words = "The export is staged and mapped; nothing was written."
            return {"state": "staged", "words": words, "next": (f"{self.again}",)}
        if status == "mismatched":
            words = "Reading back found differences between what was written and what the account holds."
            return {"state": "mismatched", "words": words, "next": (f"flit verify {self.place}", report)}
        if figures["conflicts"]:
            words = f"{figures['conflicts']:,} records were changed or deleted in the account by others and left alone."
            return {"state": "conflicts", "words": words, "next": (f"flit conflicts {self.place}", report)}
        if self.journal.runs.meta(SAMPLE) and figures["in_destination"] < figures["wanted"] and not left:
            words = "A sample was migrated and read back; look at its report."
            return {"state": "sample_taken", "words": words, "next": ("Then the whole:", f"  {self.again}")}
        if status == "incomplete" or left:
            words = "Not everything is written yet."
            return {"state": "stopped", "words": words, "next": ("The same command carries on:", f"  {self.again}")}
        if figures["watching"]:
            words = "Done so far, and read back; the next export is picked up as it comes."
            return {"state": "watching", "words": words, "next": ("Leave it running, and look again later.", report)}
        words = "Done, and read back as written."
        others = (list_,) if figures["rejected"] else ()
        return {"state": "done", "words": words, "next": (report, *others, f"flit verify {self.place}")}

    def _at_gates(self) -> dict[str, Any]:
        gates = tuple(self.journal.history.open_gates())
        if gates:
            named = ", ".join(gate.gate for gate in gates)
            words = f"It waits for a person's approval: {named}."
            told = [f"  {_approve(gate)} {self.place}" for gate in gates]
            shows = "What each gate shows is printed by the run; then approve, and run again:"
            found = {"next": (shows, *told, f"  {self.again}"), "gates": gates}
            return {"state": "waiting_for_approval", "words": words, **found}
        words = "The gates that were shown are approved, or a choice is to be made; the run says which."
        return {"state": "approved", "words": words, "next": ("Run again:", f"  {self.again}")}


def _run_command(journal: Journal, kept: str, *, demo: bool) -> str:
    source, dest = journal.runs.meta("source") or "SOURCE", journal.runs.meta("destination") or "DESTINATION"
    return f"flit run --source {source} --dest {dest} {'--demo' if demo else '--input EXPORT'} {kept}"


def _approve(gate: OpenGate) -> str:
    attest = ' --attest "AGREEMENT, ITS DATE"' if gate.attest else ""
    return f"flit approve {gate.gate} --by {'ADMIN-EMAIL' if gate.gate == 'schema' else 'NAME'}{attest}"


def _until(until: str) -> str:
    return f"until {until[:16].replace('T', ' ')} UTC" if until else "asking every quarter of an hour"

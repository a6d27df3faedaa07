"""The journal's tables: one migration per change, applied in order when a journal is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils import Migrations

from flitstack.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlite_utils import Database

migrations = Migrations("flitstack")


def refuse_later(db: Database, path: Path) -> None:
    """Refuse a journal that a later version has changed: what its columns mean is not known here.

    :param path: what the operator calls it.
    :raises ConfigurationError: it holds a change that this version does not know.
    """
    known = {each.name for each in migrations._migrations}  # the library offers them only as far as they are pending
    if any(each.name not in known for each in migrations.applied(db)):
        raise ConfigurationError(
            f"{path}: a later version of flit has used this journal. Use that version, or a later."
        )


TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;

CREATE TABLE run (
    id TEXT PRIMARY KEY, started_at TEXT NOT NULL, finished_at TEXT, status TEXT NOT NULL, version TEXT NOT NULL,
    requests INTEGER NOT NULL DEFAULT 0, tokens INTEGER NOT NULL DEFAULT 0, tokens_predicted INTEGER, minimum INTEGER
);

CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, started_at TEXT NOT NULL, completed_at TEXT, as_of TEXT, files TEXT,
    sha256 TEXT
);
CREATE TABLE snapshot_stream (
    stream TEXT PRIMARY KEY, snapshot INTEGER NOT NULL, schema TEXT NOT NULL, codebook TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE staged (
    pos INTEGER PRIMARY KEY, stream TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, data TEXT NOT NULL,
    hash TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL, snapshot INTEGER NOT NULL
);
CREATE UNIQUE INDEX staged_id ON staged (stream, id);
CREATE INDEX staged_order ON staged (stream);

CREATE TABLE rejection (
    stream TEXT NOT NULL, id TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, hint TEXT NOT NULL, field TEXT,
    stage TEXT NOT NULL, PRIMARY KEY (stream, id, code)
) WITHOUT ROWID;
CREATE TABLE left_out (
    stream TEXT NOT NULL, id TEXT NOT NULL, rule TEXT NOT NULL, stage TEXT NOT NULL, bucket TEXT NOT NULL,
    PRIMARY KEY (stream, id, rule)
) WITHOUT ROWID;
CREATE TABLE finding (
    pos INTEGER PRIMARY KEY, stage TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, severity TEXT NOT NULL,
    stream TEXT, count INTEGER NOT NULL, keys TEXT NOT NULL
);
CREATE TABLE used (stream TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (stream, id)) WITHOUT ROWID;
CREATE TABLE grouped (
    entry TEXT NOT NULL, value TEXT NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY (entry, value, pos)
) WITHOUT ROWID;

CREATE TABLE spec (sha256 TEXT PRIMARY KEY, text TEXT NOT NULL, variables TEXT NOT NULL, rendered_at TEXT NOT NULL);
CREATE TABLE schema_decision (key TEXT PRIMARY KEY, placed TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE owner (stream TEXT NOT NULL, id TEXT NOT NULL, user TEXT, how TEXT NOT NULL, PRIMARY KEY (stream, id));

CREATE TABLE desired (
    pos INTEGER PRIMARY KEY, object TEXT NOT NULL, key TEXT NOT NULL, part TEXT NOT NULL, entry TEXT NOT NULL,
    fields TEXT NOT NULL, links TEXT NOT NULL, verdict TEXT
);
CREATE UNIQUE INDEX desired_key ON desired (object, key, part);
CREATE TABLE contribution (
    stream TEXT NOT NULL, id TEXT NOT NULL, object TEXT NOT NULL, key TEXT NOT NULL, part TEXT NOT NULL,
    role TEXT NOT NULL, PRIMARY KEY (stream, id, object, key, part, role)
) WITHOUT ROWID;
CREATE INDEX contribution_desired ON contribution (object, key, part);

CREATE TABLE link (
    object TEXT NOT NULL, key TEXT NOT NULL, part TEXT NOT NULL, destination_id TEXT NOT NULL, wanted TEXT NOT NULL,
    after TEXT, made_by INTEGER, changed_by INTEGER, PRIMARY KEY (object, key, part)
) WITHOUT ROWID;
CREATE INDEX link_destination ON link (object, destination_id);

CREATE TABLE operation (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, entry TEXT NOT NULL, verb TEXT NOT NULL, object TEXT NOT NULL,
    key TEXT NOT NULL,
    part TEXT NOT NULL, fields TEXT NOT NULL, links TEXT NOT NULL, state TEXT NOT NULL, level INTEGER NOT NULL,
    destination_id TEXT, before TEXT, spec TEXT, sent_run TEXT, intended_at TEXT, settled_at TEXT, code TEXT,
    message TEXT, inverse_of INTEGER,
    CHECK (state IN ('planned', 'blocked', 'intended', 'done', 'rejected', 'in_doubt', 'conflict', 'superseded'))
);
CREATE INDEX operation_state ON operation (state, level, id);
CREATE INDEX operation_key ON operation (object, key, part, id);

CREATE TABLE shown (gate TEXT NOT NULL, hash TEXT NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (gate, hash));
CREATE TABLE approval (
    gate TEXT NOT NULL, hash TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, how TEXT NOT NULL,
    PRIMARY KEY (gate, hash)
);

CREATE TABLE audit (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL, hash TEXT NOT NULL);

CREATE VIEW operations_without_values AS
    SELECT id, run, verb, object, key, part, state, level, destination_id, intended_at, settled_at, code FROM operation;
CREATE VIEW staged_without_values AS SELECT stream, id, state, file, line, snapshot FROM staged;
"""


@migrations()
def tables(db: Database) -> None:
    """Create the tables of the first version."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def learned(db: Database) -> None:
    """Keep what was found out about the account."""
    db.execute("CREATE TABLE learned (name TEXT PRIMARY KEY, value TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID")


@migrations()
def throwaways(db: Database) -> None:
    """Keep what probes are about to make in the account, so that it can be removed whatever happens."""
    db.execute(
        "CREATE TABLE throwaway (id INTEGER PRIMARY KEY, probe TEXT NOT NULL, object TEXT NOT NULL, "
        "name TEXT NOT NULL, destination_id TEXT, state TEXT NOT NULL, at TEXT NOT NULL)"
    )


@migrations()
def order_of_desired(db: Database) -> None:
    """Let the desired records of one object be read in their order."""
    db.execute("CREATE INDEX desired_order ON desired (object)")


@migrations()
def held(db: Database) -> None:
    """Keep aside what the account holds, while a lost journal is rebuilt from it."""
    db.execute(
        "CREATE TABLE held (pos INTEGER PRIMARY KEY, object TEXT NOT NULL, id TEXT NOT NULL, key TEXT, "
        "part TEXT NOT NULL, fields TEXT NOT NULL, links TEXT NOT NULL)"
    )
    db.execute("CREATE INDEX held_key ON held (object, key, part, pos)")


@migrations()
def findings_of_the_audit(db: Database) -> None:
    """Keep, with each finding, where it stands in the audit report and what it asks of a person."""
    for column in ("section TEXT NOT NULL DEFAULT ''", "more TEXT NOT NULL DEFAULT '{}'"):
        db.execute(f"ALTER TABLE finding ADD COLUMN {column}")


@migrations()
def decisions(db: Database) -> None:
    """Keep what people decided about single records, and what was adopted."""
    db.execute(
        "CREATE TABLE decision (stream TEXT NOT NULL, id TEXT NOT NULL, about TEXT NOT NULL, decision TEXT NOT NULL, "
        "other TEXT NOT NULL, PRIMARY KEY (stream, id, about)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE adoption (object TEXT NOT NULL, key TEXT NOT NULL, part TEXT NOT NULL, "
        "destination_id TEXT NOT NULL, approved INTEGER NOT NULL, PRIMARY KEY (object, key, part)) WITHOUT ROWID"
    )


@migrations()
def what_approvals_rest_on(db: Database) -> None:
    """Keep, with what a gate showed, what it rests on, so that a later run can say what changed since."""
    for column in ("basis TEXT NOT NULL DEFAULT '{}'", "attest TEXT NOT NULL DEFAULT ''"):
        db.execute(f"ALTER TABLE shown ADD COLUMN {column}")
    for column in (
        "attestation TEXT NOT NULL DEFAULT ''",
        "audit_length INTEGER NOT NULL DEFAULT 0",
        "audit_head TEXT NOT NULL DEFAULT ''",
    ):
        db.execute(f"ALTER TABLE approval ADD COLUMN {column}")
    db.execute(
        "CREATE TABLE approved_row (stream TEXT NOT NULL, id TEXT NOT NULL, mark TEXT NOT NULL, "
        "PRIMARY KEY (stream, id)) WITHOUT ROWID"
    )


@migrations()
def sample(db: Database) -> None:
    """Keep which desired records a sample holds, and, while it is chosen, which of them hang together."""
    db.execute(
        "CREATE TABLE sampled (object TEXT NOT NULL, key TEXT NOT NULL, part TEXT NOT NULL, "
        "PRIMARY KEY (object, key, part)) WITHOUT ROWID"
    )
    db.execute("CREATE TABLE sample_unit (pos INTEGER PRIMARY KEY, root INTEGER NOT NULL)")
    db.execute("CREATE INDEX sample_unit_root ON sample_unit (root)")


@migrations()
def conflicts(db: Database) -> None:
    """Keep what somebody changed in the account since it was written, by record and field; never a value."""
    db.execute(
        "CREATE TABLE conflict (object TEXT NOT NULL, key TEXT NOT NULL, part TEXT NOT NULL, field TEXT NOT NULL, "
        "about TEXT NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL, state TEXT NOT NULL, "
        "PRIMARY KEY (object, key, part, field, about), CHECK (about IN ('delta', 'undo')), "
        "CHECK (state IN ('open', 'kept', 'overwritten', 'settled'))) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX conflict_state ON conflict (about, state)")


@migrations()
def corrections_of_rows(db: Database) -> None:
    """Keep rejected rows as their files have them, and what people wrote in their place."""
    db.execute(
        "CREATE TABLE rejected_row (file TEXT NOT NULL, line INTEGER NOT NULL, mark TEXT NOT NULL, "
        "columns TEXT NOT NULL, cells TEXT NOT NULL, PRIMARY KEY (file, line)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE correction (mark TEXT PRIMARY KEY, file TEXT NOT NULL, line INTEGER NOT NULL, "
        "streams TEXT NOT NULL, keys TEXT NOT NULL, cells TEXT NOT NULL, at TEXT NOT NULL, state TEXT NOT NULL) "
        "WITHOUT ROWID"
    )


@migrations()
def earlier_lives(db: Database) -> None:
    """Keep, of adopted records that were let go, up to which operation all was taken back."""
    db.execute(
        "CREATE TABLE earlier_life (object TEXT NOT NULL, key TEXT NOT NULL, part TEXT NOT NULL, "
        "until INTEGER NOT NULL, PRIMARY KEY (object, key, part)) WITHOUT ROWID"
    )


@migrations()
def stamps_of_records(db: Database) -> None:
    """Keep, with what was read back, the account's own stamp of a record's last change."""
    db.execute("ALTER TABLE link ADD COLUMN seen TEXT")


@migrations()
def loaded_rows(db: Database) -> None:
    """Keep which rows the export held that was approved and loaded last: what a later one is compared with."""
    db.execute(
        "CREATE TABLE loaded_row (stream TEXT NOT NULL, id TEXT NOT NULL, here INTEGER NOT NULL, "
        "moved INTEGER NOT NULL, PRIMARY KEY (stream, id)) WITHOUT ROWID"
    )


@migrations()
def what_corrected_cells_held(db: Database) -> None:
    """Keep what stood in corrected cells before, by which an older sheet of rejected rows is known."""
    db.execute("ALTER TABLE correction ADD COLUMN was TEXT NOT NULL DEFAULT '{}'")


@migrations()
def accepted_exports(db: Database) -> None:
    """Keep aside what was accepted of an export, until what was read after it is accepted as well."""
    db.execute("ALTER TABLE snapshot ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0")
    db.execute("UPDATE snapshot SET accepted = 1")  # which of them nobody approved, is not known any more
    db.execute(
        "CREATE TABLE accepted_staged (pos INTEGER PRIMARY KEY, stream TEXT NOT NULL, id TEXT NOT NULL, "
        "state TEXT NOT NULL, data TEXT NOT NULL, hash TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL, "
        "snapshot INTEGER NOT NULL)"
    )
    db.execute(
        "CREATE TABLE accepted_snapshot_stream (stream TEXT PRIMARY KEY, snapshot INTEGER NOT NULL, "
        "schema TEXT NOT NULL, codebook TEXT NOT NULL) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE accepted_rejection (stream TEXT NOT NULL, id TEXT NOT NULL, code TEXT NOT NULL, "
        "reason TEXT NOT NULL, hint TEXT NOT NULL, field TEXT, stage TEXT NOT NULL, PRIMARY KEY (stream, id, code)) "
        "WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE accepted_left_out (stream TEXT NOT NULL, id TEXT NOT NULL, rule TEXT NOT NULL, "
        "stage TEXT NOT NULL, bucket TEXT NOT NULL, PRIMARY KEY (stream, id, rule)) WITHOUT ROWID"
    )


@migrations()
def conflicts_with_what_was_written(db: Database) -> None:
    """Keep what was never seen as it was written as well, for a person to accept."""
    db.execute("ALTER TABLE conflict RENAME TO conflict_before")
    db.execute("DROP INDEX conflict_state")
    db.execute(
        "CREATE TABLE conflict (object TEXT NOT NULL, key TEXT NOT NULL, part TEXT NOT NULL, field TEXT NOT NULL, "
        "about TEXT NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL, state TEXT NOT NULL, "
        "PRIMARY KEY (object, key, part, field, about), CHECK (about IN ('delta', 'undo', 'written')), "
        "CHECK (state IN ('open', 'kept', 'overwritten', 'settled'))) WITHOUT ROWID"
    )
    db.execute("INSERT INTO conflict SELECT object, key, part, field, about, run, at, state FROM conflict_before")
    db.execute("DROP TABLE conflict_before")
    db.execute("CREATE INDEX conflict_state ON conflict (about, state)")


@migrations()
def what_changed_since_it_was_accepted(db: Database) -> None:
    """Keep what an accepted row said from the moment on in which another reading says something else."""
    db.execute(
        "CREATE TRIGGER staged_changed AFTER UPDATE OF state, data, hash ON staged "
        "WHEN old.data <> new.data OR old.hash <> new.hash OR old.state <> new.state BEGIN "
        "UPDATE accepted_staged SET data = old.data, hash = old.hash WHERE pos = old.pos AND data = ''; END"
    )

"""A small invented database of a laboratory's business contacts, for the demo and the tests."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from sqlite_utils import Database

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """\
CREATE TABLE export_info (as_of TEXT);
INSERT INTO export_info VALUES ('2026-06-30');

CREATE TABLE companies (company_id INTEGER PRIMARY KEY, name TEXT, address TEXT);
CREATE TABLE people (
    person_id INTEGER PRIMARY KEY, name TEXT, email TEXT, phone TEXT,
    company_id INTEGER REFERENCES companies (company_id), born_on DATE
);
CREATE TABLE deals (
    deal_id INTEGER PRIMARY KEY, title TEXT, person_id INTEGER REFERENCES people (person_id),
    company_id INTEGER REFERENCES companies (company_id), value DECIMAL(10, 2), state TEXT, closed_on DATE
);
CREATE TABLE activities (
    activity_id INTEGER PRIMARY KEY, subject TEXT, kind TEXT, due_on DATE, done BOOLEAN,
    person_id INTEGER REFERENCES people (person_id)
);
CREATE TABLE notes (
    note_id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES people (person_id), text TEXT, written_at TIMESTAMP
);

INSERT INTO companies VALUES
    (1, 'Brightwater Labs', '4 Mill Lane, Torquay'), (2, 'Alder & Rowe Supplies', NULL),
    (3, 'Zahntechnik Köhler', 'Am Markt 9, Jena');
INSERT INTO people VALUES
    (1, 'Maud Ferris', 'maud@example.org', '+44 1803 555 001', 1, '1971-03-09'),
    (2, 'Obi Nwosu', NULL, '+44 1803 555 002', 1, NULL),
    (3, 'Renée Ørsted', 'renee@example.org', NULL, 3, '1988-12-24'),
    (4, 'Tomasz Lis', 'tomasz@example.org', '+49 3641 555 04', NULL, NULL);
INSERT INTO deals VALUES
    (1, 'Crown supply, yearly', 1, 1, '1200.00', 'open', NULL), (2, 'Scanner lease', 3, 3, 89.9, 'won', '2026-02-11'),
    (3, 'Aligner trial', 4, NULL, NULL, 'lost', '2026-03-02');
INSERT INTO activities VALUES
    (1, 'Call about shades', 'Call', '2026-02-03', 1, 1), (2, 'See the laboratory', 'Visit', '2026-07-20', 0, 3);
INSERT INTO notes VALUES
    (1, 1, 'Prefers e-mail.' || char(10) || 'Sends samples on Fridays.', '2026-01-15T10:30:00'),
    (2, 4, 'Met at the spring fair <booth 12>.', '2026-03-01T16:05:00');
"""


def write_example(path: Path) -> Path:
    """Write the database, in the place of one that is there, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with closing(Database(path)) as database:
        database.executescript(SCRIPT)
    return path

"""Says whether a column's recurring words may be shown: never where they could be somebody's name, place or text."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from flitstack.mapping.proposing.account import with_crm
from flitstack.mapping.proposing.names import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.protocols import FileProposal, Lexicon, SampledColumn, SampledExport

_PERSONAL = frozenset(
    "name nickname alias initial surname forename person people who whom by"
    " email phone fax mobile contact emergency caller"
    " address street city town place postal"
    " birth birthday birthdate dob born"
    " spouse partner husband wife mother father mom mum dad parent guardian child son daughter sibling brother sister"
    " friend relative family guarantor subscriber insured member"
    " staff user employee owner coordinator assistant hygienist provider author referral employer organization"
    " note comment remark memo text description message story history reason".split()
)
"""Words of headers whose cells may be about one person; abbreviations and synonyms are resolved before."""
_SAYS_NOTHING = frozenset(
    "col column field feld spalte campo columna unnamed untitled custom extra misc other sonstige otro info data value"
    " item entry user defined udf var variable attribute attr free frei new neu no nr number id key".split()
)
"""Words of headers that do not say what stands below them."""
_CHOICE = frozenset(
    "type kind category class classification status state stage color colour farbe size grade level tier rank group"
    " plan tariff option choice method mode channel frequency interval priority season language religion material"
    " brand tag label segment risk preference sex gender".split()
)
"""Words of headers below which a few recurring words are choices, however they are written."""
_NAME = "name"
_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST_WORD = 3
_SHORTEST_NAME = 2


class Personal:
    """Knows the people of an export: what its columns of names, places and texts hold."""

    def __init__(self, export: SampledExport, lexicon: Lexicon, files: Sequence[FileProposal] = ()) -> None:
        """:param files: what is proposed for the export's columns: one may be a name whatever its header says."""
        self._vocabulary = Vocabulary(with_crm(lexicon), ())
        placed = {
            (file.file, column.column): column.chosen.target
            for file in files
            for column in file.columns
            if column.chosen is not None
        }
        cells = [
            cell
            for file in export.files
            for column in file.columns
            if self._is_personal(column.name, placed.get((file.name, column.name), "").partition(".")[2])
            for cell in column.values
        ]
        self._names = frozenset(word for cell in cells for word in _words(cell))
        self._capital = any(cell[:1].isupper() for cell in cells)

    def may_be_shown(self, column: SampledColumn, *, choices: bool = False) -> bool:
        """Say whether the column's words are nobody's: its header says what they are, and no name is among them.

        :param choices: the column is known to hold choices, as its header says a field that has them.
        """
        words = {*self._vocabulary.words(column.name), *_words(column.name)}
        says = any(len(word) >= _SHORTEST_WORD for word in words - _SAYS_NOTHING)
        if not says or self._is_personal(column.name):
            return False
        cells = {cell.strip() for cell in column.values}
        if any(not self._names.isdisjoint(_words(cell)) for cell in cells):
            return False
        return choices or bool(words & _CHOICE) or not any(map(self._like_a_name, cells))

    def _is_personal(self, *names: str) -> bool:
        words = {word for name in names for word in (*self._vocabulary.words(name), *_words(name))}
        return not words.isdisjoint(_PERSONAL) or any(_NAME in word for word in words)

    def _like_a_name(self, cell: str) -> bool:
        """Say whether a cell is written as names are in this export: with a capital, unless it has names without."""
        words = [word for word in _WORD.findall(cell) if len(word) >= _SHORTEST_WORD]
        return any(not self._capital or not word[0].islower() for word in words)


def _words(text: str) -> Iterator[str]:
    """Yield a text's words of two letters or more, without case and accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    yield from (word for word in _WORD.findall(plain.casefold()) if len(word) >= _SHORTEST_NAME)

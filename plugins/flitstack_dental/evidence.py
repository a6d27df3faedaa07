"""Looks at a file's first rows to learn what one row cannot tell: the order of dates, decimal signs, hidden secrets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack_dental.dates import is_ambiguous, is_plain, order_evidence, shows_time
from flitstack_dental.sensitive import SHORTEST, is_secret_value
from flitstack_dental.values import decimal_style

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from flitstack_dental.dates import Order
    from flitstack_dental.values import DecimalStyle

LOOK = 1_000
LOOK_LONG = 50_000
_FEW = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the columns showed, by position; a position that is absent showed nothing.

    :param secrets: columns most of whose values are secrets.
    :param ambiguous: columns of dates that can be read two ways, of which no cell says which.
    :param habit: columns that write most of their dates so that day and month could be taken for each other; elsewhere
        such a cell was written by hand, and says nothing of the system.
    :param timed: columns in which a time of day other than midnight stands.
    """

    orders: dict[int, Order] = field(default_factory=dict)
    decimals: dict[int, DecimalStyle] = field(default_factory=dict)
    secrets: frozenset[int] = frozenset()
    ambiguous: frozenset[int] = frozenset()
    timed: frozenset[int] = frozenset()
    habit: frozenset[int] = frozenset()


def gather(
    rows: Iterable[list[str]], dates: AbstractSet[int], decimals: AbstractSet[int], exempt: AbstractSet[int]
) -> Evidence:
    """Return the evidence of the first rows: 1,000, or 50,000 while dates or amounts remain undecided.

    :param dates, decimals: positions of such columns.
    :param exempt: positions that may look like secrets and are none (ids, telephone numbers).
    """
    seen = _Seen(dates, decimals, exempt)
    for number, cells in enumerate(rows):
        if number < LOOK:
            seen.look_for_secrets(cells)
        elif number >= LOOK_LONG or seen.settled():
            break
        seen.look_for_order(cells)
    return seen.evidence()


class _Seen:
    def __init__(self, dates: AbstractSet[int], decimals: AbstractSet[int], exempt: AbstractSet[int]) -> None:
        self._dates = dates
        self._decimals = decimals
        self._exempt = exempt
        self._orders: dict[int, set[Order]] = {}
        self._doubtful: set[int] = set()
        self._ambiguous: set[int] = set()
        self._timed: set[int] = set()
        self._by_numbers: Counter[int] = Counter()
        self._styles: dict[int, set[DecimalStyle]] = {}
        self._unclear: set[int] = set()
        self._filled: Counter[int] = Counter()
        self._secret: Counter[int] = Counter()

    def look_for_secrets(self, cells: list[str]) -> None:
        for at, cell in enumerate(cells):
            if cell and at not in self._exempt:
                self._filled[at] += 1
                if len(cell) >= SHORTEST and is_secret_value(cell):
                    self._secret[at] += 1

    def look_for_order(self, cells: list[str]) -> None:
        width = len(cells)
        for at in self._dates:
            if at >= width:
                continue
            if at not in self._timed and shows_time(cells[at]):
                self._timed.add(at)
            if is_plain(cells[at]):
                self._by_numbers[at] -= bool(cells[at].strip())
            else:
                self._by_numbers[at] += 1
                self._doubtful.add(at)
                if proof := order_evidence(cells[at]):
                    self._orders.setdefault(at, set()).add(proof)
                elif at not in self._ambiguous and is_ambiguous(cells[at]):
                    self._ambiguous.add(at)
        for at in self._decimals:
            if at < width and ("." in cells[at] or "," in cells[at]):
                self._unclear.add(at)
                if sign := decimal_style(cells[at]):
                    self._styles.setdefault(at, set()).add(sign)

    def settled(self) -> bool:
        """Say whether more rows could hardly teach anything: no column waits for its proof."""
        return self._doubtful <= self._orders.keys() and self._unclear <= self._styles.keys()

    def evidence(self) -> Evidence:
        orders: dict[int, Order] = {
            at: next(iter(found)) if len(found) == 1 else "mixed" for at, found in self._orders.items()
        }
        decimals: dict[int, DecimalStyle] = {
            at: next(iter(found)) for at, found in self._styles.items() if len(found) == 1
        }
        secrets = {at for at, count in self._secret.items() if count >= _FEW and count * 2 > self._filled[at]}
        habit = frozenset(at for at, lead in self._by_numbers.items() if lead > 0)
        undecided = frozenset(self._ambiguous - self._orders.keys()) & habit
        return Evidence(orders, decimals, frozenset(secrets), undecided, frozenset(self._timed), habit)

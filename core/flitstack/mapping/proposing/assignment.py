"""Gives each column at most one target and each target at most one column, so that the whole is worth most."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NEVER = 1e9


def assign(worth: Mapping[tuple[int, int], float]) -> dict[int, int]:
    """Return row to column for the pairs of the best whole; a row may stay without.

    :param worth: (row, column) to what the pair is worth, above 0; other pairs are impossible. Leaving a row without
        is worth 0, so no pair is made that costs the others more than it brings.
    """
    result: dict[int, int] = {}
    for rows, columns in _groups(worth):
        result.update(_solve(rows, columns, worth))
    return result


def _groups(worth: Mapping[tuple[int, int], float]) -> list[tuple[list[int], list[int]]]:
    """Return the rows and columns that hang together, group by group: each can be solved by itself."""
    by_row: dict[int, list[int]] = defaultdict(list)
    by_column: dict[int, list[int]] = defaultdict(list)
    for (row, column), value in sorted(worth.items()):
        if value > 0:
            by_row[row].append(column)
            by_column[column].append(row)
    groups, seen = [], set()
    for first in by_row:
        if first in seen:
            continue
        rows, columns, waiting = {first}, set(), [first]
        while waiting:
            for column in by_row[waiting.pop()]:
                if column in columns:
                    continue
                columns.add(column)
                new = [row for row in by_column[column] if row not in rows]
                rows.update(new)
                waiting += new
        seen |= rows
        groups.append((sorted(rows), sorted(columns)))
    return groups


def _solve(rows: list[int], columns: list[int], worth: Mapping[tuple[int, int], float]) -> dict[int, int]:
    """Return the best pairs of one group: the Hungarian method with potentials, one way out per row that costs 0.

    Source: H. W. Kuhn, "The Hungarian method for the assignment problem" (1955), in the form with shortest paths.
    """
    width = len(columns) + len(rows)

    def cost(row: int, column: int) -> float:
        if column >= len(columns):
            return 0.0 if column - len(columns) == row else _NEVER
        value = worth.get((rows[row], columns[column]), 0.0)
        return -value if value > 0 else _NEVER

    of_row, of_column = [0.0] * (len(rows) + 1), [0.0] * (width + 1)
    taken_by, came_from = [0] * (width + 1), [0] * (width + 1)
    for number in range(1, len(rows) + 1):
        taken_by[0], column = number, 0
        least, used = [_NEVER * 2] * (width + 1), [False] * (width + 1)
        while True:
            used[column] = True
            row, step, following = taken_by[column], _NEVER * 2, 0
            for other in range(1, width + 1):
                if used[other]:
                    continue
                reduced = cost(row - 1, other - 1) - of_row[row] - of_column[other]
                if reduced < least[other]:
                    least[other], came_from[other] = reduced, column
                if least[other] < step:
                    step, following = least[other], other
            for other in range(width + 1):
                if used[other]:
                    of_row[taken_by[other]] += step
                    of_column[other] -= step
                else:
                    least[other] -= step
            column = following
            if taken_by[column] == 0:
                break
        while column:
            taken_by[column] = taken_by[came_from[column]]
            column = came_from[column]
    return {rows[taken_by[at] - 1]: columns[at - 1] for at in range(1, len(columns) + 1) if taken_by[at]}

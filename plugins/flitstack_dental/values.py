"""Reads numbers, booleans, ids, codes and the other small things that cells hold; None stands for nothing there."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import available_timezones

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DecimalStyle = Literal["point", "comma", "unknown"]


class BadCell(Exception):
    """A cell that cannot be read: stable code, column, reason and what to do; never what the cell holds."""

    def __init__(self, code: str, column: str, reason: str, hint: str) -> None:
        super().__init__(code)
        self.code = code
        self.column = column
        self.reason = reason
        self.hint = hint


class Memo(dict[str, Any]):
    """Answers that were computed once, for columns whose cells repeat; forgets all when it grows large."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[str], Any]) -> None:
        super().__init__()
        self._call = call

    def __missing__(self, text: str) -> Any:
        if len(self) > 20_000:
            self.clear()
        value = self[text] = self._call(text)
        return value


class Tallying(Memo):
    """A memo that counts, each time, the cells that had to be mended to be read.

    :param mended: what was wrong with a cell that could be read, "" for nothing; such cells are not remembered.
    :param counts: (what was wrong, column) to how often.
    """

    __slots__ = ("_column", "_counts", "_mended")

    def __init__(
        self, call: Callable[[str], Any], mended: Callable[[str], str], column: str, counts: dict[tuple[str, str], int]
    ) -> None:
        super().__init__(call)
        self._mended = mended
        self._column = column
        self._counts = counts

    def __missing__(self, text: str) -> Any:
        if not (code := self._mended(text)):
            return super().__missing__(text)
        value = self._call(text)
        if value is not None:
            self._counts[code, self._column] = self._counts.get((code, self._column), 0) + 1
        return value


MOST_DIGITS = 15
_LONGEST_NUMBER = 60
NO_TEXT = frozenset({"", "NULL", "\\N", "--", "N/A", "n/a", "#N/A"})
_PHONE_MASK = re.compile(r"[\s()\-_./+]*")
_FLOAT_ID = re.compile(r"\d+(?:[.,]\d+)?[eE]\+\d+")
_TRUE = frozenset({"t", "true", "y", "yes", "1", "x", "-1", "on", "active"})
_FALSE = frozenset({"f", "false", "n", "no", "0", "off", "inactive"})
_MONEY = re.compile(r"[\d.,'\s]+")
_CURRENCY = re.compile(r"[$€£¥\s\xa0\u202f]|\b(?:USD|EUR|GBP|CAD|AUD)\b")
_EXPONENT = re.compile(r"-?\d(?:[.,]\d+)?[eE][+-]?\d+")
_PLAIN_AMOUNT = re.compile(r"\s*-?\d+(?:\.\d+)?\s*")
_CDT_DECIMAL = re.compile(r"(\d{1,4})\.00?")
_CDT_ZERO = re.compile(r"0?(0\d{3})|0(\d{4})")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_time_zone(text: str) -> bool:
    """Say whether the text is the name of a time zone in the IANA list."""
    return text in _zones()


def lost_letters(text: str) -> bool:
    """Say whether at least half of a text, and two of its characters, are what stands for letters that were lost."""
    if "?" not in text and "\ufffd" not in text:
        return False
    lost = text.count("?") + text.count("\ufffd")
    return lost > 1 and lost * 2 >= sum(not character.isspace() for character in text)


def phone(text: str) -> str | None:
    """Return a telephone number as written, None for an empty mask such as `(   )   -    `."""
    text = text.strip()
    return None if text in NO_TEXT or _PHONE_MASK.fullmatch(text) else text


def id_parser(column: str, null: frozenset[str]) -> Callable[[str], str | None]:
    """Return a function from a cell to an id.

    :param null: what the system writes for `refers to nothing`.
    :raises BadCell: the function does, for an id that a spreadsheet has rounded.
    """

    def parse(text: str) -> str | None:
        text = text.strip()
        if text in null or text in NO_TEXT:
            return None
        if "+" in text and _FLOAT_ID.fullmatch(text):
            raise BadCell(
                "damaged_id",
                column,
                "A spreadsheet has turned the id into a rounded number.",
                "Export the file again without opening it in a spreadsheet.",
            )
        return text

    return parse


def boolean_parser(column: str) -> Callable[[str], bool | None]:
    """Return a function from t/f, Y/N, 0/1, true/false and the like to a truth value."""

    def parse(text: str) -> bool | None:
        word = text.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        if word.upper() in NO_TEXT or not word:
            return None
        raise BadCell("unknown_code", column, "The cell is neither yes nor no.", "Write yes or no, or empty the cell.")

    return parse


def decimal_style(text: str) -> DecimalStyle | None:
    """Return what one cell proves about its column's decimal sign, None when it proves nothing."""
    digits = text.strip(" $€£()-+\xa0")
    if re.fullmatch(r"[\d.,]*\.\d{1,2}|[\d,]*,\d{3}\.\d+", digits):
        return "point"
    if re.fullmatch(r"[\d.,]*,\d{1,2}|[\d.]*\.\d{3},\d+", digits):
        return "comma"
    return None


def decimal_parser(column: str, style: DecimalStyle) -> Callable[[str], str | None]:
    """Return a function from an amount to plain digits with a point: `$1,234.50`, `(12.00)`, `12.00-`, `1.234,50`.

    :param style: the column's decimal sign, where its cells show it.
    :raises BadCell: the function does; `ambiguous_number` for `1.234` in a column that does not show its sign.
    """

    def parse(text: str) -> str | None:
        text = _CURRENCY.sub("", text.strip())
        if not text or text in NO_TEXT or text == "-":
            return None
        negative = text.startswith(("(", "-")) or text.endswith("-")
        digits = text.strip("()-+")
        if _EXPONENT.fullmatch(digits):
            return _plain(digits.replace(",", "."), negative, column)
        if not _MONEY.fullmatch(digits):
            raise _bad_number(column)
        return _plain(_pointed(digits, style, column), negative, column)

    return parse


def _pointed(digits: str, style: DecimalStyle, column: str) -> str:
    """Return the digits with a point for their decimal sign and nothing between thousands."""
    digits = digits.replace("'", "").replace(" ", "")
    point, comma = digits.rfind("."), digits.rfind(",")
    if point >= 0 and comma >= 0:
        thousands, sign = (",", ".") if point > comma else (".", ",")
        return digits.replace(thousands, "").replace(sign, ".")
    sign, own = (".", "point") if point >= 0 else (",", "comma")
    decimal, whole = digits.replace(sign, "."), digits.replace(sign, "")
    if not re.fullmatch(rf"\d{{1,3}}(?:\{sign}\d{{3}})+", digits):
        return decimal
    if digits.count(sign) > 1:
        return whole
    if style == own or digits.startswith("0"):
        return decimal
    if style != "unknown" or sign == ",":
        return whole
    raise BadCell(
        "ambiguous_number",
        column,
        "The point may be a decimal sign or separate thousands, and no row of the column decides it.",
        "Write the amounts of this column with two decimals.",
    )


def _plain(digits: str, negative: bool, column: str) -> str:
    """Return the number without an exponent; more than 15 significant digits are no amount, and floats lose them."""
    try:
        value = Decimal(digits) if len(digits) <= _LONGEST_NUMBER else None
    except InvalidOperation:
        value = None
    if value is None or (value and max(abs(value.adjusted()), len(_significant(value)) - 1) >= MOST_DIGITS):
        raise _bad_number(column)
    text = f"{abs(value):f}"
    return f"-{text}" if (negative or value < 0) and value else text


def _significant(value: Decimal) -> str:
    return "".join(map(str, value.as_tuple().digits)).strip("0")


def integer_parser(column: str) -> Callable[[str], int | None]:
    """Return a function from a cell to a whole number; `30.0` counts as one."""
    parse_decimal = decimal_parser(column, "point")

    def parse(text: str) -> int | None:
        plain = parse_decimal(text)
        if plain is None:
            return None
        value = Decimal(plain)
        if value != value.to_integral_value():
            raise _bad_number(column)
        return int(value)

    return parse


_PLACES = (
    "primary p pr 1st first prim 1",
    "secondary s sc 2nd second sec 2",
    "tertiary t 3rd third tert 3",
    "4th quat 4",
)


def ordinal_parser(column: str) -> Callable[[str], int | None]:
    """Return a function from a place in an order, such as `Secondary` or `2`, to its number."""
    parse_integer = integer_parser(column)
    places = {word: place for place, words in enumerate(_PLACES, 1) for word in words.split()}

    def parse(text: str) -> int | None:
        word = text.split()[0].lower() if text.split() else ""  # `Primary insurance`
        return places[word] if word in places else parse_integer(text)

    return parse


def code_parser(column: str, book: Mapping[str, Any], setting: str, otherwise: Any) -> Callable[[str], Any]:
    """Return a function from a code, or the word for it, to its meaning.

    :param book: code or word, lower case, to meaning.
    :param setting: `stream.field`, under which the operator can add codes.
    :param otherwise: meaning of unknown codes, where a layout says that not knowing is a meaning; else None.
    """

    def parse(text: str) -> Any:
        code = fold_code(text)
        if code in book:
            return book[code]
        if not code or text.strip() in NO_TEXT:
            return None
        if otherwise is not None:
            return otherwise
        raise BadCell(
            "unknown_code",
            column,
            "The code is not in the codebook.",
            f"""Say what it means with --set source.codes='{{"{setting}": {{"CODE": "MEANING"}}}}' (or a YAML file).""",
        )

    return parse


def mended_amount(text: str) -> str:
    """Return `amount_as_text` for an amount with more than its digits, a point and a minus before, else ""."""
    return "" if _PLAIN_AMOUNT.fullmatch(text) or not any(map(str.isdigit, text)) else "amount_as_text"


def mended_code(text: str) -> str:
    """Return what a spreadsheet or another system made of a procedure code, "" for one as it should be."""
    text = text.strip()
    if _CDT_DECIMAL.fullmatch(text):
        return "code_as_number"
    return "code_without_letter" if _CDT_ZERO.fullmatch(text) else ""


def fold_code(text: str) -> str:
    """Return a code in the form in which codebooks hold it: `In  Progress` and `in_progress` are one."""
    return re.sub(r"[\s_\-]+", "_", text.strip().lower())


def cdt(text: str) -> str | None:
    """Return a procedure code; what a spreadsheet or another system made of a CDT code is undone.

    `120.00` and `0120` are `D0120`, `09987` is `D9987`; anything else stays as it is written.
    """
    text = text.strip()
    if text in NO_TEXT:
        return None
    if found := _CDT_DECIMAL.fullmatch(text):
        return f"D{found[1]:0>4}"
    if found := _CDT_ZERO.fullmatch(text):
        return f"D{found[1] or found[2]}"
    return text[0].upper() + text[1:] if re.fullmatch(r"d\d{4}", text) else text


def pattern_minutes(text: str) -> int | None:
    """Return the minutes of an appointment pattern: one character stands for five (Open Dental, appointment table)."""
    text = text.strip()
    return len(text) * 5 or None


def recall_interval(text: str) -> str | None:
    """Return a recall interval in words.

    Open Dental packs days + 256 weeks + 65536 months + 16777216 years into one integer; a number below 256 that
    could only be days is what other exports of the same table write for months.
    """
    text = text.strip()
    if text in NO_TEXT or text == "0":
        return None
    if not re.fullmatch(r"\d{1,12}", text):
        return text
    packed = int(text)
    if packed < 256:
        return _amount(packed, "month")
    parts = ((packed >> 24, "year"), (packed >> 16 & 255, "month"), (packed >> 8 & 255, "week"), (packed & 255, "day"))
    return " ".join(_amount(count, unit) for count, unit in parts if count)


def perio_depth(text: str) -> int | None:
    """Return a figure in mm, None for -1, which means not measured (Open Dental, periomeasure table)."""
    value = integer_parser("depth")(text)
    return None if value is None or value < 0 else value


def perio_margin(text: str) -> int | None:
    """Return a gingival margin in mm; above 100 stands for a negative one (Open Dental, periomeasure table)."""
    value = integer_parser("margin")(text)
    if value is None or value < 0:
        return None
    return 100 - value if value > 100 else value


def _amount(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _bad_number(column: str) -> BadCell:
    return BadCell("bad_number", column, "The cell is no number.", "Write a plain number, or empty the cell.")

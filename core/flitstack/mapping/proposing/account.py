"""Says which columns the destination's account may know already: by a field's name, its options, or its users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.mapping.proposing.names import Vocabulary
from flitstack.protocols import Lexicon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import SampledColumn, SchemaItem, User

_FIELD = "field"
_OWN = "__c"
"""How mapping templates end the names of fields that they add."""
_SHARE = 0.5
_MOST_KINDS = 60
_FEWEST_OPTIONS = 2

CRM = Lexicon(
    {
        "birth date": ("birthday", "birthdate", "date of birth", "dob"),
        "created": ("added", "create", "creation", "registered"),
        "deal": ("opportunity", "sale"),
        "email": ("e mail", "mail", "email address"),
        "label": ("tag", "segment"),
        "language": ("preferred language", "spoken language"),
        "mobile phone": ("cell", "cell phone", "mobile"),
        "note": ("comment", "remark", "description"),
        "organization": ("company", "org", "business", "employer"),
        "owner": ("assigned to", "account manager", "responsible", "sales rep", "coordinator"),
        "person": ("contact", "individual", "people"),
        "phone": ("tel", "telephone", "phone number"),
        "postal code": ("zip", "zip code", "postcode"),
        "referral source": ("lead source", "how did you hear", "referred by", "source of referral", "marketing source"),
        "size": ("sizing",),
        "updated": ("changed", "modified"),
        "website": ("url", "homepage", "web"),
    }
)
"""What CRM systems also call the fields that most of them have."""


def with_crm(lexicon: Lexicon) -> Lexicon:
    """Return a trade's lexicon with the words of CRM systems; where both have a word, the trade's meaning holds."""
    words: dict[str, tuple[str, ...]] = {**CRM.words, **lexicon.words}
    for meaning in CRM.words.keys() & lexicon.words.keys():
        words[meaning] = (*CRM.words[meaning], *lexicon.words[meaning])
    return Lexicon(words, lexicon.streams)


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """What there is in the account: its fields, and its users."""

    items: Sequence[SchemaItem]
    users: Sequence[User]


class AccountWords:
    """The account's names, ready to be compared with columns."""

    def __init__(self, account: KnownAccount, lexicon: Lexicon) -> None:
        self._vocabulary = Vocabulary(with_crm(lexicon), [item.name for item in account.items])
        self._fields = [item for item in account.items if item.object == _FIELD]
        users = (word for user in account.users for word in (user.name, user.email))
        self._users = frozenset(_folded(word) for word in users if word)

    def of(self, column: SampledColumn) -> str:
        """Return in words what the account has that the column may be; "" for nothing. No cell is in it."""
        cells = {_folded(cell) for cell in column.values}
        if cells and len(cells) <= _MOST_KINDS and len(cells & self._users) > _SHARE * len(cells):
            return f"{len(cells & self._users)} of its {len(cells)} words are users of the account: an owner?"
        name = frozenset(self._vocabulary.words(column.name))
        for item in self._fields:
            if name and name == frozenset(self._vocabulary.words(item.name.removesuffix(_OWN))):
                return f'the account has the field "{item.name}" of {item.of}{_shared(cells, item.settings)}'
        for item in self._fields:
            both = cells & _options(item.settings)
            if len(both) >= _FEWEST_OPTIONS and len(both) > _SHARE * len(cells):
                return f'{len(both)} of its {len(cells)} words are options of the field "{item.name}" of {item.of}'
        return ""


def _shared(cells: set[str], settings: Mapping[str, Any]) -> str:
    options = _options(settings)
    return f", with {len(cells & options)} of its {len(cells)} words as options" if options and cells else ""


def _options(settings: Mapping[str, Any]) -> frozenset[str]:
    given = settings.get("options") or ()
    return frozenset(_folded(str(each.get("label", "") if isinstance(each, dict) else each)) for each in given)


def _folded(text: str) -> str:
    return " ".join(text.lower().split())

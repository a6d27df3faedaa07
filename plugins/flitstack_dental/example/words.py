"""The words the example practice is made of: invented names, places, drugs and sentences, in several scripts."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import random

T = TypeVar("T")


class Weighted(Generic[T]):
    """Values with weights, drawn by comparison alone so that every platform draws the same."""

    def __init__(self, *pairs: tuple[T, float]) -> None:
        self.values = tuple(value for value, _ in pairs)
        self._bounds = list(accumulate(weight for _, weight in pairs))

    def draw(self, rng: random.Random) -> T:
        """Return one value."""
        return self.values[min(bisect(self._bounds, rng.random() * self._bounds[-1]), len(self.values) - 1)]

    def spread(self, count: int, rng: random.Random) -> T:
        """Return each value once for the first counts, then draw: so that a small practice has one of every kind."""
        return self.values[count] if count < len(self.values) else self.draw(rng)


def heavy_tailed(rng: random.Random, mean: float) -> int:
    """Return a count with the mean given: negative binomial of order one, many small values and a few large ones."""
    stay = mean / (1.0 + mean)
    count = 0
    while rng.random() < stay:
        count += 1
    return count


@dataclass(frozen=True, slots=True)
class Names:
    """First and last names of one language; `latin` says that an e-mail address can be made of them."""

    female: tuple[str, ...]
    male: tuple[str, ...]
    last: tuple[str, ...]
    latin: bool = True


def _names(female: str, male: str, last: str, latin: bool = True) -> Names:
    return Names(tuple(female.split()), tuple(male.split()), tuple(last.split()), latin)


_PLAIN = _names(
    "Ada Bess Cora Della Edith Fern Greta Hazel Ivy June Kay Lena Mabel Nora Olive Pearl Rose Sylvie Tess Vera Willa",
    "Abel Boyd Clyde Dale Ezra Floyd Glen Hugh Ira Joel Kirk Lyle Miles Ned Otis Percy Reed Saul Theo Vance Walt",
    "Alderbrook Birchfield Coppersmith Dunmore Elderfield Farrowdale Greenhithe Hollowell Ironwood Kettlewood Larkham "
    "Millbrook Northgate Oakhurst Pennyworth Quillfeather Ravenscroft Silverlake Thornbury Underhill Waverly Yarrow",
)
_ACCENTED = _names(
    "Zoë Chloé Åsa Bärbel Inês Łucja Šárka Ümran Ngọc Þóra",
    "Jürgen Renée Søren Óscar Łukasz Dušan Çağan Đức Loïc Ægir",
    "Müllerström Peñalba Søndervig Côtéau Żurawski Dvořáček Yılmazkaya Nguyễnthơ Ångmark O'Brannagh Saint-Élan",  # noqa: RUF001 - Turkish
)
_CYRILLIC = _names("Вера Зоя Нина Ольга", "Борис Глеб Лев Юрий", "Березов Лугин Озеров Северин", latin=False)  # noqa: RUF001 - Cyrillic
_GREEK = _names("Δανάη Ελένη Ζωή", "Λίνος Πέτρος Φοίβος", "Ελαιώνας Θαλασσινός Πετράκος", latin=False)
_ARABIC = _names("ليلى سلمى نور", "سامي كريم يوسف", "النخيل البحري الزيتوني", latin=False)
_PERSIAN = _names("پریسا شیوا مهسا", "آرش بهرام کاوه", "باغبانی دریایی گلستانی", latin=False)
_HEBREW = _names("יעל נועה תמר", "אורי דוד נועם", "הררי כרמלי אלוני", latin=False)
_CHINESE = _names("梅 兰 竹", "明 山 林", "柳 溪 松", latin=False)
_KOREAN = _names("하늘 이슬 봄", "한결 가람 솔", "남강 동산 백운", latin=False)
_HINDI = _names("मीरा तारा उषा", "अर्जुन रवि देव", "वनवासी सागरी पर्वती", latin=False)

LANGUAGES: Weighted[tuple[str, Names]] = Weighted(
    (("English", _PLAIN), 80.0),
    (("Spanish", _ACCENTED), 11.0),
    (("Russian", _CYRILLIC), 1.5),
    (("Greek", _GREEK), 1.0),
    (("Arabic", _ARABIC), 1.5),
    (("Persian", _PERSIAN), 1.0),
    (("Hebrew", _HEBREW), 1.0),
    (("Chinese", _CHINESE), 1.0),
    (("Korean", _KOREAN), 1.0),
    (("Hindi", _HINDI), 1.0),
)

STREETS = ("Acorn Lane", "Beacon Row", "Cinder Path", "Dovecote Road", "Elmstead Avenue", "Foundry Street", "Mill Race")
CITIES: tuple[tuple[str, str, str], ...] = (
    ("Brackenford", "IL", "60991"),
    ("Port Ellery", "MA", "02199"),
    ("Kestrel Falls", "WI", "54988"),
    ("Saltmarsh", "NJ", "07099"),
    ("Tamarack Bay", "MN", "55899-0417"),
)
AREA_CODES = ("212", "312", "414", "507", "608", "773")
EMPLOYERS = ("Harbor Freightways", "Ellery Schools", "Brackenford Mills", "Northlight Energy", "Saltmarsh Foods")
CARRIERS = ("Meridian Dental", "Bluewater Benefit", "Oakline Health", "Summit Smile", "Prairie Mutual", "Lumen Life")
CAMPAIGNS = ("Web search", "Drove by", "School fair", "Radio spot")
DRUGS: tuple[tuple[str, str, str, bool], ...] = (
    ("Amoxicillin 500 mg", "1 capsule three times a day for 7 days", "21", False),
    ("Ibuprofen 600 mg", "1 tablet every 6 hours with food", "20", False),
    ("Chlorhexidine 0,12 % rinse", "15 ml twice a day; do not swallow", "473 ml", False),
    ("Hydrocodone/Acetaminophen 5/325", "1 tablet every 6 hours if needed", "8", True),
    ("Fluoride paste 5000 ppm", "Brush at bedtime, café and tea only afterwards", "1", False),
)
NOTE_LINES = (
    "Checked margins, all closed; patient comfortable when leaving.",
    "Discussed options, costs and what happens if nothing is done.",
    "Anaesthetic given without event, 1.8 ml.",
    "Sensitivity to cold on the upper left, gone after 10 s.",
    "Home care: flossing twice a week, asked for daily.",
    "Slight bleeding lower front, calculus removed.",
    "Bite adjusted; patient to call if it feels high tomorrow.",
    "#14 MOD checked, no change since last visit.",
)
TOPICS = ("Reminder", "Billing question", "After-care", "Insurance", "Complaint", "New appointment")
MEDICAL_ALERTS = ("Allergic to penicillin", "Takes blood thinners", "Pacemaker", "Latex allergy", "Diabetes, type 2")
CONDITIONS = ("missing", "implant", "crown", "filling", "root canal", "watch", "unerupted", "drifted")
CUSTOM_NAMES = ("Preferred Pharmacy", "Shade", "Nervous Patient", "Recall Preference")
CUSTOM_VALUES: dict[str, tuple[str, ...]] = {
    "Preferred Pharmacy": ("Corner Pharmacy", "Riverside Drugs", "Old Town Apotheke"),
    "Shade": ("A1", "A2", "B1", "C3"),
    "Nervous Patient": ("yes", "no", "a little"),
    "Recall Preference": ("text", "call", "letter", "none"),
}
SURFACES = ("", "", "M", "O", "MO", "DO", "MOD", "B", "L", "MODBL")

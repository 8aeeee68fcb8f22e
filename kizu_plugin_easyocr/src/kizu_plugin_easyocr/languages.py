"""Which of EasyOCR's recognisers reads which language, as in the table of EasyOCR 1.7.2, which is not imported for it.

A recogniser knows the letters of one script. Most read Latin letters as well, so English may stand beside any of them;
other scripts can't be mixed in one, and several read a picture together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kizu_core import SettingError


@dataclass(frozen=True, slots=True)
class Recogniser:
    """`languages`: EasyOCR's codes. `archive`: what its file comes in, below EasyOCR's releases. `megabytes`: about."""

    name: str
    file: str
    archive: str
    megabytes: float
    languages: tuple[str, ...]


def _codes(words: str) -> tuple[str, ...]:
    return tuple(words.split())


ENGLISH = Recogniser("english", "english_g2.pth", "v1.3/english_g2.zip", 15.1, ("en",))
LATIN = Recogniser(
    "latin",
    "latin_g2.pth",
    "v1.3/latin_g2.zip",
    15.4,
    _codes(
        "af az bs cs cy da de en es et fr ga hr hu id is it ku la lt lv mi ms mt nl no oc pi pl pt ro rs_latin sk sl "
        "sq sv sw tl tr uz vi"
    ),
)
_CYRILLIC = _codes("ru rs_cyrillic be bg uk mn abq ady kbd ava dar inh che lbe lez tab tjk")
_DEVANAGARI = _codes("hi mr ne bh mai ang bho mah sck new gom")

RECOGNISERS: Sequence[Recogniser] = (
    ENGLISH,
    LATIN,
    Recogniser("cyrillic", "cyrillic_g2.pth", "v1.6.1/cyrillic_g2.zip", 15.3, _CYRILLIC),
    Recogniser("chinese (simplified)", "zh_sim_g2.pth", "v1.3/zh_sim_g2.zip", 21.9, ("ch_sim",)),
    Recogniser("chinese (traditional)", "chinese.pth", "pre-v1.1.6/chinese.zip", 226.0, ("ch_tra",)),
    Recogniser("japanese", "japanese_g2.pth", "v1.3/japanese_g2.zip", 17.3, ("ja",)),
    Recogniser("korean", "korean_g2.pth", "v1.3/korean_g2.zip", 16.1, ("ko",)),
    Recogniser("arabic", "arabic.pth", "pre-v1.1.6/arabic.zip", 215.4, ("ar", "fa", "ug", "ur")),
    Recogniser("devanagari", "devanagari.pth", "pre-v1.1.6/devanagari.zip", 215.4, _DEVANAGARI),
    Recogniser("bengali", "bengali.pth", "v1.1.8/bengali.zip", 215.3, ("bn", "as")),
    Recogniser("thai", "thai.pth", "pre-v1.1.6/thai.zip", 215.3, ("th",)),
    Recogniser("tamil", "tamil.pth", "v1.1.7/tamil.zip", 215.2, ("ta",)),
    Recogniser("telugu", "telugu.pth", "v1.2/telugu.zip", 15.2, ("te",)),
    Recogniser("kannada", "kannada.pth", "v1.2/kannada.zip", 15.2, ("kn",)),
)

_STANDARD: Mapping[str, str] = {
    "ch_sim": "zh-Hans",
    "ch_tra": "zh-Hant",
    "rs_cyrillic": "sr-Cyrl",
    "rs_latin": "sr-Latn",
    "ava": "av",
    "che": "ce",
}
"""Standard codes of languages where EasyOCR has its own."""


def readers(languages: Iterable[str]) -> Sequence[tuple[Recogniser, tuple[str, ...]]]:
    """The recognisers that read these languages together, each with those that fall to it.

    English goes to the Latin recogniser if that is needed anyway, and stands beside every other script: signs in Tokyo
    or Sofia mix both in a line. Raises `SettingError` for a code that EasyOCR does not have.
    """
    wanted = tuple(dict.fromkeys(languages))
    known = {code for one in RECOGNISERS for code in one.languages}
    for code in wanted:
        if code not in known:
            raise SettingError(
                f"EASYOCR_LANGUAGES names {code!r}, which EasyOCR does not read.",
                hint=f"It reads {', '.join(sorted(known))}.",
            )
    if "en" not in wanted:
        return [(one, codes) for one in RECOGNISERS if (codes := _common(one, wanted))]
    others = tuple(code for code in wanted if code != "en")
    first = LATIN if _common(LATIN, others) else ENGLISH
    beside = [one for one in RECOGNISERS if one is not first and _common(one, others)]
    return [(one, (*_common(one, others), "en")) for one in (first, *beside)]


def standard_codes(languages: Iterable[str]) -> tuple[str, ...]:
    """Codes as the rest of the world writes them (BCP 47)."""
    return tuple(_STANDARD.get(code, code) for code in dict.fromkeys(languages))


def _common(recogniser: Recogniser, languages: Sequence[str]) -> tuple[str, ...]:
    return tuple(code for code in languages if code in recogniser.languages)

"""Typing errors, as fingers make them; never one that turns a region into another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import combinations

from medprompt_cli.synthesis.prompts.draft import Draft
from medprompt_cli.synthesis.prompts.finish import Piece
from medprompt_cli.synthesis.prompts.lexicon import HANGUL, WORD, plainly

KEYS: Mapping[str, str] = {
    **{"q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij"},
    **{"i": "uok", "o": "ipl", "p": "ol", "a": "qsz", "s": "awdx", "d": "sefc", "f": "drgv"},
    **{"g": "fthb", "h": "gyjn", "j": "hukm", "k": "jil", "l": "kop", "z": "asx"},
    **{"x": "zsdc", "c": "xdfv", "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk"},
}
"""Neighbours on the keyboard."""

_JAMO_KEYS = """
    ㅂㅈ ㅈㅂㄷ ㄷㅈㄱ ㄱㄷㅅ ㅅㄱㅎ ㅁㄴ ㄴㅁㅇ ㅇㄴㄹ ㄹㅇㅎ ㅎㄹ
    ㅛㅕ ㅕㅛㅑ ㅑㅕㅐ ㅐㅑㅔ ㅔㅐ ㅗㅓ ㅓㅗㅏ ㅏㅓㅣ ㅣㅏ
"""
JAMO_KEYS = {keys[0]: keys[1:] for keys in _JAMO_KEYS.split()}
"""Neighbours on the Korean keyboard of two sets."""

INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = 28

_PROTECTED = """
    left right larger largest smaller smallest bigger biggest greater except without
    excluding above below under over before after first last least most hyper hypo
    hyperintense hypointense isointense bright brighter darker older newer baseline
    between outside inside within exceed exceeding longer shorter longest shortest widest
"""
PROTECTED = frozenset(_PROTECTED.split())
"""Words that mean something else when a letter changes."""

PROTECTED_KOREAN = re.compile(
    "제외|빼|이상|이하|초과|미만|넘는|최대|최소|가장|왼|오른|좌|우측|크|작|고신호|저신호|등신호|"
    "처음|마지막|이전|이후|새로|신규|안쪽|바깥|밖"
)
SHORTEST = 5
"""Letters a mistyped English word has at least."""

SHORTEST_KOREAN = 2
SHORTEST_KOREAN_NAME = 3
"""Syllables: a wrong letter in one of two leaves nothing to know a name by."""

HANGUL_WORD = re.compile(r"[가-힣]+")
LATIN_WORD = re.compile(r"(?<![^\W_])[A-Za-z]+(?![^\W_])")

SHARE = 0.16
"""How many prompts are typed carelessly."""

UNSPACED = 0.5
"""Of careless Korean prompts, how many leave out a blank rather than hit a wrong key."""


def mistype(pieces: list[Piece], draft: Draft) -> list[Piece]:
    """Put one to three typing errors into some prompts."""
    if not draft.chance(SHARE):
        return pieces
    for _ in range(draft.pick((1, 2, 3), (6, 3, 1))):
        if not pieces:
            break
        at = int(draft.rng.random() * len(pieces))
        piece = pieces[at]
        if piece.kind != "held":
            before = pieces[at - 1].text if at else ""
            pieces[at] = Piece(_mistyped(piece, before, draft), piece.kind)
    return pieces


def _mistyped(piece: Piece, before: str, draft: Draft) -> str:
    korean = HANGUL.search(piece.text) is not None
    if korean and piece.kind == "plain" and draft.chance(UNSPACED):
        return _without_a_blank(piece.text, before, draft)
    pattern = HANGUL_WORD if korean else LATIN_WORD
    words = list(pattern.finditer(piece.text))
    if not words:
        return piece.text
    match = draft.pick(words)
    if korean and piece.kind == "region" and len(match[0]) < SHORTEST_KOREAN_NAME:
        return piece.text
    wrong = (_wrong_korean if korean else _wrong_english)(match[0], draft)
    region = piece.kind == "region"
    unsafe = not _is_safe(match[0], wrong, piece.kind, draft)
    if unsafe or (region and not _is_same_without(piece.text, match[0], draft)):
        return piece.text
    return piece.text[: match.start()] + wrong + piece.text[match.end() :]


def _is_same_without(text: str, word: str, draft: Draft) -> bool:
    """Whether what is left of a name without one of its words names no other region.

    A reader who cannot make out the first word of `third ventricle` must not read
    `ventricle`.
    """
    words = WORD.findall(text.lower())
    meanings = draft.lexicon.meanings
    meant: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    for start, end in combinations(range(len(words) + 1), 2):
        found = meanings.get(plainly("".join(words[start:end])), frozenset())
        if word.lower() in words[start:end]:
            meant |= found
        else:
            left |= found
    return left <= meant


def _without_a_blank(text: str, before: str, draft: Draft) -> str:
    """Run two Korean words into one; the first may end the piece before."""
    blanks = [m.start() for m in re.finditer(r"(?<=[가-힣]) (?=[가-힣])", text)]
    if HANGUL.search(before[-1:]) and re.match(r" [가-힣]", text):
        blanks += [0, 0]
    if not blanks:
        return text
    at = draft.pick(blanks)
    return text[:at] + text[at + 1 :]


def _is_safe(right: str, wrong: str, kind: str, draft: Draft) -> bool:
    """Whether the wrong word cannot be taken for a region that was not meant."""
    if right == wrong:
        return False
    near = draft.lexicon.nearness.within(wrong, 1)
    if kind == "plain":
        return not near
    owners = draft.lexicon.owners
    meant = owners.get(right.lower(), owners.get(right.lower().removesuffix("s"), frozenset()))
    return all(owners[word] <= meant for word in near)


def _wrong_english(word: str, draft: Draft) -> str:
    lower = word.lower()
    if len(word) < SHORTEST or lower in PROTECTED or (word.isupper() and len(word) < 8):  # noqa: PLR2004
        return word
    at = draft.rng.randint(1, len(word) - 2)
    sort = draft.pick(("swap", "drop", "key", "double"), (3, 3, 3, 1.5))
    if sort == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if sort == "drop":
        return word[:at] + word[at + 1 :]
    if sort == "double":
        return word[:at] + word[at] + word[at:]
    key = draft.pick(KEYS[lower[at]])
    return word[:at] + (key.upper() if word[at].isupper() else key) + word[at + 1 :]


def _wrong_korean(word: str, draft: Draft) -> str:
    if len(word) < SHORTEST_KOREAN or PROTECTED_KOREAN.search(word):
        return word
    at = int(draft.rng.random() * len(word))
    return word[:at] + _wrong_syllable(word[at], draft) + word[at + 1 :]


def _wrong_syllable(syllable: str, draft: Draft) -> str:
    """One of its letters is dropped, or the one beside it on the keyboard."""
    code = ord(syllable) - ord("가")
    final, rest = code % FINALS, code // FINALS
    vowel, initial = rest % len(VOWELS), rest // len(VOWELS)
    sort = draft.pick(("initial", "vowel", "final"))
    if sort == "final":
        final = 0
    elif sort == "vowel":
        near = [v for v in JAMO_KEYS.get(VOWELS[vowel], "") if v in VOWELS]
        vowel = VOWELS.index(draft.pick(near)) if near else vowel
    else:
        near = [c for c in JAMO_KEYS.get(INITIALS[initial], "") if c in INITIALS]
        initial = INITIALS.index(draft.pick(near)) if near else initial
    return unicodedata.normalize(
        "NFC", chr(ord("가") + (initial * len(VOWELS) + vowel) * FINALS + final)
    )

"""Whether a mask can be trusted: pass, review or fail, and why.

What a mask tells of itself, without a truth to hold it against: how sure the network was of
its voxels, whether the region is there at all, whether it is in one piece, whether both sides
are alike. What the rest of a cohort tells is added when its table is put together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from medprompt_cli.domain.anatomy import BASE_STRUCTURES, LESIONS, VENTRICLE_KINDS
from medprompt_cli.domain.posterior import PosteriorSums

Level = Literal["pass", "review", "fail"]

LEAST_DICE, GOOD_DICE = 0.5, 0.75
"""Expected Dice below which a mask is more wrong than right, and below which it is looked at.
Lesions, whose borders are anyone's guess, are looked at below the first and never fail."""

UNLIKELY, EVEN_ODDS = 0.1, 0.5
"""Presence below which voxels of a structure are not believed, and are looked at."""

WHOLE_SHARE = 0.9
"""Share of its voxels that a compact structure has in one piece, at least."""

MOST_ASYMMETRY = 40.0
"""Percent of the mean of both sides. In six brains drawn by hand and two by FreeSurfer, people
without large lesions, the accumbens reached 32 and no other structure 17."""

THIN_KINDS = frozenset({*VENTRICLE_KINDS, "csf"})
"""Kinds that fall into pieces, and differ between the sides, where nothing is wrong."""

_KIND_OF = {structure.name: structure.kind for structure in BASE_STRUCTURES}


@dataclass(frozen=True)
class Quality:
    """How far a mask can be trusted.

    Attributes:
        level: pass, review, fail: the worst of its reasons.
        reasons: Why it does not pass, in a fixed order; empty if it does.
        expected_dice: Dice with the truth if probabilities mean what they say; None without.
    """

    level: Level
    reasons: tuple[str, ...] = ()
    expected_dice: float | None = None


@dataclass(frozen=True)
class Evidence:
    """What a region's quality is judged by.

    Attributes:
        region: Its name.
        volume_ml: Of its mask.
        largest_share: Of its voxels in the largest connected piece.
        presence: Probability that it is there; None if not estimated.
        sums: What its probabilities add up to; None if not known.
    """

    region: str
    volume_ml: float
    largest_share: float
    presence: float | None = None
    sums: PosteriorSums | None = None


def expected_dice(volume_ml: float, sums: PosteriorSums) -> float:
    """Dice of a mask with a truth that is drawn from the probabilities, nearly.

    2 E|mask and truth| / (|mask| + E|truth|): an expectation of the ratio would be the same up
    to the spread of |truth|, which is small beside it.
    """
    both = volume_ml + sums.total_ml
    return min(1.0, 2 * sums.inside_ml / both) if both else 0.0


def judge(evidence: Evidence, other_side_ml: float | None = None) -> Quality:
    """Judge a mask that has voxels.

    Args:
        evidence: What is known of it.
        other_side_ml: Volume of the same structure on the other side; None if it has none,
            or that side was not asked for or is not whole.
    """
    found: dict[str, Level] = {}
    dice = None
    if evidence.sums is not None:
        dice = expected_dice(evidence.volume_ml, evidence.sums)
        found |= _of_dice(dice, is_lesion=evidence.region in LESIONS)
    kind = _KIND_OF.get(evidence.region)
    if kind is not None:
        found |= _of_presence(evidence.presence)
    if kind is not None and kind not in THIN_KINDS:
        if evidence.largest_share < WHOLE_SHARE:
            found["in-pieces"] = "review"
        if _is_lopsided(evidence.volume_ml, other_side_ml):
            found["asymmetric"] = "review"
    return Quality(_worst(found), tuple(found), dice)


def _of_dice(dice: float, *, is_lesion: bool) -> Mapping[str, Level]:
    if is_lesion:
        return {"uncertain": "review"} if dice < LEAST_DICE else {}
    if dice >= GOOD_DICE:
        return {}
    return {"uncertain": "fail" if dice < LEAST_DICE else "review"}


def _of_presence(presence: float | None) -> Mapping[str, Level]:
    if presence is None or presence >= EVEN_ODDS:
        return {}
    return {"unlikely-present": "fail" if presence < UNLIKELY else "review"}


def _is_lopsided(volume_ml: float, other_ml: float | None) -> bool:
    if other_ml is None or not volume_ml + other_ml:
        return False
    return 200 * abs(volume_ml - other_ml) / (volume_ml + other_ml) > MOST_ASYMMETRY


def _worst(found: Mapping[str, Level]) -> Level:
    if "fail" in found.values():
        return "fail"
    return "review" if found else "pass"

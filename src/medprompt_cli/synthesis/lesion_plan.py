"""Which lesions an image gets: kinds, places, sizes and layers, before a voxel is drawn.

Sizes and shares are rounded from what radiology texts call usual; they are set wide,
for a network that has seen more than occurs errs less.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.lesion_model import Lesion, LesionRange, Spot
from medprompt_cli.synthesis.lesion_sites import Sites
from medprompt_cli.synthesis.lesion_spots import Placement, SpotFinder, Warp

WIDEST_MM = 40.0
"""Radius of a glioma with its edema, at most."""

MS_RADIUS_MM = (1.0, 9.0)
"""Smallest and largest radius of one MS lesion."""

BRAINSTEM_MM = 11.0
"""Radius of what grows in the brainstem, at most."""

MOST_KINDS = 3
"""Kinds of lesion in one image, at most."""


def plan_lesions(
    draw: Draw,
    ranges: LesionRange,
    sites: Sites,
    placement: Placement,
    warp: Warp | None = None,
) -> tuple[Lesion, ...]:
    """Draw the lesions of one image.

    Args:
        draw: Random numbers.
        ranges: Which lesions, and how often.
        sites: Of the label map the image is made from.
        placement: Matrix (3, 3) and centre (3,): output mm, from the grid's middle, to
            voxels of the label map.
        warp: Displacement added after the placement and the extent it spans; without
            it, places are off by the displacement.

    Returns:
        No lesion, or those of one to three kinds.
    """
    if not draw.chance(ranges.share):
        return ()
    finder = SpotFinder(draw, sites, placement, warp)
    lesions: list[Lesion] = []
    for kind in _kinds(draw, ranges):
        lesions.extend(_PLANNERS[kind](finder, draw, ranges))
    return tuple(lesions)


def _kinds(draw: Draw, ranges: LesionRange) -> list[str]:
    """One to three kinds, each at most once."""
    left = dict(ranges.weights)
    kinds = [_pick(draw, left)]
    while len(kinds) < min(MOST_KINDS, len(ranges.weights)) and draw.chance(ranges.more):
        del left[kinds[-1]]
        kinds.append(_pick(draw, left))
    return kinds


def _pick(draw: Draw, weights: Mapping[str, float]) -> str:
    place = draw.uniform(0, sum(weights.values()))
    for name, weight in weights.items():
        place -= weight
        if place < 0:
            return name
    return next(reversed(list(weights)))


def _between(draw: Draw, limits: tuple[float, float]) -> float:
    """A number whose logarithm is uniform."""
    return math.exp(draw.uniform(math.log(limits[0]), math.log(limits[1])))


def _wmh(finder: SpotFinder, draw: Draw, ranges: LesionRange) -> list[Lesion]:
    band_mm = _between(draw, ranges.wmh_band_mm)
    middle = finder.ventricles() if draw.chance(0.85) else None
    lesions = []
    if middle is not None:
        lesions.append(
            Lesion("wmh", middle, band_mm, (("wmh", 0.0),), form="band", roughness=0.5)
        )
    foci = round(ranges.wmh_foci * draw.uniform(0, 1) ** 2) + (middle is None)
    largest = 1.5 + 0.6 * band_mm
    for spot in finder.spots({"white": 0.85, "junction": 0.15}, foci):
        radius, stretch = _between(draw, (0.9, largest)), (draw.uniform(1, 1.6), 1.0)
        lesions.append(Lesion("wmh", spot, radius, (("wmh", 0.0),), stretch=stretch))
    return lesions


def _ms(finder: SpotFinder, draw: Draw, ranges: LesionRange) -> list[Lesion]:
    fewest, most = ranges.ms_count
    count = round(_between(draw, (fewest, most)))
    total_mm3 = 1000 * _between(draw, ranges.ms_total_ml)
    shares = [math.exp(0.8 * draw.uniform(-2, 2)) for _ in range(count)]
    homes = {
        "periventricular": 0.5,
        "white": 0.22,
        "junction": 0.16,
        "cerebellum": 0.06,
        "brainstem": 0.06,
    }
    lesions = []
    for spot, share in zip(finder.spots(homes, count), shares, strict=False):
        radius = (0.75 / math.pi * total_mm3 * share / sum(shares)) ** (1 / 3)
        radius = min(max(radius, MS_RADIUS_MM[0]), MS_RADIUS_MM[1])
        layers = [("ms", 0.0)]
        if radius > 2.5 and draw.chance(0.25):  # noqa: PLR2004 - smaller ones have no room
            layers.append(("ms-black-hole", -radius * draw.uniform(0.2, 0.5)))
        finger = spot.home == "periventricular"
        stretch = (draw.uniform(1.2, 2.2) if finger else draw.uniform(0.9, 1.4), 1.0)
        lesions.append(
            Lesion("ms", spot, radius, tuple(layers), stretch=stretch, roughness=0.2)
        )
    return lesions


def _glioma(finder: SpotFinder, draw: Draw, ranges: LesionRange) -> list[Lesion]:
    homes = {"white": 0.88, "deep": 0.05, "brainstem": 0.03, "cerebellum": 0.04}
    lesions = []
    for spot in finder.spots(homes, 1):
        radius = _fit(spot, _between(draw, ranges.glioma_mm))
        high_grade = draw.chance(0.65)
        layers = (_high_grade if high_grade else _low_grade)(draw, radius)
        push = ranges.push * (draw.uniform(0.15, 1) if high_grade else draw.uniform(0, 0.5))
        lesions.append(
            Lesion(
                "glioma",
                spot,
                radius,
                layers,
                stretch=(draw.uniform(0.8, 1.4), draw.uniform(0.8, 1.25)),
                roughness=draw.uniform(0.25, 0.5),
                push=push,
                crosses=True,
            )
        )
    return lesions


def _fit(spot: Spot, radius: float) -> float:
    return min(radius, BRAINSTEM_MM) if spot.home == "brainstem" else radius


def _high_grade(draw: Draw, radius: float) -> tuple[tuple[str, float], ...]:
    """Edema, at times a shell that does not enhance, a rim, and what died inside it."""
    shell = draw.uniform(1, 6) if draw.chance(0.4) else 0.0
    rim = min(draw.uniform(1.5, 6), 0.6 * radius)
    edema = min(draw.uniform(3, 25), WIDEST_MM - radius - shell)
    layers = [("tumor-edema", shell + edema)]
    if shell:
        layers.append(("glioma-core", shell))
    layers.append(("glioma-enhancing", 0.0))
    inside = draw.uniform(0, 1)
    if inside < 0.8:  # noqa: PLR2004 - most have a dead middle
        layers.append(("glioma-necrosis", -rim))
    elif inside < 0.92:  # noqa: PLR2004 - some a middle that does not enhance
        layers.append(("glioma-core", -rim))
    return tuple(layers)


def _low_grade(draw: Draw, radius: float) -> tuple[tuple[str, float], ...]:
    core = ("glioma-core", 0.0)
    if draw.chance(0.5):
        return (core,)
    return ("tumor-edema", min(draw.uniform(1, 8), WIDEST_MM - radius)), core


def _metastasis(finder: SpotFinder, draw: Draw, ranges: LesionRange) -> list[Lesion]:
    count = 1 + int(ranges.metastases * draw.uniform(0, 1) ** 2)
    homes = {"junction": 0.77, "cerebellum": 0.16, "deep": 0.07}
    lesions = []
    for spot in finder.spots(homes, min(count, ranges.metastases)):
        radius = _between(draw, ranges.metastasis_mm)
        layers = []
        if draw.chance(0.7):
            layers.append(("tumor-edema", draw.uniform(3, 24) * min(1.0, 0.3 + radius / 8)))
        layers.append(("metastasis-enhancing", 0.0))
        if radius > 4 and draw.chance(0.65):  # noqa: PLR2004 - small ones have no room
            layers.append(("metastasis-necrosis", -draw.uniform(1, 2) - 0.2 * radius))
        lesions.append(
            Lesion(
                "metastasis",
                spot,
                radius,
                tuple(layers),
                stretch=(draw.uniform(0.85, 1.2), 1.0),
                roughness=0.15,
                push=ranges.push * draw.uniform(0, 0.7),
            )
        )
    return lesions


def _meningioma(finder: SpotFinder, draw: Draw, ranges: LesionRange) -> list[Lesion]:
    lesions = []
    for spot in finder.spots({"surface": 1.0}, 1):
        radius = _between(draw, ranges.meningioma_mm)
        layers = [("meningioma", 0.0)]
        if draw.chance(0.4):
            layers.insert(0, ("tumor-edema", draw.uniform(3, 16)))
        lesions.append(
            Lesion(
                "meningioma",
                spot,
                radius,
                tuple(layers),
                stretch=(draw.uniform(0.7, 1.05), draw.uniform(0.9, 1.2)),
                roughness=draw.uniform(0.08, 0.2),
                sink_mm=radius * draw.uniform(0.15, 0.5),
                push=ranges.push * draw.uniform(0.6, 1),
            )
        )
    return lesions


def _infarct(finder: SpotFinder, draw: Draw, ranges: LesionRange) -> list[Lesion]:
    lesions = []
    for spot in finder.spots({"cortex": 1.0}, 1):
        radius = 0.5 * draw.uniform(*ranges.infarct_mm)
        layers: tuple[tuple[str, float], ...] = (("infarct-acute", 0.0),)
        push = draw.uniform(0, 0.25)
        if draw.chance(0.45):
            layers = ("infarct-gliosis", 0.0), ("infarct-chronic", -draw.uniform(2, 5))
            push = -draw.uniform(0, 0.25)
        lesions.append(
            Lesion(
                "infarct",
                spot,
                radius,
                layers,
                form="wedge",
                stretch=(1.0, draw.uniform(0.6, 1.6)),
                roughness=draw.uniform(0.25, 0.45),
                sink_mm=8 + radius * draw.uniform(1.0, 1.6),
                push=push,
            )
        )
    return lesions


def _lacune(finder: SpotFinder, draw: Draw, _: LesionRange) -> list[Lesion]:
    homes = {"deep": 0.5, "white": 0.27, "brainstem": 0.15, "cerebellum": 0.08}
    lesions = []
    for spot in finder.spots(homes, 1 + draw.integer(3)):
        layers: tuple[tuple[str, float], ...] = (("infarct-lacunar", 0.0),)
        if draw.chance(0.5):
            layers = ("infarct-gliosis", draw.uniform(0.8, 2)), ("infarct-chronic", 0.0)
        stretch = (draw.uniform(0.8, 1.9), draw.uniform(0.8, 1.3))
        lesions.append(
            Lesion("lacune", spot, _between(draw, (1.5, 7)), layers, stretch=stretch)
        )
    return lesions


def _hemorrhage(finder: SpotFinder, draw: Draw, ranges: LesionRange) -> list[Lesion]:
    homes = {"deep": 0.5, "junction": 0.33, "cerebellum": 0.11, "brainstem": 0.06}
    part = "hemorrhage-acute" if draw.chance(0.65) else "hemorrhage-subacute"
    lesions = []
    for spot in finder.spots(homes, 1 + draw.chance(0.15)):
        radius = _fit(spot, _between(draw, ranges.hemorrhage_mm))
        layers = [(part, 0.0)]
        if draw.chance(0.8):
            layers.insert(0, ("hemorrhage-edema", draw.uniform(1, 4) + 0.3 * radius))
        lesions.append(
            Lesion(
                "hemorrhage",
                spot,
                radius,
                tuple(layers),
                stretch=(draw.uniform(0.7, 1.6), draw.uniform(0.8, 1.3)),
                roughness=draw.uniform(0.2, 0.45),
                push=ranges.push * draw.uniform(0.1, 0.8),
                crosses=True,
            )
        )
    return lesions


def _cyst(finder: SpotFinder, draw: Draw, ranges: LesionRange) -> list[Lesion]:
    outside = draw.chance(0.4)
    homes = {"surface": 1.0} if outside else {"white": 0.6, "deep": 0.2, "cerebellum": 0.2}
    lesions = []
    for spot in finder.spots(homes, 1):
        radius = _between(draw, ranges.cyst_mm)
        lesions.append(
            Lesion(
                "cyst",
                spot,
                radius,
                (("cyst", 0.0),),
                stretch=(draw.uniform(0.8, 1.5), draw.uniform(0.9, 1.2)),
                roughness=draw.uniform(0.03, 0.12),
                sink_mm=radius * draw.uniform(0.1, 0.6) if outside else 0.0,
                push=ranges.push * draw.uniform(0.3, 1),
            )
        )
    return lesions


def _cavity(finder: SpotFinder, draw: Draw, ranges: LesionRange) -> list[Lesion]:
    """A hole from the surface in; at times with tumour left at its bottom."""
    lesions = []
    for spot in finder.spots({"cortex": 1.0}, 1):
        radius = _between(draw, ranges.cavity_mm)
        sink = radius * draw.uniform(0.5, 0.9)
        layers = ("cavity-gliosis", draw.uniform(1, 5)), ("cavity", 0.0)
        stretch = (draw.uniform(0.9, 1.4), draw.uniform(0.8, 1.25))
        lesions.append(
            Lesion(
                "cavity",
                spot,
                radius,
                layers,
                stretch=stretch,
                roughness=draw.uniform(0.12, 0.3),
                sink_mm=sink,
            )
        )
        if draw.chance(0.35):
            rest = "glioma-enhancing" if draw.chance(0.6) else "glioma-core"
            left = ("tumor-edema", draw.uniform(3, 14)), (rest, 0.0)
            size, depth = radius * draw.uniform(0.3, 0.6), sink + stretch[0] * radius
            lesions.append(Lesion("glioma", spot, size, left, sink_mm=depth))
    return lesions


_PLANNERS: dict[str, Callable[[SpotFinder, Draw, LesionRange], list[Lesion]]] = {
    "wmh": _wmh,
    "ms": _ms,
    "glioma": _glioma,
    "metastasis": _metastasis,
    "meningioma": _meningioma,
    "infarct": _infarct,
    "lacune": _lacune,
    "hemorrhage": _hemorrhage,
    "cyst": _cyst,
    "cavity": _cavity,
}

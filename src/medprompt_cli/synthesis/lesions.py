"""Synthetic lesions: find sites, plan, push aside, place, paint.

The truth is one volume of lesion parts, `lesion_parts.PARTS`, on the grid that is
painted. The steps of one image:

    find_sites      once for every label map
    plan_lesions    before the labels are sampled
    push_aside      on the warp they are sampled with
    place           on the sampled labels
    paint_lesions   on every image painted from them
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.lesion_model import Lesion, LesionRange, Vector
from medprompt_cli.synthesis.lesion_paint import paint_lesions
from medprompt_cli.synthesis.lesion_parts import COMPARTMENTS, GROUNDS, PART_INDEX, PARTS
from medprompt_cli.synthesis.lesion_plan import plan_lesions
from medprompt_cli.synthesis.lesion_shapes import (
    SPREAD,
    WIDEST_BAND_MM,
    Window,
    reach_of,
    smooth_noise,
    surface,
    ventricle_box,
    window_round,
)
from medprompt_cli.synthesis.lesion_sites import HOMES, Sites, find_sites
from medprompt_cli.synthesis.lesion_spots import push_aside

__all__ = [
    "Lesion",
    "LesionRange",
    "Sites",
    "find_sites",
    "paint_lesions",
    "place",
    "plan_lesions",
    "push_aside",
]

SEAT_MM = 7.0
"""How far from its planned place a lesion may find its ground."""

SPREADING_MM = 12.0
"""Size of the fingers of edema."""

PERMEABILITY = {"cortex": 0.2, "cerebellar-cortex": 0.2, "deep": 0.45, "stem": 0.6}
"""How far edema spreads in a tissue, relative to white matter."""

CROSSING_MM = {"callosum": 5.0, "brainstem": 3.0}
"""How much of its reach a lesion loses on its way out of its compartment."""

_SPREADING = {"tumor-edema", "hemorrhage-edema"}


def place(
    labels: torch.Tensor,
    spacing: Vector,
    lesions: tuple[Lesion, ...],
    draw: Draw,
) -> torch.Tensor:
    """Draw planned lesions into the tissue they grow in.

    A lesion without its ground near its place, or outside the image, is left out.

    Args:
        labels: (I, J, K) uint8, positions in `PAINT_CLASSES`.
        spacing: In mm.
        lesions: Of the image.
        draw: Random numbers.

    Returns:
        (I, J, K) uint8, positions in `PARTS`. Where lesions meet, the later part stays.
    """
    parts = torch.zeros_like(labels)
    for lesion in lesions:
        found = _ventricles(labels, spacing, lesion) if lesion.form == "band" else None
        if lesion.form != "band":
            found = _seat(labels, spacing, lesion)
        if found is None:
            continue
        seated, compartment, window = found
        drawn = _draw_layers(seated, compartment, window, labels[window.box], draw)
        if drawn is not None:
            here = parts[window.box]
            torch.maximum(here, drawn, out=here)
    return parts


Seat = tuple[Lesion, str, Window]
"""A lesion moved to its ground, the compartment it is in, and the voxels round it."""


def _ventricles(labels: torch.Tensor, spacing: Vector, lesion: Lesion) -> Seat | None:
    box = ventricle_box(labels, spacing)
    if box is None:
        return None
    x, y, z = (half + WIDEST_BAND_MM for half in box[1])
    window = window_round((labels.shape, spacing), box[0], (x, y, z), labels.device)
    return None if window is None else (lesion, "csf", window)


def _seat(labels: torch.Tensor, spacing: Vector, lesion: Lesion) -> Seat | None:
    """Move a lesion to the nearest voxel of its ground."""
    grid, reach = (labels.shape, spacing), (SEAT_MM, SEAT_MM, SEAT_MM)
    near = window_round(grid, lesion.centre_mm, reach, labels.device)
    if near is None:
        return None
    here = labels[near.box].int()
    home = torch.tensor([ground in HOMES[lesion.spot.home] for ground in GROUNDS])
    x, y, z = (
        (axis - at).square() for axis, at in zip(near.axes, lesion.centre_mm, strict=True)
    )
    away = x[:, None, None] + (y[:, None] + z)
    away = away.masked_fill_(~home.to(labels.device)[here], math.inf).reshape(-1)
    best = int(away.argmin())
    if not math.isfinite(float(away[best])):
        return None
    compartment = COMPARTMENTS[int(here.reshape(-1)[best])]
    _, j, k = near.shape
    at = (best // (j * k), best // k % j, best % k)
    x, y, z = (float(axis[n]) for axis, n in zip(near.axes, at, strict=True))
    seated = replace(lesion, spot=replace(lesion.spot, centre_mm=(x, y, z)))
    window = window_round(grid, *reach_of(seated), labels.device)
    return None if window is None else (seated, compartment, window)


def _draw_layers(
    lesion: Lesion, compartment: str, window: Window, labels: torch.Tensor, draw: Draw
) -> torch.Tensor | None:
    """Parts, (I, J, K) uint8, of one lesion in its window."""
    level = surface(lesion, window, labels, draw)
    if level is None:
        return None
    drawn, classes = torch.zeros_like(labels), labels.int()
    for name, offset in lesion.layers:
        border = level
        if name in _SPREADING:
            fingers = smooth_noise(draw, window, SPREADING_MM).tanh_()
            border = level + SPREAD * offset * fingers
        elif offset < 0:
            uneven = smooth_noise(draw, window, max(4.0, 0.5 * lesion.radius_mm))
            border = level + 0.4 * min(-offset, 4.0) * uneven
        limits = _limits(lesion, name, offset, compartment).to(labels.device)
        drawn.masked_fill_(border < limits[classes], PART_INDEX[name])
    return drawn


def _limits(lesion: Lesion, name: str, offset: float, compartment: str) -> torch.Tensor:
    """The level a part reaches in every class, (G,) mm; -inf where it never grows."""
    grounds = PARTS[PART_INDEX[name]].ground
    limits = torch.full((len(GROUNDS),), -math.inf)
    for n, (ground, other) in enumerate(zip(GROUNDS, COMPARTMENTS, strict=True)):
        loss = _loss(compartment, other, ground, lesion)
        if ground in grounds:
            share = PERMEABILITY.get(ground, 1.0) if name in _SPREADING else 1.0
            limits[n] = offset * share - loss
    return limits


def _loss(home: str, other: str, ground: str, lesion: Lesion) -> float:
    """What a lesion of one compartment loses in another, in mm."""
    if home in {other, "csf"} or other == "csf":
        return 0.0
    if not lesion.crosses:
        return math.inf
    if {home, other} == {"left", "right"}:
        return CROSSING_MM["callosum"] if ground == "white" else math.inf
    return CROSSING_MM["brainstem"] if "brainstem" in {home, other} else math.inf

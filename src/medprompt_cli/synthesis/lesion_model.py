"""What a planned lesion is, and which lesions images get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Vector = tuple[float, float, float]
Form = Literal["ellipsoid", "wedge", "band"]


@dataclass(frozen=True, slots=True)
class LesionRange:
    """Which lesions occur, and how often.

    Attributes:
        share: Share of images with any lesion.
        more: Chance of each further kind of lesion, up to three in one image.
        weights: How often each kind is drawn, relative to the others.
        ms_count: Fewest and most MS lesions.
        ms_total_ml: Least and largest volume of all MS lesions together.
        wmh_band_mm: Least and largest thickness of a periventricular band.
        wmh_foci: Most punctate foci.
        glioma_mm: Least and largest radius of the core of a glioma.
        metastases: Most metastases.
        metastasis_mm: Least and largest radius.
        meningioma_mm: Least and largest radius.
        infarct_mm: Least and largest width at the surface.
        hemorrhage_mm: Least and largest radius.
        cyst_mm: Least and largest radius.
        cavity_mm: Least and largest radius.
        push: Largest mass effect; 1 would fold.
    """

    share: float = 0.5
    more: float = 0.25
    weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "wmh": 0.2,
            "ms": 0.2,
            "glioma": 0.18,
            "metastasis": 0.09,
            "meningioma": 0.07,
            "infarct": 0.1,
            "lacune": 0.05,
            "hemorrhage": 0.08,
            "cyst": 0.05,
            "cavity": 0.06,
        }
    )
    ms_count: tuple[int, int] = (1, 40)
    ms_total_ml: tuple[float, float] = (0.2, 30.0)
    wmh_band_mm: tuple[float, float] = (0.3, 4.0)
    wmh_foci: int = 24
    glioma_mm: tuple[float, float] = (7.0, 28.0)
    metastases: int = 6
    metastasis_mm: tuple[float, float] = (2.0, 15.0)
    meningioma_mm: tuple[float, float] = (6.0, 26.0)
    infarct_mm: tuple[float, float] = (10.0, 60.0)
    hemorrhage_mm: tuple[float, float] = (4.0, 26.0)
    cyst_mm: tuple[float, float] = (3.0, 22.0)
    cavity_mm: tuple[float, float] = (8.0, 26.0)
    push: float = 0.7


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the image for a lesion.

    Attributes:
        home: Name in `lesion_sites.HOMES`: the ground sought there.
        centre_mm: In output mm, from the middle of the grid.
        axis: Unit vector in output space; see `lesion_sites.Candidates`.
        depth_mm: From the centre to the skull.
        matrix: Rows of the (3, 3) matrix from output mm to the label map.
    """

    home: str
    centre_mm: Vector
    axis: Vector = (0.0, 0.0, 1.0)
    depth_mm: float = 0.0
    matrix: tuple[Vector, Vector, Vector] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Lesion:
    """One lesion of an image, planned.

    Attributes:
        kind: Key of `LesionRange.weights`.
        spot: Where its tissue is sought.
        radius_mm: Of the surface its layers are measured from; of a band, its thickness.
        layers: Parts, outermost first, with the distance in mm of each one's border
            outside the surface (inside, if negative).
        form: What the surface is.
        stretch: Length along the spot's axis, and along one direction across it,
            relative to the third.
        roughness: Size of the bumps of the surface, relative to the radius.
        sink_mm: How far the middle of the surface lies from the spot, along its axis.
        push: Share by which tissue at the middle is thinned out; negative pulls.
        crosses: Whether it may leave its compartment along white matter.
    """

    kind: str
    spot: Spot
    radius_mm: float
    layers: tuple[tuple[str, float], ...]
    form: Form = "ellipsoid"
    stretch: tuple[float, float] = (1.0, 1.0)
    roughness: float = 0.3
    sink_mm: float = 0.0
    push: float = 0.0
    crosses: bool = False

    @property
    def centre_mm(self) -> Vector:
        """Where its tissue is sought, in output mm from the middle of the grid."""
        return self.spot.centre_mm

    @property
    def middle_mm(self) -> Vector:
        """Middle of the surface, where mass effect starts."""
        x, y, z = (
            c + self.sink_mm * a
            for c, a in zip(self.spot.centre_mm, self.spot.axis, strict=True)
        )
        return x, y, z

"""What regions of a program are like: voxels and images to findings, and to values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from medprompt_cli.characterization import diffusion, enhancement, places, signal
from medprompt_cli.characterization.contrast import NoContrast
from medprompt_cli.characterization.enhancement import Uptake
from medprompt_cli.domain.finding import YES, Finding, no_image_note
from medprompt_cli.domain.parcels import VISIBLE
from medprompt_cli.domain.volume import LabelMap, Mask, Volume
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.extent import ends_outside
from medprompt_cli.execution.looking import Looker
from medprompt_cli.execution.values import (
    Characterized,
    Image,
    Region,
    Status,
    Text,
    Truth,
)
from medprompt_cli.measurement.resample import NOTE, resampled

NO_PLACE = "none"
"""What lies in no lobe is equal to no lobe's name, rather than unknown."""

IMAGES_OF: Mapping[str, tuple[str, ...]] = {
    "enhances": ("T1w", "T1ce"),
    "restricts_diffusion": ("dwi", "ADC"),
}
"""Kinds of image that a function looks at without being told to."""

FEATURES: Mapping[str, str] = {
    "signal": signal.FEATURE,
    "lobe": places.LOBE,
    "territory": places.TERRITORY,
    "enhances": enhancement.FEATURE,
    "restricts_diffusion": diffusion.FEATURE,
}
"""What is found by a function, as tables call it."""

Judge = Callable[[Mask, Sequence[Volume]], Finding]
"""Takes a region and images on its grid."""

_Known = tuple[Region, Characterized, Status]


@dataclass
class Characterizer:
    """Findings about the regions of a case.

    Attributes:
        case: Whose images are compared.
        looker: Where the tissue around a region comes from.
    """

    case: Case
    looker: Looker
    _known: dict[tuple[object, ...], _Known] = field(default_factory=dict)
    _volumes: dict[tuple[int, ...], Volume] = field(default_factory=dict)
    _added: dict[tuple[int, ...], Uptake | NoContrast] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Characterized, ...]:
        """Everything that was found, in order; what was asked again stands there once."""
        return tuple(dict.fromkeys(found for _, found, _ in self._known.values()))

    def signal(self, region: Region, image: Image | None) -> Text:
        """Brighter, alike or darker on an image; by default the first that shows it."""

        def judge(lesion: Mask, shown: Sequence[Volume]) -> Finding:
            [volume] = shown
            return signal.signal(lesion, volume, *self._around(region))

        return self._text(region, "signal", {"": image or region.images[0]}, judge)

    def lobe(self, region: Region) -> Text:
        """The lobe it lies in; `none` if in none."""

        def judge(lesion: Mask, _: Sequence[Volume]) -> Finding:
            structures = self.looker.structures(region.images)
            parcels = self.looker.parcels(region.images)
            if parcels is not None:
                return places.lobe(lesion, structures, parcels)
            note = "No cortex was found." if VISIBLE else "The weights do not see lobes."
            status = "failed_qc" if VISIBLE else "not_visible"
            return Finding.missing(lesion.region, places.LOBE, status, notes=(note,))

        found, status = self._found(region, "lobe", _seen_on(region), judge)
        if status == "undefined" and found.finding.evidence:
            return Text(NO_PLACE, found=found)
        return Text(found.finding.value, status, found)

    def territory(self, region: Region) -> Text:
        """The arterial territory it lies in; no weights see them yet."""

        def judge(lesion: Mask, _: Sequence[Volume]) -> Finding:
            return places.territory(lesion, None)

        return self._text(region, "territory", _seen_on(region), judge)

    def enhances(self, region: Region) -> Truth:
        """Whether it is brighter after contrast agent than before."""
        images = self._of_visit(region, "enhances")

        def judge(lesion: Mask, shown: Sequence[Volume]) -> Finding:
            structures, lesions = self._around(region)
            key = tuple(id(image) for image in (*images.values(), *region.images))
            if key not in self._added:
                before, after = shown
                self._added[key] = enhancement.uptake(before, after, structures, lesions)
            return enhancement.enhances(lesion, self._added[key], structures, lesions)

        return self._truth(region, "enhances", images, judge)

    def restricts_diffusion(self, region: Region) -> Truth:
        """Whether it is bright on DWI and low on the ADC map."""

        def judge(lesion: Mask, shown: Sequence[Volume]) -> Finding:
            dwi, adc = shown
            return diffusion.restricts_diffusion(lesion, dwi, adc, *self._around(region))

        images = self._of_visit(region, "restricts_diffusion")
        return self._truth(region, "restricts_diffusion", images, judge)

    def _of_visit(self, region: Region, function: str) -> dict[str, Image | None]:
        visit = region.images[0].visit
        return {kind: self.case.image(kind, visit) for kind in IMAGES_OF[function]}

    def _around(self, region: Region) -> tuple[LabelMap, Mask]:
        """Tissue and fluid, and every lesion of the images, as none of it is normal."""
        return self.looker.structures(region.images), self.looker.lesions(region.images)

    def _text(
        self, region: Region, function: str, images: Mapping[str, Image | None], judge: Judge
    ) -> Text:
        found, status = self._found(region, function, images, judge)
        return Text(found.finding.value, status, found)

    def _truth(
        self, region: Region, function: str, images: Mapping[str, Image | None], judge: Judge
    ) -> Truth:
        found, status = self._found(region, function, images, judge)
        value = found.finding.value
        return Truth(None if value is None else value == YES, status, found)

    def _found(
        self, region: Region, function: str, images: Mapping[str, Image | None], judge: Judge
    ) -> tuple[Characterized, Status]:
        """What is found, or why nothing is, and what a program calls the reason."""
        voxels = region.name if region.voxels is None else id(region.voxels)
        key = (voxels, function, *(id(image) for image in (*images.values(), *region.images)))
        if key not in self._known:
            finding, status = self._look(region, FEATURES[function], images, judge)
            if region.instance is not None:
                finding = finding.of_instance(region.instance.number)
            there = tuple(image for image in images.values() if image is not None)
            # the region is kept with it, or another could come to have the id of its voxels
            self._known[key] = region, Characterized(finding, there), status
        return self._known[key][1:]

    def _look(
        self, region: Region, feature: str, images: Mapping[str, Image | None], judge: Judge
    ) -> tuple[Finding, Status]:
        name = region.instance.of if region.instance else region.name
        if region.voxels is None or region.empty:
            status = region.status if region.voxels is None else "absent"
            return _nothing(name, feature, status)
        lesion = Mask(name, region.voxels, region.geometry)
        if ends_outside(lesion):
            return _nothing(name, feature, "truncated_fov")
        missing = [kind for kind, image in images.items() if image is None]
        if missing:
            note = no_image_note(missing[0], str(region.images[0].visit))
            return _nothing(name, feature, "missing", note)
        shown = [self._volume(image, region) for image in images.values() if image is not None]
        found = judge(lesion, shown)
        if any(NOTE in volume.notes for volume in shown):
            found = replace(found, notes=(*found.notes, NOTE))
        return found, "undefined" if found.status == "error" else found.status

    def _volume(self, image: Image, region: Region) -> Volume:
        """An image on the grid of a region."""
        key = tuple(id(one) for one in (image, *region.images))
        if key not in self._volumes:
            self._volumes[key] = resampled(image.read(), region.geometry)
        return self._volumes[key]


def _seen_on(region: Region) -> dict[str, Image | None]:
    return {str(number): image for number, image in enumerate(region.images)}


def _nothing(name: str, feature: str, status: Status, *notes: str) -> tuple[Finding, Status]:
    """A finding without a value; a table calls what only programs know an error."""
    match status:
        case "missing" | "undefined":
            finding = Finding.missing(name, feature, "error", notes=notes)
        case _:
            finding = Finding.missing(name, feature, status, notes=notes)
    return finding, status

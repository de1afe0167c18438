"""The scans of one subject, as a program asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medprompt_cli.execution.values import Image, Visit


@dataclass(frozen=True)
class Case:
    """Everything a program can see of one subject.

    Attributes:
        name: What it is called in messages.
        visits: In the order of time.
        images: Of all visits.
        own: The visit that `image()` means; the last one where a case has several.
    """

    name: str
    visits: tuple[Visit, ...]
    images: tuple[Image, ...]
    own: Visit

    @classmethod
    def of(cls, name: str, images: Sequence[Image]) -> Case:
        """A case of these images, whose visits are theirs."""
        visits = tuple(sorted({image.visit for image in images}, key=lambda v: v.place))
        return cls(name, visits, tuple(images), visits[-1])

    def image(self, suffix: str | None = None, visit: Visit | None = None) -> Image | None:
        """The first image of a kind at a visit; None if there is none.

        Without a suffix, the first of `PREFERENCE` that is there.
        """
        here = [image for image in self.images if image.visit == (visit or self.own)]
        if suffix is None:
            here.sort(key=lambda image: _rank(image.suffix))
            return here[0] if here else None
        same = [image for image in here if _is_kind(image.suffix, suffix)]
        return same[0] if same else None

    def kinds(self, visit: Visit | None = None) -> tuple[str, ...]:
        """The kinds of image there are at a visit."""
        found = (image.suffix or "?" for image in self.images if image.visit == visit)
        return tuple(dict.fromkeys(found))


PREFERENCE = ("T1w", "FLAIR", "T2w", "ct", "T1ce", "PDw", "T2starw", "dwi")
"""Which image a region is looked for on when the program does not say."""

SAME_KIND = {
    "t1ce": ("t1ce", "ce-gd_t1w", "t1gd", "t1c", "t1post"),
    "t1w": ("t1w", "t1", "mprage"),
}


def _rank(suffix: str | None) -> int:
    names = [name.lower() for name in PREFERENCE]
    return names.index(suffix.lower()) if suffix and suffix.lower() in names else len(names)


def _is_kind(suffix: str | None, asked: str) -> bool:
    have, want = (suffix or "").lower(), asked.lower()
    return have == want or have in SAME_KIND.get(want, ())

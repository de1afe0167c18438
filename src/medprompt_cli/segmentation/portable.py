"""A segmenter that another process can have as well: made anew, as tensors of a device stay."""

from __future__ import annotations

from pathlib import Path

from medprompt_cli.errors import WeightsError
from medprompt_cli.segmentation.segmenter import Segmenter

_Asked = tuple[str, str | Path | None, float | None]


class PortableSegmenter(Segmenter):
    """A segmenter that is pickled as what it was made from.

    Args:
        device, weights, memory_gb: As of `Segmenter`.

    Raises:
        WeightsError, DeviceError: As `Segmenter`; also where it is unpickled.
    """

    def __init__(
        self,
        *,
        device: str = "auto",
        weights: str | Path | None = None,
        memory_gb: float | None = None,
    ) -> None:
        super().__init__(device=device, weights=weights, memory_gb=memory_gb)
        self._asked: _Asked = (device, weights, memory_gb)

    def __reduce__(self) -> tuple[object, ...]:
        return _made_anew, (self._asked, self.weights_sha256)


def _made_anew(asked: _Asked, sha256: str) -> PortableSegmenter:
    device, weights, memory_gb = asked
    segmenter = PortableSegmenter(device=device, weights=weights, memory_gb=memory_gb)
    if segmenter.weights_sha256 != sha256:
        raise WeightsError(
            f"Weights {segmenter.weights_name} have changed since the run began.",
            remedy="Run the same command again.",
        )
    return segmenter

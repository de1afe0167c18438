"""What is measured of a region: every quantity by its name, in words."""

from __future__ import annotations

from collections.abc import Mapping

QUANTITIES: Mapping[str, str] = {
    "voxels": "Voxels of the mask",
    "volume": "Voxels of the mask times the volume of one",
    "visible-volume": "The same of a region that the image cuts: the part inside",
    "soft-volume": "Sum of the network's probabilities times the volume of a voxel",
    "count": "Connected pieces of the mask: voxels that share a face, an edge or a corner are"
    " of one piece, unless the method says --connectivity 6 (a face) or 18 (a face or an edge)",
    "surface-area": "Area of the surface of the mask, inner surfaces included",
    "max-diameter": "Longest diameter of a piece of the mask, connected over faces, edges or"
    " corners; edge to edge",
    "bidimensional": "Longest in-plane diameter times the longest perpendicular to it",
    "centroid-r": "Mean place of the voxels, towards the right",
    "centroid-a": "Mean place of the voxels, towards anterior",
    "centroid-s": "Mean place of the voxels, towards superior",
    "box-r-min": "Where the mask begins on the left",
    "box-r-max": "Where it ends on the right",
    "box-a-min": "Where it begins posteriorly",
    "box-a-max": "Where it ends anteriorly",
    "box-s-min": "Where it begins inferiorly",
    "box-s-max": "Where it ends superiorly",
    "finite-voxels": "Voxels of the mask whose intensity is a number",
    "mean": "Mean intensity inside the mask",
    "std": "Standard deviation of the intensity inside the mask, divided by n",
    "volume-asymmetry": "200 (L - R) / (L + R) of the two volumes",
    "soft-volume-asymmetry": "200 (L - R) / (L + R) of the two soft volumes",
    "volume-fraction-of-icv": "Volume in percent of the intracranial volume: of all voxels that"
    " one of the 32 base structures has, fluid included, whatever else was asked for",
    "soft-volume-fraction-of-icv": "Soft volume in percent of the soft volume of the same 32",
}
"""Quantities that tables hold, and what they are; places are in RAS+ mm."""

FEATURES: Mapping[str, str] = {
    "signal": "hyper, iso or hypo on the image of the row: beside normal tissue of its kind",
    "enhancement": "Whether it takes up contrast agent, by T1w before and after it",
    "diffusion-restriction": "Whether it is bright on DWI and dark on the ADC map",
    "lobe": "The lobe that most of its voxels belong to",
    "territory": "The arterial territory that most of its voxels lie in",
    "site": "infratentorial, periventricular, juxtacortical or deep: the first that holds",
    "midline-crossing": "Whether it reaches more than 3 mm into the other hemisphere",
    "midline-shift": "The side that the middle of the brain is pushed to by 3 mm or more",
}
"""What findings are about, and what their values are."""

"""Real scans with lesions that people drew: what is known of them is found."""

from __future__ import annotations

import cc3d
import numpy as np
import pytest

from medprompt_cli.bids.nifti import read_labels, read_volume
from medprompt_cli.characterization.contrast import centre_and_spread
from medprompt_cli.characterization.diffusion import restricts_diffusion
from medprompt_cli.characterization.enhancement import enhances, uptake
from medprompt_cli.characterization.mass_effect import LEAST_SHIFT_MM, midline_shift
from medprompt_cli.characterization.places import lobe
from medprompt_cli.characterization.signal import signal
from medprompt_cli.domain.anatomy import BASE_INDEX
from medprompt_cli.domain.parcels import PARCEL_INDEX
from medprompt_cli.domain.volume import LabelMap, Mask

pytestmark = pytest.mark.shared


def brain_of(*images):
    """Where all of these stripped images show something."""
    shown = np.all([image.voxels != 0 for image in images], axis=0)
    return LabelMap(shown.astype(np.uint8), images[0].geometry, {1: "brain"})


def test_plaques_of_multiple_sclerosis(shared_data, number):
    """By definition bright on FLAIR and T2; these take up no contrast agent."""
    folder = shared_data / "ms" / "cross-07"
    flair, t1, t2, after = (
        read_volume(folder / f"{name}.nii.gz") for name in ("FLAIR", "T1", "T2", "T1POST")
    )
    drawn = read_labels(folder / "lesions.nii.gz")
    lesions = Mask("ms-lesion", drawn.voxels > 0, drawn.geometry)
    brain = brain_of(flair, t1, t2, after)

    on_flair, on_t2, on_t1 = (signal(lesions, image, brain) for image in (flair, t2, t1))
    added = enhances(lesions, uptake(t1, after, brain, lesions), brain)

    assert (on_flair.value, on_t2.value, added.value) == ("hyper", "hyper", "no")
    assert number(on_t1, "z") < 0
    assert number(added, "enhanced-share") < 5
    assert number(added, "correlation") > 0.9


@pytest.mark.parametrize("patient", ["1", "2"])
def test_parts_of_a_glioma(shared_data, patient):
    """Edema is bright on FLAIR, what enhances is brighter after contrast agent than edema."""
    folder = shared_data / "tumor" / f"brats_2013_pat000{patient}_1"
    flair, after = (
        read_volume(folder / f"{name}_subtrMeanDivStd.nii.gz") for name in ("Flair", "T1c")
    )
    drawn = read_labels(folder / "OTMultiClass.nii.gz")
    brain = brain_of(read_volume(folder / "brainmask.nii.gz"))
    whole, edema, enhancing = (
        Mask(name, np.isin(drawn.voxels, ids), drawn.geometry)
        for name, ids in (("tumor", (1, 2, 3, 4)), ("edema", 2), ("enhancing-tumor", 4))
    )

    assert signal(whole, flair, brain).value == "hyper"
    assert signal(edema, flair, brain, whole).value == "hyper"
    assert signal(edema, after, brain, whole).value == "iso"
    assert signal(enhancing, after, brain, whole).value == "hyper"


def test_bright_on_dwi_without_a_low_adc_is_not_restricted(shared_data, number, certainty):
    """The two largest bright spots lie over the petrous bones, where air distorts the image."""
    folder = shared_data / "stroke" / "isles-dwi"
    dwi, adc = (
        read_volume(folder / f"sub-strokecase0001_ses-0001_{kind}.nii.gz")
        for kind in ("dwi", "adc")
    )
    tissue = (dwi.voxels > np.percentile(dwi.voxels[dwi.voxels > 0], 30)) & (adc.voxels > 0)
    centre, spread = centre_and_spread(dwi.voxels[tissue])
    hot = tissue & (dwi.voxels > centre + 8 * spread)
    spots = cc3d.connected_components(hot, connectivity=26)
    sizes = np.bincount(spots.ravel())[1:]
    brain = LabelMap(tissue.astype(np.uint8), dwi.geometry, {1: "brain"})
    all_spots = Mask("spots", hot, dwi.geometry)

    for place in np.argsort(-sizes)[:2]:
        spot = Mask("spot", spots == place + 1, dwi.geometry)
        found = restricts_diffusion(spot, dwi, adc, brain, all_spots)
        assert (found.value, certainty(found)) == ("no", "definitely")
        assert number(found, "dwi-z") > 3
        assert 700 < number(found, "normal-adc") < 1100  # stored in 1e-3 mm2/s


def test_lobes_and_the_middle_of_a_normal_brain(shared_data, number):
    """Balls in the white matter that a gyrus wraps, by FreeSurfer's own labels."""
    read = read_labels(shared_data / "anatomy" / "bert" / "aparc.DKTatlas+aseg.mgz")
    names = {index: name for name, index in PARCEL_INDEX.items() if index > 1000}
    parcels = LabelMap(
        np.where(np.isin(read.voxels, list(names)), read.voxels, 0), read.geometry, names
    )
    base = {index: name for name, index in BASE_INDEX.items()}
    voxels = np.where(np.isin(read.voxels, list(base)), read.voxels, 0)
    voxels[parcels.voxels >= 1000] = 3
    voxels[parcels.voxels >= 2000] = 42
    structures = LabelMap(voxels, read.geometry, base)

    shift = midline_shift(structures)
    assert shift.value == "none"
    assert abs(number(shift, "shift")) < LEAST_SHIFT_MM
    for name, wanted in {
        "left-superior-frontal": "left-frontal-lobe",
        "right-precentral": "right-frontal-lobe",
        "left-superior-parietal": "left-parietal-lobe",
        "right-inferior-parietal": "right-parietal-lobe",
        "left-middle-temporal": "left-temporal-lobe",
        "right-lateral-occipital": "right-occipital-lobe",
    }.items():
        ball = _ball(parcels, PARCEL_INDEX[name], structures)
        assert (name, lobe(ball, structures, parcels).value) == (name, wanted)


def _ball(parcels: LabelMap, index: int, structures: LabelMap) -> Mask:
    """White matter within 5 mm of the voxel of it that lies nearest to a gyrus' middle."""
    middle = np.argwhere(parcels.voxels == index).mean(axis=0)
    white = np.argwhere(np.isin(structures.voxels, (2, 41)))
    core = white[np.argmin(np.linalg.norm(white - middle, axis=1))]
    voxels = np.zeros(parcels.voxels.shape, bool)
    voxels[tuple(white[np.linalg.norm(white - core, axis=1) <= 5].T)] = True
    return Mask("lesion", voxels, parcels.geometry)

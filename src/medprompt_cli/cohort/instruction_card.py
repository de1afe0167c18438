"""What stands beside the pairs: what was counted, what was left out, and whose data it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from medprompt_cli import __version__
from medprompt_cli.bids.atomic import write_file
from medprompt_cli.bids.derivatives import (
    BIDS_VERSION,
    DESCRIPTION,
    SEGMENTATION,
    read_description,
)
from medprompt_cli.bids.instruction_set import CARD, DROPPED, IGNORED, PAIRS, SCHEMA, SUMMARY
from medprompt_cli.bids.json_files import to_json
from medprompt_cli.cohort.instruction_job import BuildJob, Built
from medprompt_cli.cohort.instruction_sources import Links, licence_of
from medprompt_cli.domain.instruction import TYPES
from medprompt_cli.evaluation.report import table_line
from medprompt_cli.synthesis.instructions.known import GATES, Dropped

SCHEMA_VERSION = "1"

_TYPE_MEANS = {
    "basic": "a lesion and a place, and it is there",
    "global": "a lesion, and all of it is the target",
    "lesion_inference": "no kind of lesion; the answer names it",
    "absence": "any of these, and it is not there: no voxel, and the answer says so",
}

_TEXT = """\
# Instruction set

Instructions about brain scans, in words, each with the mask that it asks for and a sentence
that answers it. Made by `medprompt dataset build` {version}, seed {seed}, after MIMIC-ILS
(arXiv:2511.15186). For research only.

`{pairs_file}` holds one pair a line; `{schema_file}` says what a line
holds. Masks lie on the grid of their images and are 1 inside; what is absent has none. Images
are not copied: `images` are BIDS URIs, by the `DatasetLinks` of `{description}`.

## What is in it

{images} images looked at, {cases} with pairs, of {people} participants.

{types}

A lesion is a connected piece, over faces, edges and corners. It lies in a lobe if it was found
to with a probability of {certain:g} or more, in a hemisphere or structure with 90 % or more of
its voxels, and in none of those that it is more than 5 mm away from (a hemisphere: has less
than 10 % of its voxels in). An instruction is left out where one piece is in between, and where
the target has less than {volume:g} mL or fewer than {voxels} voxels. A lesion that no mask
speaks of counts as not known, never as absent. The wording does not show whether the target is
there. {balanced}

## What was left out

{gates}

`{dropped_file}` names each.

## Sources and terms

{sources}

The pairs and masks are taken from these datasets, and their terms hold for them as well. What
is not stated there is not known here: ask those who gave the data.
"""

_BALANCED = "As many targets are absent as are there."
_UNBALANCED = "What is there and what is not are not balanced."


def write_account(job: BuildJob, built: Built, links: Links) -> None:
    """Write the card, the counts, what was dropped, and the dataset description.

    Raises:
        OutputError: If something cannot be written.
    """
    targets = links.targets()
    description = {
        "Name": "Instruction set by medprompt",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": SEGMENTATION, "Version": __version__}],
        "SourceDatasets": [{"URL": target} for target in targets.values()],
        "DatasetLinks": targets,
    }
    for name, text in (
        (DESCRIPTION, to_json(description)),
        (".bidsignore", IGNORED),
        (DROPPED, _dropped_text(built.dropped)),
        (SUMMARY, to_json(_summary(job, built))),
        (CARD, _card(job, built, links)),
    ):
        write_file(job.out / name, text.encode())


def _summary(job: BuildJob, built: Built) -> dict[str, object]:
    counts = Counter((pair.type, pair.language) for pair in built.pairs)
    left_out: dict[str, dict[str, int]] = {}
    for (what, gate), count in sorted(Counter((d.what, d.gate) for d in built.dropped).items()):
        left_out.setdefault(what, {})[gate] = count
    return {
        "schema_version": SCHEMA_VERSION,
        "medprompt": __version__,
        "seed": job.seed,
        "balanced": job.balanced,
        "certain": job.certain,
        "least_volume_ml": job.least.volume_ml,
        "least_voxels": job.least.voxels,
        "images": built.images,
        "images_with_pairs": len({pair.case for pair in built.pairs}),
        "participants": len({pair.participant_id for pair in built.pairs}),
        "pairs": {
            kind: {language: counts[kind, language] for language in job.languages}
            for kind in TYPES
        },
        "dropped": left_out,
    }


def _dropped_text(dropped: Iterable[Dropped]) -> str:
    lines = ["case\twhat\ttarget\tplace\tgate\tdetail"]
    for one in dropped:
        cells = (one.case, one.what, one.target, one.place, one.gate, one.detail)
        lines.append("\t".join(" ".join((cell or "n/a").split()) for cell in cells))
    return "".join(f"{line}\n" for line in lines)


def _card(job: BuildJob, built: Built, links: Links) -> str:
    return _TEXT.format(
        version=__version__,
        seed=job.seed,
        pairs_file=PAIRS,
        schema_file=SCHEMA,
        description=DESCRIPTION,
        dropped_file=DROPPED,
        images=built.images,
        cases=len({pair.case for pair in built.pairs}),
        people=len({pair.participant_id for pair in built.pairs}),
        types=_types(job, built),
        certain=job.certain,
        volume=job.least.volume_ml,
        voxels=job.least.voxels,
        balanced=_BALANCED if job.balanced else _UNBALANCED,
        gates=_gates(built),
        sources=_sources(links),
    )


def _types(job: BuildJob, built: Built) -> str:
    counts = Counter((pair.type, pair.language) for pair in built.pairs)
    lines = [
        [kind, _TYPE_MEANS[kind], *(str(counts[kind, one]) for one in job.languages)]
        for kind in TYPES
    ]
    return _table(["Type", "The instruction names", *job.languages], lines, 2)


def _gates(built: Built) -> str:
    counted = Counter((one.gate, one.what) for one in built.dropped)
    lines = [
        [gate, what, GATES[gate], str(counted[gate, what])]
        for gate in GATES
        for what in sorted({what for known, what in counted if known == gate})
    ]
    return _table(["Gate", "Of", "Means", "Left out"], lines, 3) if lines else "Nothing."


def _sources(links: Links) -> str:
    where = links.targets()
    lines = [
        [name, f"`{where[name]}`", _named(root), licence_of(root)]
        for name, root in links.roots.items()
    ]
    if not lines:
        return "Files outside of any BIDS dataset; their licence is not stated."
    return _table(["Link", "Where", "Name", "Licence"], lines, 4)


def _named(root: Path) -> str:
    return str((read_description(root) or {}).get("Name", "not stated"))


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]], left: int) -> str:
    rule = ["---"] * left + ["--:"] * (len(heads) - left)
    return "\n".join(
        table_line([cell.replace("|", "\\|") for cell in row]) for row in (heads, rule, *lines)
    )

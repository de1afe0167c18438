"""Judge what is said of lesions: on synthetic heads, where it is known, and on real scans.

    python examples/benchmarks/characterise.py heads-parcels.labels.xz --count 200
    python examples/benchmarks/characterise.py heads-parcels.labels.xz --scans ../shared/data

The label bank needs parcels: `medprompt train pack --atlas`. Masks, tissues and parcels are the
true ones, so that nothing is judged but `characterization/`; the cortex that lesions cover is
taken out of the parcels. The table goes into the README. With --scans the tasks are run on the
scans of characterise_scans.py instead, with the lesions that are drawn there, and tissues and
parcels by the bundled weights; that table goes into the README, too.

Arterial territories are not judged: no weights see them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from characterise_heads import DIFFUSION, ENHANCEMENT, LOBE, NO_LOBE, SIGNAL, Case, cases
from characterise_scans import scan_table
from common import README, cores, heading, processor, write_texts

from medprompt_cli.characterization.diffusion import restricts_diffusion
from medprompt_cli.characterization.enhancement import enhances, uptake
from medprompt_cli.characterization.places import lobe
from medprompt_cli.characterization.signal import signal
from medprompt_cli.domain.finding import Finding
from medprompt_cli.evaluation.overlap import RESAMPLES, bootstrap_interval
from medprompt_cli.evaluation.report import table_line
from medprompt_cli.segmentation.segmenter import Segmenter

SEED = 27_182
NAMES = {
    SIGNAL: "signal: hyper, iso or hypo",
    LOBE: "lobe, with its side, or none",
    ENHANCEMENT: "enhancement: yes or no",
    DIFFUSION: "diffusion restriction: yes or no",
}
PAPER = "89.0 ± 3.6"
"""Mean over five tasks and 102 cases. Source: VoxelPrompt, arXiv:2410.08397."""


@dataclass(frozen=True)
class Answer:
    """What was said of a lesion, and the truth.

    Attributes:
        case: Number of the case.
        task: Which of `NAMES`.
        part: What the lesion is made of.
        said: One word; None if nothing could be said.
        truth: The right word.
        probability: That `said` is right, by what says it.
    """

    case: int
    task: str
    part: str
    said: str | None
    truth: str
    probability: float | None

    @property
    def right(self) -> bool:
        """Whether it was said right; nothing said is not right."""
        return self.said == self.truth


def findings(case: Case) -> dict[str, Finding]:
    """What is said of a lesion, by task."""
    lesion, around = case.lesion, (case.structures, case.lesions)
    images = case.images
    added = uptake(images["before"], images["after"], *around)
    return {
        SIGNAL: signal(lesion, images["signal"], *around),
        LOBE: lobe(lesion, case.structures, case.parcels),
        ENHANCEMENT: enhances(lesion, added, *around),
        DIFFUSION: restricts_diffusion(lesion, images["dwi"], images["adc"], *around),
    }


def answers(drawn: Iterable[Case]) -> list[Answer]:
    """Every task of every case that has a truth."""
    return [
        Answer(number, task, case.part, word(found), case.truth[task], found.probability)
        for number, case in enumerate(drawn)
        for task, found in findings(case).items()
        if task in case.truth
    ]


def word(found: Finding) -> str | None:
    """What a finding says; that more than half lies in no lobe is said without a value."""
    outside = found.feature == LOBE and found.status == "error" and found.evidence
    return NO_LOBE if outside else found.value


def table(said: Sequence[Answer]) -> str:
    """A line for each task, and the mean of the tasks beside the paper's."""
    lines = [
        table_line(
            [
                "Task",
                "n",
                "Right, % (95 % interval)",
                "Claimed, %",
                "Nothing said",
                "Base rate, %",
            ]
        ),
        table_line(["---", "--:", "--:", "--:", "--:", "--:"]),
    ]
    for task, name in NAMES.items():
        own = [a for a in said if a.task == task]
        if not own:
            continue
        right = [100.0 * a.right for a in own]
        silent = sum(a.said is None for a in own)
        usual = 100 * Counter(a.truth for a in own).most_common(1)[0][1] / len(own)
        cells = [name, str(len(own)), shown(np.mean(right), bootstrap_interval(right))]
        lines.append(table_line([*cells, claimed(own), str(silent), f"{usual:.1f}"]))
    mean, interval = mean_of_tasks(said)
    count = len({a.case for a in said})
    cells = ["**mean of the tasks**", str(count), shown(mean, interval)]
    lines.append(table_line([*cells, "", "", ""]))
    paper = "VoxelPrompt, mean of five tasks, on its own 102 cases"
    return "\n".join([*lines, table_line([paper, "102", PAPER, "", "", ""])])


def claimed(said: Sequence[Answer]) -> str:
    """The mean probability of what was said, in percent: how often it claims to be right."""
    chances = [a.probability for a in said if a.probability is not None]
    return f"{100 * np.mean(chances):.1f}" if chances else "-"


def shown(mean: float | np.floating, interval: tuple[float, float] | None) -> str:
    """A mean with its interval, if there is one."""
    return f"{mean:.1f}" + (f" ({interval[0]:.1f} to {interval[1]:.1f})" if interval else "")


def mean_of_tasks(said: Sequence[Answer]) -> tuple[float, tuple[float, float]]:
    """Mean over tasks of the percentage that is right; its interval draws whole cases."""
    numbers = {case: row for row, case in enumerate(sorted({a.case for a in said}))}
    tasks = [task for task in NAMES if any(a.task == task for a in said)]
    right, asked = (np.zeros((len(numbers), len(tasks))) for _ in range(2))
    for a in said:
        at = numbers[a.case], tasks.index(a.task)
        right[at], asked[at] = 100 * a.right, 1
    drawn = np.random.default_rng(0).integers(0, len(right), (RESAMPLES, len(right)))
    low, high = np.percentile(_means(right[drawn], asked[drawn]), [2.5, 97.5])
    return float(_means(right[None], asked[None])[0]), (float(low), float(high))


def _means(right: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(R,) mean over the tasks that are asked in (R, cases, tasks)."""
    top, bottom = right.sum(axis=1), asked.sum(axis=1)
    return (top / np.maximum(bottom, 1)).sum(axis=1) / (bottom > 0).sum(axis=1)


def mistakes(said: Sequence[Answer]) -> Iterable[str]:
    """Which words were said for which, and how often."""
    for task in NAMES:
        wrong = Counter((a.truth, a.said) for a in said if a.task == task and not a.right)
        for (truth, other), count in wrong.most_common():
            yield f"{task}: {truth} was called {other or 'nothing'} {count} times"


def main(
    bank: Annotated[Path, typer.Argument(help="File made by `medprompt train pack`.")],
    count: Annotated[int, typer.Option(min=2, help="Synthetic cases.")] = 200,
    spacing: Annotated[float, typer.Option(help="Of their voxels, in mm.")] = 2.0,
    seed: Annotated[int, typer.Option(help="Of the cases.")] = SEED,
    scans: Annotated[
        Path | None, typer.Option(help="Folder of real scans: those instead.")
    ] = None,
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
) -> None:
    """Judge, print, and write the table."""
    if scans is not None:
        segmenter = Segmenter(device="cpu")
        said = heading(segmenter, f"characterise.py BANK --scans {scans.as_posix()}")
        text = f"{said}\n\n{scan_table(scans, segmenter)}"
        typer.echo(text)
        write_texts(readme, {"characterise-scans": text})
        return
    judged = answers(cases(bank, count, spacing, seed))
    where = f"{processor(Path('/proc/cpuinfo'))}, {cores()} cores"
    text = (
        f"{datetime.now(UTC).date().isoformat()}, {where}. {count} heads with voxels of"
        f" {spacing:g} mm, seed {seed}. By `python examples/benchmarks/characterise.py BANK"
        f" --count {count}`:\n\n{table(judged)}"
    )
    typer.echo("\n".join([text, "", *mistakes(judged)]))
    write_texts(readme, {"characterise": text})


if __name__ == "__main__":
    typer.run(main)

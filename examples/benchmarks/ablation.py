"""Train what was not chosen beside what was, on a small budget, and compare.

    python examples/benchmarks/ablation.py phi heads.labels.xz
    python examples/benchmarks/ablation.py phi-cost heads.labels.xz
    python examples/benchmarks/ablation.py streams heads.labels.xz

`phi`: where a target enters the network, held-out Dice for equal steps and for equal time.
`phi-cost`: seconds of a step and of predicting all base structures. `streams`: how the images
of a head inform each other. All networks of a comparison see the same synthetic heads, start
from the same random weights where they share them, and are judged on the same heads of label
maps that none of them saw. More steps, heads and seeds, and larger networks, are options.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer
from ablation_training import (
    NETWORKS,
    Budget,
    Make,
    dice_of,
    fit,
    heads_of,
    prediction_seconds,
    step_seconds,
    with_noise,
    without_first,
)
from ablation_variants import ASKED, TARGETS, Competing, Pooled, Separate, SteeredDecoder
from common import HERE, README, write_texts
from stopwatch import setting

from medprompt_cli.evaluation.overlap import bootstrap_interval
from medprompt_cli.evaluation.report import table_line
from medprompt_cli.segmentation.device import choose_device
from medprompt_cli.synthesis.bank import PackedLabels, read_bank
from medprompt_cli.training.recipe import read_recipe

OURS, STEERED = "at the head, one softmax (ours)", f"at every level, {ASKED} targets a step"
PHI: dict[str, Make] = {
    OURS: Competing,
    "at the head, a sigmoid each": Separate,
    STEERED: SteeredDecoder,
}
STREAMS: dict[str, Make] = {
    "attention (ours)": Competing,
    "max": partial(Pooled, how="max"),
    "mean": partial(Pooled, how="mean"),
}
CONDITIONS = {"Clean": None, "One noise": with_noise, "One left out": without_first}
"""What is done to the images of a head before they are segmented."""

COUNT = 3
"""Streams of a head."""

TIMED = 9

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Bank = Annotated[Path, typer.Argument(help="File made by `medprompt train pack`.")]
RecipeFile = Annotated[Path, typer.Option(help="Of the images and the optimiser.")]
Network = Annotated[str, typer.Option(help=f"Sizes: {', '.join(NETWORKS)}.")]
Steps = Annotated[int, typer.Option(min=1, help="Of every network.")]
Heads = Annotated[int, typer.Option(min=1, help="Different heads to train on.")]
Unseen = Annotated[int, typer.Option(min=2, help="Heads to judge on.")]
Seeds = Annotated[list[int] | None, typer.Option("--seed", help="Repeatable.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")]
Readme = Annotated[Path, typer.Option(help="File to put the table into.")]

RECIPE = HERE.parent / "training/small-4mm.toml"


@dataclass(frozen=True)
class Run:
    """What was trained and how it did.

    Attributes:
        name: Of the network.
        steps: It was trained for.
        dice: By seed and condition, of every unseen head.
    """

    name: str
    steps: int
    dice: dict[int, dict[str, list[float]]]

    def heads(self, condition: str) -> list[float]:
        """Dice of every unseen head, the mean over seeds."""
        each = [found[condition] for found in self.dice.values()]
        return [statistics.fmean(values) for values in zip(*each, strict=True)]

    def seeds(self, condition: str) -> list[float]:
        """Mean Dice of every seed."""
        return [statistics.fmean(found[condition]) for found in self.dice.values()]


def compare(
    plan: Sequence[tuple[str, Make, int]],
    maps: Sequence[PackedLabels],
    budget: Budget,
    seeds: Sequence[int],
    streams: int = 1,
) -> list[Run]:
    """Train and judge every (name, network, steps) of `plan` once for each seed."""
    runs = [Run(name, steps, {}) for name, _, steps in plan]
    conditions = CONDITIONS if streams > 1 else {"Clean": None}
    for seed in seeds:
        seen, unseen = heads_of(maps, budget, streams, seed)
        for run, (name, make, steps) in zip(runs, plan, strict=True):
            network = fit(make, seen, budget, seed, steps)
            run.dice[seed] = {c: dice_of(network, unseen, f) for c, f in conditions.items()}
            reached = statistics.fmean(run.dice[seed]["Clean"])
            typer.echo(f"seed {seed}, {steps} steps, {name}: {reached:.3f}", err=True)
    return runs


def spread(values: Sequence[float], digits: str = ".3f") -> str:
    """Mean with its bootstrap interval."""
    interval = bootstrap_interval(values)
    middle = format(statistics.fmean(values), digits)
    if interval is None:
        return middle
    return f"{middle} ({interval[0]:{digits}} to {interval[1]:{digits}})"


def listed(values: Sequence[float]) -> str:
    """Three digits each."""
    return ", ".join(f"{value:.3f}" for value in values)


def phi_table(runs: Sequence[Run]) -> str:
    """A line for each run."""
    lines = [
        table_line(["phi enters", "Steps", "Held-out Dice", "By seed"]),
        table_line(["---", "--:", "--:", "--:"]),
    ]
    for run in runs:
        cells = [run.name, str(run.steps), spread(run.heads("Clean"))]
        lines.append(table_line([*cells, listed(run.seeds("Clean"))]))
    return "\n".join(lines)


def streams_table(runs: Sequence[Run]) -> str:
    """A line for each run, with what a corrupted stream costs."""
    heads = ["Streams mixed by", *CONDITIONS, "One noise less clean", "By seed, clean"]
    lines = [table_line(heads), table_line(["---", *["--:"] * 5])]
    for run in runs:
        found = {condition: run.heads(condition) for condition in CONDITIONS}
        pairs = zip(found["One noise"], found["Clean"], strict=True)
        lost = [noisy - clean for noisy, clean in pairs]
        cells = [run.name, *(f"{statistics.fmean(found[c]):.3f}" for c in CONDITIONS)]
        lines.append(table_line([*cells, spread(lost, "+.3f"), listed(run.seeds("Clean"))]))
    return "\n".join(lines)


def cost_table(steps: Mapping[str, float], predictions: Mapping[str, float]) -> str:
    """A line for each network; the first is what the others are compared with."""
    lines = [
        table_line(["phi enters", "Step, s", "Over ours", f"All {TARGETS}, s", "Over ours"]),
        table_line(["---", *["--:"] * 4]),
    ]
    for name, seconds in steps.items():
        step = [f"{seconds:.3f}", f"{seconds / steps[OURS]:.1f}"]
        all_of = [f"{predictions[name]:.3f}", f"{predictions[name] / predictions[OURS]:.1f}"]
        lines.append(table_line([name, *step, *all_of]))
    return "\n".join(lines)


def same_time(steps: int, seconds: Mapping[str, float]) -> int:
    """Steps of the steered decoder in the time of `steps` of ours."""
    return max(1, round(steps * seconds[OURS] / seconds[STEERED]))


def said_of(budget: Budget, seeds: Sequence[int], command: str) -> str:
    """With what, when, on what, and by which command."""
    threads = torch.get_num_threads()
    chosen = "".join(f" --seed {seed}" for seed in seeds)
    options = f"--steps {budget.steps} --heads {budget.heads} --unseen {budget.unseen}"
    about = (
        f"{setting(budget.device, threads)}. Network {budget.network.name}, recipe"
        f" {budget.recipe.name}, {budget.heads} training heads a seed, n = {budget.unseen}"
        f" heads of held-out maps; seeds {', '.join(map(str, seeds))}."
    )
    options += f" --network {budget.network.name} --device {budget.device}{chosen}"
    return f"{about} By `python examples/benchmarks/ablation.py {command} {options}`:"


def publish(readme: Path, name: str, text: str) -> None:
    """Print, and put between the marks of the page."""
    typer.echo(text)
    write_texts(readme, {name: text})


def time_phi(
    maps: Sequence[PackedLabels], budget: Budget, repeats: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Median seconds of a step and of a prediction, on one head, by network."""
    [head], _ = heads_of(maps, replace(budget, heads=1, unseen=0), 1, 1)
    return (
        step_seconds(PHI, head, budget, repeats),
        prediction_seconds(PHI, head, budget, repeats),
    )


@app.command("phi")
def compare_phi(  # noqa: PLR0913, PLR0917 - one for each option
    bank: Bank,
    steps: Steps = 300,
    heads: Heads = 150,
    unseen: Unseen = 16,
    seed: Seeds = None,
    network: Network = "half",
    recipe: RecipeFile = RECIPE,
    device: Device = "cpu",
    readme: Readme = README,
) -> None:
    """Compare phi at the head with phi at every level, for equal steps and equal time."""
    place, seeds = choose_device(device), seed or [1]
    budget = Budget(read_recipe(recipe), NETWORKS[network], steps, heads, unseen, place)
    maps = read_bank(bank)
    seconds, _ = time_phi(maps, budget, TIMED)
    plan = [(name, make, steps) for name, make in PHI.items()]
    fewer = same_time(steps, seconds)
    plan.append((f"{STEERED}, in the time of ours", SteeredDecoder, fewer))
    runs = compare(plan, maps, budget, seeds)
    said = said_of(budget, seeds, f"phi {bank.name}")
    publish(readme, "ablation-phi", f"{said}\n\n{phi_table(runs)}")


@app.command("phi-cost")
def cost_of_phi(  # noqa: PLR0913, PLR0917 - one for each option
    bank: Bank,
    repeats: Annotated[int, typer.Option(min=1, help="The median counts.")] = 9,
    threads: Annotated[int, typer.Option(min=1, help="Of the CPU.")] = 2,
    network: Network = "small",
    recipe: RecipeFile = RECIPE,
    device: Device = "cpu",
    readme: Readme = README,
) -> None:
    """Time a step, and the prediction of all base structures, of every way phi enters."""
    torch.set_num_threads(threads)
    place = choose_device(device)
    budget = Budget(read_recipe(recipe), NETWORKS[network], repeats, 1, 0, place)
    steps, predictions = time_phi(read_bank(bank), budget, repeats)
    options = f"phi-cost {bank.name} --repeats {repeats} --network {network} --device {device}"
    said = (
        f"{setting(place, threads)}. Network {network}, one head at 4 mm, the median of"
        f" {repeats}. By `python examples/benchmarks/ablation.py {options}`:"
    )
    publish(readme, "ablation-phi-cost", f"{said}\n\n{cost_table(steps, predictions)}")


@app.command("streams")
def compare_streams(  # noqa: PLR0913, PLR0917 - one for each option
    bank: Bank,
    steps: Steps = 300,
    heads: Heads = 150,
    unseen: Unseen = 16,
    seed: Seeds = None,
    network: Network = "half",
    recipe: RecipeFile = RECIPE,
    device: Device = "cpu",
    readme: Readme = README,
) -> None:
    """Compare attention between the images of a head with their largest and their mean."""
    place, seeds = choose_device(device), seed or [1]
    budget = Budget(read_recipe(recipe), NETWORKS[network], steps, heads, unseen, place)
    plan = [(name, make, steps) for name, make in STREAMS.items()]
    runs = compare(plan, read_bank(bank), budget, seeds, COUNT)
    said = said_of(budget, seeds, f"streams {bank.name}")
    publish(readme, "ablation-streams", f"{said}\n\n{streams_table(runs)}")


if __name__ == "__main__":
    app()

"""Profile a training step: its work, the time that work needs at least, and the time it takes.

    python examples/benchmarks/step.py heads.labels.xz
    python examples/benchmarks/step.py heads.labels.xz --device cuda

The floor of a step is the larger of two times: its operations at the fastest rate a bfloat16
channels-last convolution reaches here, and its bytes at the bandwidth of a large copy. Counted
are the operations of convolutions and matrix products. Of the bytes only those are counted
that no order of work avoids without computing twice:

- a tensor kept for the backward pass is written once and read once;
- weights are read forward and backward, their gradients written and read once;
- the optimiser reads and writes float32 weights, their mean and its moments, and writes the
  bfloat16 weights.

What a tensor in passing costs, such as the gradient of an activation, is not counted, nor is
the work of drawing the sample: it has a time and no floor.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer
from common import HERE, README, write_texts
from stopwatch import seconds_of, setting
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from medprompt_cli.evaluation.report import table_line
from medprompt_cli.networks.config import CONFIGS
from medprompt_cli.networks.pyramid import VoxelNetwork
from medprompt_cli.segmentation.device import choose_device
from medprompt_cli.synthesis.bank import PackedLabels, read_bank
from medprompt_cli.synthesis.generator import Generator, Sample
from medprompt_cli.training.objective import Cost, sample_cost
from medprompt_cli.training.recipe import Recipe, read_recipe
from medprompt_cli.training.state import TrainingState, apply_gradients, new_state

RECIPES = HERE.parent / "training"
DEFAULT_RECIPES = [RECIPES / "small-4mm.toml", RECIPES / "small-2mm.toml"]

WARM_UP = 3
HEADS = 2
"""Label maps drawn from; what a step costs does not depend on which."""

WIDTHS = (32, 64, 128)
"""Channels of the convolutions whose best rate counts as the machine's peak."""

EDGE = {"cpu": 48, "cuda": 96}
"""Voxels along each axis of what they convolve."""

COPIED_BYTES = 2**28
"""Of the copy that gives the bandwidth: far more than a cache holds."""

TRIES = 7


@dataclass(frozen=True)
class Machine:
    """What the machine can do.

    Attributes:
        operations_per_s: Of the fastest 3³ convolution in bfloat16 and channels-last.
        bytes_per_s: Read and written by a large copy.
    """

    operations_per_s: float
    bytes_per_s: float


@dataclass(frozen=True)
class Work:
    """What a step has to do.

    Attributes:
        operations: Of the forward and the backward pass; a multiplication and an
            addition are two.
        optimiser: Operations of the optimiser.
        activations: Bytes kept for the backward pass.
        moved: Bytes read and written at least, see above.
    """

    operations: int
    optimiser: int
    activations: int
    moved: int

    def floor(self, machine: Machine) -> float:
        """Seconds below which the step cannot come."""
        computing = (self.operations + self.optimiser) / machine.operations_per_s
        return max(computing, self.moved / machine.bytes_per_s)


@dataclass(frozen=True)
class Stages:
    """Seconds of the parts of one step."""

    drawing: float
    forward: float
    backward: float
    optimiser: float

    @property
    def total(self) -> float:
        """Seconds of the step: the parts follow each other."""
        return sum(astuple(self))

    @property
    def learning(self) -> float:
        """Seconds without the drawing."""
        return self.total - self.drawing


@dataclass(frozen=True)
class Profile:
    """Work and seconds of some steps of one recipe."""

    recipe: Recipe
    work: list[Work]
    stages: list[Stages]


def measure_machine(device: torch.device) -> Machine:
    """Measure what the machine can do, the best of some tries."""
    edge = EDGE[device.type]
    best = 0.0
    for width in WIDTHS:
        layout = torch.channels_last_3d
        image = torch.randn(1, width, edge, edge, edge, device=device).to(torch.bfloat16)
        kernel = torch.randn(width, width, 3, 3, 3, device=device).to(torch.bfloat16)
        image, kernel = (t.contiguous(memory_format=layout) for t in (image, kernel))
        convolve = partial(functional.conv3d, image, kernel, padding=1)
        with torch.inference_mode():
            least = min(seconds_of(convolve, device) for _ in range(TRIES))
        best = max(best, 2 * 27 * width**2 * edge**3 / least)
    source = torch.zeros(COPIED_BYTES // 4, device=device)
    copy = partial(torch.empty_like(source).copy_, source)
    least = min(seconds_of(copy, device) for _ in range(TRIES))
    return Machine(best, 2 * COPIED_BYTES / least)


class Kept:
    """Counts the bytes that autograd keeps between the passes, shared memory once."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.apart = {p.untyped_storage().data_ptr() for p in network.parameters()}
        self.sizes: dict[int, int] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count what is kept inside the block; weights are not."""

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            memory = tensor.untyped_storage()
            if memory.data_ptr() not in self.apart:
                self.sizes[memory.data_ptr()] = memory.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            yield

    @property
    def total(self) -> int:
        """Bytes."""
        return sum(self.sizes.values())


def count_work(state: TrainingState, recipe: Recipe, sample: Sample) -> Work:
    """Do one step on `sample` and count."""
    kept = Kept(state.network)
    with FlopCounterMode(display=False) as learning:
        with kept.watching():
            cost = sample_cost(state.network, recipe, sample, state.draw)
        activations = kept.total
        cost.total.backward()
    moved = 2 * activations + bytes_of_weights(state)
    with FlopCounterMode(display=False) as moving:
        apply_gradients(state, recipe)
    return Work(learning.get_total_flops(), moving.get_total_flops(), activations, moved)


def bytes_of_weights(state: TrainingState) -> int:
    """Bytes of weights, gradients, means and moments that a step reads and writes."""
    moments = sum(tensor.nbytes for tensor in state.optimiser.tensors().values())
    moved = 2 * moments
    for name, weight in state.network.named_parameters():
        if weight.grad is not None:
            passes = 2 * weight.nbytes + 2 * weight.grad.nbytes + weight.nbytes
            moved += passes + 2 * state.master[name].nbytes + 2 * state.average[name].nbytes
    return moved


def timed_step(
    state: TrainingState, recipe: Recipe, generator: Generator
) -> tuple[Stages, Sample]:
    """One step as training does it, and the sample it was done on."""
    device = state.draw.device
    drawn: list[Sample] = []
    costs: list[Cost] = []
    actions = (
        lambda: drawn.append(generator.sample()),
        lambda: costs.append(sample_cost(state.network, recipe, drawn[0], state.draw)),
        lambda: costs[0].total.backward(),
        lambda: apply_gradients(state, recipe),
    )
    return Stages(*(seconds_of(action, device) for action in actions)), drawn[0]


def profile(
    recipe: Recipe, maps: Sequence[PackedLabels], steps: int, device: torch.device
) -> Profile:
    """Time `steps` steps after some to warm up, then count their work."""
    torch.manual_seed(recipe.seed)
    state = new_state(VoxelNetwork(CONFIGS[recipe.network]), recipe, device)
    generator = Generator(maps[:HEADS], recipe.generator, state.draw)
    warm = 0
    while warm < WARM_UP or len(generator.sites) < len(generator.maps):
        timed_step(state, recipe, generator)
        warm += 1
    runs = [timed_step(state, recipe, generator) for _ in range(steps)]
    work = [count_work(state, recipe, sample) for _, sample in runs]
    return Profile(recipe, work, [stages for stages, _ in runs])


def column(found: Profile, machine: Machine) -> dict[str, str]:
    """The medians of one recipe, by the heading of their row."""
    work, stages = found.work, found.stages
    floors = [one.floor(machine) for one in work]
    both = list(zip(stages, floors, strict=True))
    parts = {
        f"{field.name.capitalize()}, s": [getattr(one, field.name) for one in stages]
        for field in fields(Stages)
    }
    rows = {
        "Operations, forward and backward, 10⁹": ([w.operations / 1e9 for w in work], ".1f"),
        "Operations, optimiser, 10⁹": ([w.optimiser / 1e9 for w in work], ".1f"),
        "Kept activations, MB": ([w.activations / 1e6 for w in work], ".0f"),
        "Bytes moved at least, MB": ([w.moved / 1e6 for w in work], ".0f"),
        "Floor, s": (floors, ".3f"),
        **{name: (values, ".3f") for name, values in parts.items()},
        "Step, s": ([s.total for s in stages], ".3f"),
        "Step over floor": ([s.total / floor for s, floor in both], ".1f"),
        "Step without drawing over floor": ([s.learning / floor for s, floor in both], ".1f"),
        "Share of the step spent waiting for the drawing, %": (
            [100 * s.drawing / s.total for s in stages],
            ".0f",
        ),
    }
    return {name: format(statistics.median(v), digits) for name, (v, digits) in rows.items()}


def table(profiles: Sequence[Profile], machine: Machine) -> str:
    """A column for each recipe."""
    columns = [column(found, machine) for found in profiles]
    names = [f"{p.recipe.name}, {p.recipe.generator.spacing_mm:g} mm" for p in profiles]
    lines = [
        table_line(["Median of a training step", *names]),
        table_line(["---", *["--:"] * len(columns)]),
    ]
    lines += [table_line([row, *(cells[row] for cells in columns)]) for row in columns[0]]
    return "\n".join(lines)


def said_of(machine: Machine) -> str:
    """The two rates behind the floor."""
    return (
        f"Peak {machine.operations_per_s / 1e9:.0f} · 10⁹ operations/s (3³ convolution,"
        f" bfloat16, channels-last), {machine.bytes_per_s / 1e9:.1f} GB/s (copy)."
    )


def main(
    bank: Annotated[Path, typer.Argument(help="File made by `medprompt train pack`.")],
    recipe: Annotated[list[Path] | None, typer.Option(help="Repeatable.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps; the median counts.")] = 15,
    threads: Annotated[int, typer.Option(min=1, help="Of the CPU.")] = 2,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
) -> None:
    """Profile a step of every recipe; print the table and write it into the README."""
    torch.set_num_threads(threads)
    place = choose_device(device)
    machine = measure_machine(place)
    maps = read_bank(bank)
    profiles = [
        profile(read_recipe(path), maps, steps, place) for path in recipe or DEFAULT_RECIPES
    ]
    options = f"{bank.name} --steps {steps} --threads {threads} --device {device}"
    options += "".join(f" --recipe {path.as_posix()}" for path in recipe or [])
    said = f"{setting(place, threads)}; the median of {steps} steps. {said_of(machine)}"
    command = f"python examples/benchmarks/step.py {options}"
    text = f"{said} By `{command}`:\n\n{table(profiles, machine)}"
    typer.echo(text)
    write_texts(readme, {"cost-step": text})


if __name__ == "__main__":
    typer.run(main)

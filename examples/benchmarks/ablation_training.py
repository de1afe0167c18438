"""Train the compared networks on the same heads, and judge them on heads of unseen maps."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from ablation_variants import Compared, Head
from stopwatch import interleaved, medians

from medprompt_cli.networks.config import CONFIGS, SMALL, NetworkConfig
from medprompt_cli.networks.intensity import normalise
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.synthesis.bank import PackedLabels
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator, Sample
from medprompt_cli.training.loop import VALIDATION_SEED
from medprompt_cli.training.recipe import Recipe
from medprompt_cli.training.state import apply_gradients, new_state

HALF = replace(SMALL, name="half", core_channels=(16, 48, 80, 96), groups=8)
"""Half the channels of the bundled size: the choices can be compared in minutes."""

NETWORKS = {config.name: config for config in (HALF, *CONFIGS.values())}
WARM_UP_SHARE = 0.1
NOISE_SEED = 31

Make = Callable[[NetworkConfig], Compared]
Change = Callable[[Head], Head]


@dataclass(frozen=True)
class Budget:
    """How long and on what the networks train.

    Attributes:
        recipe: Of the images and the optimiser; its steps are replaced.
        network: Sizes.
        steps: Of every network, where no other number is asked for.
        heads: Different synthetic heads; after the last the first comes again.
        unseen: Synthetic heads to judge on, of the maps that the recipe holds out.
        device: Where to compute.
    """

    recipe: Recipe
    network: NetworkConfig
    steps: int
    heads: int
    unseen: int
    device: torch.device


def heads_of(
    maps: Sequence[PackedLabels], budget: Budget, streams: int, seed: int
) -> tuple[list[Head], list[Head]]:
    """Heads to train on, and the same unseen heads whatever the seed.

    Raises:
        SystemExit: If the maps are not of both sorts.
    """
    held_out = budget.recipe.held_out
    seen = [m for m in maps if m.name not in held_out]
    unseen = [m for m in maps if m.name in held_out]
    if not unseen or not seen:
        said = f"The recipe {budget.recipe.name} holds out {', '.join(held_out)}"
        raise SystemExit(f"{said}, of which the bank has {'none' if seen else 'nothing else'}.")
    look = replace(budget.recipe.generator, streams=(streams,))
    return (
        list(_draw(Generator(seen, look, Draw(seed, budget.device)), budget.heads)),
        list(
            _draw(Generator(unseen, look, Draw(VALIDATION_SEED, budget.device)), budget.unseen)
        ),
    )


def _draw(generator: Generator, count: int) -> Iterator[Head]:
    for _ in range(count):
        yield to_head(generator.sample())


def to_head(sample: Sample) -> Head:
    """What the compared networks read of a sample."""
    images = sample.images[:, None].to(torch.bfloat16)
    return Head(images, plan_levels(sample.spacing), sample.labels)


class Trainee:
    """A network with random weights, and what trains it.

    Args:
        make: Builds the network.
        budget: How it is trained.
        seed: Of its weights, and of what it draws by itself.
        steps: Length of the schedule.
    """

    def __init__(self, make: Make, budget: Budget, seed: int, steps: int) -> None:
        warm_up = max(1, round(WARM_UP_SHARE * steps))
        self.recipe = replace(budget.recipe, seed=seed, steps=steps, warmup=warm_up)
        torch.manual_seed(seed)
        self.network = make(budget.network)
        self.state = new_state(self.network, self.recipe, budget.device)

    def step(self, head: Head) -> None:
        """One step on one head."""
        self.network.cost(head, self.state.draw).backward()
        apply_gradients(self.state, self.recipe)

    def averaged(self) -> Compared:
        """The network, with the running mean of its weights."""
        with torch.no_grad():
            for name, weight in self.network.named_parameters():
                weight.copy_(self.state.average[name])
        return self.network


def fit(make: Make, heads: Sequence[Head], budget: Budget, seed: int, steps: int) -> Compared:
    """A network trained on `heads` for `steps` steps."""
    trainee = Trainee(make, budget, seed, steps)
    for step in range(steps):
        trainee.step(heads[step % len(heads)])
    return trainee.averaged()


def step_seconds(
    makers: Mapping[str, Make], head: Head, budget: Budget, repeats: int
) -> dict[str, float]:
    """Median seconds of a step of each network on `head`, taken in turn."""
    steps = {
        name: partial(Trainee(make, budget, 1, repeats).step, head)
        for name, make in makers.items()
    }
    return medians(interleaved(steps, repeats, budget.device))


def prediction_seconds(
    makers: Mapping[str, Make], head: Head, budget: Budget, repeats: int
) -> dict[str, float]:
    """Median seconds of the masks of all base structures of `head`, likewise."""
    masks = {
        name: partial(Trainee(make, budget, 1, 1).network.masks, head)
        for name, make in makers.items()
    }
    with torch.inference_mode():
        return medians(interleaved(masks, repeats, budget.device))


def with_noise(head: Head) -> Head:
    """The head with noise in place of its first image."""
    images = head.images.clone()
    noise = torch.randn(images.shape[1:], generator=torch.Generator().manual_seed(NOISE_SEED))
    images[0] = normalise(noise.abs()).to(images)
    return replace(head, images=images)


def without_first(head: Head) -> Head:
    """The head without its first image."""
    return replace(head, images=head.images[1:])


@torch.inference_mode()
def dice_of(
    network: Compared, heads: Iterable[Head], change: Change | None = None
) -> list[float]:
    """Mean Dice over the structures of each head, after `change` to its images."""
    network.eval()
    return [
        head_dice(network.masks(change(head) if change else head), head.rows) for head in heads
    ]


def head_dice(masks: torch.Tensor, rows: torch.Tensor) -> float:
    """Mean Dice of (T, I, J, K) masks over the structures that the truth holds.

    Of the parts of a voxel, (I, J, K, P) rows, the commonest decides.

    Raises:
        ValueError: If the truth holds no structure.

    """
    truth = rows.mode(dim=-1).values
    found = []
    for row, mask in enumerate(masks, start=1):
        true = truth == row
        total = int(true.sum())
        if total:
            shared = int((mask & true).sum())
            found.append(2 * shared / (total + int(mask.sum())))
    if not found:
        raise ValueError("A head without any structure has no Dice.")
    return statistics.fmean(found)

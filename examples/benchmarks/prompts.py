"""How often the network that comes with the package understands a prompt.

    python examples/benchmarks/prompts.py

The prompts are made from sentence frames that no training prompt was made from, filled with
other seeds than those the threshold of agreement was set on. A table goes into the README;
every prompt that came out wrong goes, with what was asked and what was understood, into
`prompts.tsv` beside this script. The last lines time a prompt, start to end.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from common import HERE, README, cores, processor, write_texts

from medprompt_cli.evaluation.overlap import bootstrap_interval
from medprompt_cli.evaluation.report import table_line
from medprompt_cli.planning.intent import Intent
from medprompt_cli.planning.prompt_model import PromptModel, load_prompt_model
from medprompt_cli.training.prompt_evaluation import Judged, judge

SEED = 88_002
GOALS = {"All English": 0.95, "All Korean": 0.90, "out-of-scope": 0.95}
FAILURES = HERE / "prompts.tsv"
TIMED = "volume of the left and right hippocampus, and how it changed since baseline"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def report(
    count: Annotated[int, typer.Option(min=20, help="Prompts to judge.")] = 2000,
    model: Annotated[Path | None, typer.Option(help="Other weights that read prompts.")] = None,
    seed: Annotated[int, typer.Option(help="Of the prompts.")] = SEED,
    readme: Annotated[Path, typer.Option(help="File to put the table into.")] = README,
) -> None:
    """Judge, print, and write the table and the failures."""
    network = load_prompt_model(model)
    judged = judge(network, count, seed=seed)
    text = f"{said_of(network, count, seed)}\n\n{table(judged, network.agreement)}"
    FAILURES.write_text(failures(judged, network.agreement), encoding="utf-8")
    typer.echo(text)
    write_texts(readme, {"prompts": text})


def said_of(network: PromptModel, count: int, seed: int) -> str:
    """With what, when, on what, and by which command."""
    best = min(seconds_of_a_prompt() for _ in range(5))
    return (
        f"Weights {network.sha256[:12]}, {datetime.now(UTC).date().isoformat()}, "
        f"{processor(Path('/proc/cpuinfo'))}, {cores()} cores. {count} prompts of held-out "
        f"frames, seed {seed}; programs that are drawn have to agree by "
        f"{network.agreement:.0%}. `medprompt plan` takes {best:.2f} s, start of Python "
        f"included, the best of 5. By `python examples/benchmarks/prompts.py --count {count}`:"
    )


def seconds_of_a_prompt() -> float:
    """Seconds of `medprompt plan`, start to end."""
    start = time.perf_counter()
    command = "from medprompt_cli.cli.app import main; main()"
    words = [sys.executable, "-c", command, "plan", TIMED, "--json"]
    subprocess.run(words, capture_output=True, check=False)
    return time.perf_counter() - start


def table(judged: Sequence[Judged], threshold: float) -> str:
    """A line for each group of prompts."""
    lines = [
        table_line(["Prompts", "n", "Right (95 % interval)", "Goal"]),
        table_line(["---", "--:", "--:", "--:"]),
    ]
    for name, cases in groups(judged).items():
        right = [float(case.right(threshold)) for case in cases]
        interval = bootstrap_interval(right)
        spread = f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
        goal = f"{GOALS[name]:.2f}" if name in GOALS else ""
        found = f"{statistics.fmean(right):.3f}{spread}"
        lines.append(table_line([name, str(len(cases)), found, goal]))
    return "\n".join(lines)


def groups(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Prompts by language, and by what should come of them."""
    language = {"en": "English", "ko": "Korean"}
    found: dict[str, list[Judged]] = {}
    for code, name in language.items():
        found[f"All {name}"] = [case for case in judged if case.language == code]
        found[f"To be understood, {name}"] = [
            case for case in judged if case.language == code and case.kind == "ok"
        ]
    for kind in sorted({case.kind for case in judged} - {"ok"}):
        found[kind] = [case for case in judged if case.kind == kind]
    return {name: cases for name, cases in found.items() if cases}


def failures(judged: Sequence[Judged], threshold: float) -> str:
    """Every prompt that came out wrong, one on a line, with tabs between."""
    lines = ["language\tkind\tprompt\tasked\tunderstood\tagreement"]
    for case in judged:
        if case.right(threshold):
            continue
        asked = case.sample.prompt.asked
        wanted = shown(case.sample.intent) if case.sample.intent else asked.status
        got = case.compiled
        understood = shown(got.intent) if got.intent else f"{got.status} ({got.reason})"
        prompt = " ".join(case.sample.prompt.text.split())
        cells = [case.language, case.kind, prompt, wanted, understood, f"{got.agreement:.2f}"]
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"


def shown(intent: Intent) -> str:
    """Targets, quantities and what is compared, in a few words."""
    quantities = " ".join(intent.quantities) or "mask"
    return f"{' '.join(intent.targets)}: {quantities}; compares {intent.compares}"


if __name__ == "__main__":
    app()

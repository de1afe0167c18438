"""The bench times what it says: stages, bytes and operations of cohorts of several sizes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from medprompt_cli.cli.app import app
from medprompt_cli.cli.bench import COLUMNS, as_text
from medprompt_cli.cohort.bench import Run
from medprompt_cli.cohort.machine import Machine


@pytest.mark.slow
def test_a_bench_says_where_the_time_went():
    sizes = ("--subjects", "1,2", "--targets", "1", "--streams", "1", "--slices", "1")
    done = CliRunner().invoke(app, ["bench", "--small", "--json", *sizes])

    assert done.exit_code == 0
    found = json.loads(done.stdout)
    asked = [(run["subjects"], run["targets"], run["streams"]) for run in found["runs"]]
    assert asked == [(1, 1, 1), (2, 1, 1)]
    one, two = found["runs"]
    assert two["read_bytes"] == 2 * one["read_bytes"]
    assert two["network_flops"] == one["network_flops"] > 0
    assert two["written_bytes"] > one["written_bytes"]
    for run in found["runs"]:
        assert set(run["seconds"]) == {"read", "network", "post", "measure", "write"}
        assert 0 < run["seconds"]["network"] < run["wall_s"]
        assert 0 < run["share"]["network"] < 1.5
        assert run["seconds"]["network"] / run["wall_s"] < run["device_busy"] < 1
    assert found["machine"]["convolution_flops"] > 0


def test_the_table_sets_every_stage_beside_what_the_machine_does_at_best():
    machine = Machine("cpu", 100e9, 50e6, 200e6, 400e6)
    seconds = {"read": 0.1, "network": 6.0, "post": 0.5, "measure": 0.25, "write": 0.0}
    files = 10_000_000, 29_763
    one = Run(3, 8, 1, 5, 10.0, 0.125, seconds, *files, 100 * 10**9, 2 * 10**9, 0.75)
    best, heads, row = as_text(machine, [one]).splitlines()

    assert best == (
        "cpu: convolutions 100 GFLOP/s; gzip 50 MB/s in, 200 MB/s out; disk 400 MB/s"
    )
    assert len(heads) == len(row)
    told = dict(zip(COLUMNS, row.split(), strict=True))
    assert told == {
        **{"subjects": "3", "targets": "8", "streams": "1", "slices mm": "5"},
        **{"wall s": "10.00", "index s": "0.1250", "read s": "0.10", "network s": "6.00"},
        **{"post s": "0.50", "measure s": "0.25", "write s": "0.00"},
        **{"read MB": "10", "written MB": "0.0298", "GFLOP": "300"},
        **{"of peak": "0.5", "of gunzip": "0.5", "of disk": "n/a"},
        **{"subjects/h": "1080", "memory MB": "2000", "overlap": "1.67", "busy": "0.75"},
    }


@pytest.mark.parametrize("said", ["", "0", "1,x", "33"])
def test_a_list_that_is_none_is_refused(said):
    done = CliRunner().invoke(app, ["bench", "--targets", said])

    assert done.exit_code == 2
    assert f"--targets {said!r} is not a list of numbers from 1 to 32." in done.stderr

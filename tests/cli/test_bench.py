"""The bench times what it says: stages, bytes and operations of cohorts of several sizes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from medprompt_cli.cli.app import app


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
    assert found["machine"]["convolution_flops"] > 0


@pytest.mark.parametrize("said", ["", "0", "1,x", "33"])
def test_a_list_that_is_none_is_refused(said):
    done = CliRunner().invoke(app, ["bench", "--targets", said])

    assert done.exit_code == 2
    assert f"--targets {said!r} is not a list of numbers from 1 to 32." in done.stderr

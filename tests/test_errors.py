"""Every error carries what to try next and the exit code its docstring draws."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from medprompt_cli import errors

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, errors.MedpromptError)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_the_tree_on_top_of_the_module_tells_the_exit_code(kind):
    drawn = re.search(rf"\b{kind.__name__}\s+(\d+)\s", errors.__doc__ or "")

    assert drawn
    assert int(drawn[1]) == kind.exit_code


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_keeps_its_problem_and_its_remedy_in_another_process_too(kind):
    error = kind("a.nii is empty: 0 bytes.", remedy="Copy it again.")

    assert str(error) == "a.nii is empty: 0 bytes."
    assert error.remedy == "Copy it again."

    other = pickle.loads(pickle.dumps(error))
    assert (type(other), str(other), vars(other)) == (kind, str(error), vars(error))


def test_an_input_error_has_a_reason_code():
    assert errors.InputError("x", remedy="y").code == "unusable"
    assert errors.InputError("x", remedy="y", code="truncated").code == "truncated"

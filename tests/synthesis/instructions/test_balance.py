from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from medprompt_cli.domain.instruction import FORMS
from medprompt_cli.synthesis.instructions.balance import balance, draw
from medprompt_cli.synthesis.instructions.questions import Question


def question(number, form, there, elsewhere=False):
    pieces = (1,) if there else ()
    return Question(f"c{number}", form, "lesion", "lesion", None, pieces, 1.0, elsewhere)


ASKED = st.lists(st.tuples(st.sampled_from(FORMS), st.booleans(), st.booleans()), max_size=60)


@given(ASKED, st.integers(0, 3))
def test_as_much_is_absent_as_is_there_and_nothing_is_lost(drawn, seed):
    asked = [question(n, f, there, e and not there) for n, (f, there, e) in enumerate(drawn)]
    kept, surplus = balance(asked, seed)

    there = sum(one.present for one in kept)
    assert there == len(kept) - there
    assert there == min(sum(q.present for q in asked), sum(not q.present for q in asked))
    assert Counter(q.key for q in (*kept, *surplus)) == Counter(q.key for q in asked)
    assert [q for q in asked if q in kept] == kept


@given(ASKED)
def test_forms_of_what_is_absent_follow_those_of_what_is_there(drawn):
    asked = [question(n, form, there) for n, (form, there, _) in enumerate(drawn)]
    kept, _ = balance(asked, 0)

    for form in FORMS:
        counts = Counter(q.present for q in kept if q.form == form)
        possible = sum(not q.present for q in asked if q.form == form)
        assert counts[False] >= min(counts[True], possible)


def test_no_form_is_given_up_for_another():
    asked = [question(n, "basic", n < 20) for n in range(26)]
    asked += [question(n, "global", True) for n in range(30, 33)]
    kept, _ = balance(asked, 0)

    assert Counter(q.form for q in kept if q.present) == {"basic": 3, "global": 3}


def test_absent_targets_are_elsewhere_and_nowhere_by_turns():
    asked = [question(n, "basic", n < 6) for n in range(6)]
    asked += [question(n, "basic", False, n % 10 == 0) for n in range(6, 100)]
    kept, _ = balance(asked, 5)

    assert sum(q.elsewhere for q in kept) == 3


def test_another_seed_takes_others_and_order_changes_nothing():
    asked = [question(n, "basic", n < 20) for n in range(100)]
    first, again = balance(asked, 0)[0], balance(asked, 0)[0]

    assert first == again
    assert balance(asked, 1)[0] != first
    turned = balance(asked[::-1], 0)[0]
    assert {q.key for q in turned} == {q.key for q in first}


def test_draws_are_the_same_everywhere():
    assert draw(0, "a") == 953500957854399108

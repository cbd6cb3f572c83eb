"""What the report says in words: who is best, and where a filter wins."""
import numpy as np
from report_parts import LABELS, comparison_of

from LTDiffStandardizeLib.comparison import STANDARD
from LTDiffStandardizeLib.report.words import best_of, best_overall, contests, verdict

RANDOM = np.random.default_rng(3)
TRUTH = RANDOM.normal(size=20)
CLOSE, MIDDLING, FAR = (list(TRUTH + error * RANDOM.normal(size=20)) for error in (0.02, 0.4, 3.0))


def compared(ours, power, feature_class="GLCM"):
    return comparison_of({STANDARD: {feature_class: list(TRUTH)}, "none": {feature_class: FAR}, "power": {feature_class: power},
                          "ltdiff": {feature_class: ours}})  # fmt: skip


def said(comparison):
    return " ".join(part for statement in verdict(comparison, "ltdiff", LABELS) for part in (statement.text, *statement.listed))


def test_the_best_are_all_that_are_equal_as_printed():
    assert best_of({"a": 0.951, "b": 0.954, "c": 0.94}) == {"a", "b"}
    assert best_of({"a": float("nan"), "b": -0.2}) == {"b"}
    assert best_of({"a": float("nan")}) == set()


def test_where_a_filter_wins_the_words_say_so():
    text = said(compared(ours=MIDDLING, power=CLOSE))
    assert "Another method wins by 0.01 or more in 1 row, counting rows in which the 90 % interval" in text
    assert "GLCM: 0." in text and "of power, difference −" in text
    assert "LTDiff++ wins by 0.01 or more in no rows, " in text


def test_where_the_model_wins_the_words_say_so():
    text = said(compared(ours=CLOSE, power=MIDDLING))
    assert "LTDiff++ alone has the highest mean CCC in 1 of 1 row," in text and "difference +" in text


def test_equal_methods_are_called_equal():
    text = said(compared(ours=CLOSE, power=CLOSE))
    assert "in 1 both are equal" in text and ", difference " not in text


def test_the_opponent_is_the_best_other_method_and_the_difference_is_paired():
    (contest,) = contests(compared(ours=MIDDLING, power=CLOSE), "ltdiff")
    assert contest.opponent == "power" and contest.cell == ("[-100,250]", "GLCM")
    assert contest.low <= contest.difference <= contest.high < 0
    assert contest.difference == np.float64(contest.ccc - contest.opponent_ccc)


def test_the_best_filter_is_the_one_with_the_highest_mean():
    assert best_overall(compared(ours=CLOSE, power=MIDDLING), ["none", "power"]) == "power"


def test_without_any_ccc_nothing_is_claimed():
    constant = [1.0] * 20
    nothing = comparison_of({STANDARD: {"ID": constant}, "none": {"ID": [2.0] * 20}, "ltdiff": {"ID": [3.0] * 20}})
    assert "nothing can be said" in said(nothing)


def test_one_volume_alone_is_told_without_a_winner():
    alone = comparison_of({STANDARD: {"ID": list(TRUTH)}, "ltdiff": {"ID": CLOSE}})
    assert said(alone).startswith("Mean CCC over all rows of the table: LTDiff++ 1.00.") and "highest" not in said(alone)

"""What the report says in words: who is best, and where a filter wins."""
from dataclasses import replace

import numpy as np
from report_parts import LABELS, comparison_of, texts

from LTDiffStandardizeLib.comparison import STANDARD
from LTDiffStandardizeLib.report import ReportChoices
from LTDiffStandardizeLib.report.page import report_html
from LTDiffStandardizeLib.report.plain import plain_texts
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


def test_rows_of_fewer_than_ten_regions_are_no_wins():
    few = comparison_of({STANDARD: {"GLCM": list(TRUTH[:9])}, "power": {"GLCM": MIDDLING[:9]}, "ltdiff": {"GLCM": CLOSE[:9]}})
    assert contests(few, "ltdiff") == [] and "from 10 regions or more, so nothing can be said" in said(few)


def test_two_regions_are_warned_of_and_neither_starred_nor_given_an_interval():
    two = comparison_of({STANDARD: {"GLCM": list(TRUTH[:2])}, "power": {"GLCM": MIDDLING[:2]}, "ltdiff": {"GLCM": CLOSE[:2]}})
    page = report_html(two, texts(), ReportChoices("ltdiff", "power", ["ltdiff"]))
    warning = "Fewer than 10 regions lie in [-100,250] (2), so the CCC there cannot be relied on"
    assert f'<p class="notice">{warning}' in page and page.count(warning) == 2  # at the head, and where features became trustworthy
    assert "★" not in page and "± 0.00, –</small>" in page and " wins " not in page


def test_features_without_a_ccc_are_a_column_of_their_own():
    one = comparison_of({STANDARD: {"GLCM": [1.0]}, "power": {"GLCM": [2.0]}, "ltdiff": {"GLCM": [1.0]}})
    page = report_html(one, texts(), ReportChoices("ltdiff", "power", ["ltdiff"]))
    assert '<th scope="col">undefined</th>' in page
    assert "".join(f"<td>{count}</td>" for count in (0, 0, 0, 0, 1)) in page


def test_regions_that_found_no_room_are_counted_in_the_report():
    some = replace(compared(ours=CLOSE, power=FAR), candidates=[{"regions": "[300,800]", "wanted": 500, "drawn": 39, "candidates": 60}])
    page = report_html(some, plain_texts(some, "LTDiff"), ReportChoices("ltdiff", "none", ["ltdiff"]))
    assert page.count("39 of 500 in [300,800]") == 2  # among the facts, and below the table of candidates

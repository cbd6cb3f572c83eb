"""Progress as numbers, as a line for a person and as a line for a parent process."""
import io

import pytest
from hypothesis import given, strategies as st

from LTDiffStandardizeLib.cohort.progress import Console, Count, Meter, Progress, from_line, to_line

HALF_WAY = Progress("lung_B40f", 2, 5, 12, 30, 1.8, 10.0, 3725.4)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def test_rate_and_times_left_follow_from_the_slices_done():
    clock = Clock()
    meter = Meter([10, 20, 32], clock)
    meter.begin(1, "first")
    clock.seconds = 5.0
    assert meter.progress(10, 10) == Progress("first", 1, 3, 10, 10, 2.0, 0.0, 26.0)
    meter.begin(2, "second")
    clock.seconds = 12.0
    # This series: 14 slices in 7 s. All: 24 slices in 12 s, and 6 + 32 are ahead.
    assert meter.progress(14, 20) == Progress("second", 2, 3, 14, 20, 2.0, 3.0, 19.0)


def test_a_series_without_work_does_not_count_as_slow():
    clock = Clock()
    meter = Meter([10, 10], clock)
    meter.begin(1, "finished before")
    clock.seconds = 100.0
    meter.begin(2, "new")
    clock.seconds = 101.0
    assert meter.progress(1, 10).cohort_seconds_left == 9.0


@given(st.builds(Progress, st.text(), *[st.integers(0)] * 4, *[st.floats(0, allow_nan=False, allow_infinity=False)] * 3))
def test_progress_survives_its_line(progress):
    line = to_line(progress)
    assert line.startswith("PROGRESS ") and "\n" not in line
    assert from_line(line + "\n") == progress


def test_other_lines_are_no_progress():
    for line in ("", "done", "PROGRESS", "PROGRESS 3/4", 'PROGRESS {"series": 1}', "PROGRESS []"):
        assert from_line(line) is None


def test_a_single_series_says_nothing_of_others():
    assert Progress("lung", 1, 1, 12, 30, 1.8, 10.0, 10.0).sentence() == "12/30 slices, 1.8 slices/s, 0:10 left"


def test_the_sentence_names_all_that_a_waiting_person_asks_for():
    assert HALF_WAY.sentence() == "series 2/5 lung_B40f: 12/30 slices, 1.8 slices/s, 0:10 left, all series 1:02:05"


def test_before_the_first_region_rate_and_time_are_dashes():
    assert Count("regions", 0, 9, 0.0).sentence() == "regions 0/9, - a second, - left"
    assert Count("regions", 3, 9, 1.5).sentence() == "regions 3/9, 2 a second, 0:03 left"


def test_a_terminal_shows_one_line_that_is_rewritten(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    output, status = io.StringIO(), Terminal()
    console = Console(output, status)
    console.progress(HALF_WAY)
    console.progress(HALF_WAY)
    console.say("done")
    lines = status.getvalue().split("\r")
    assert "\n" not in status.getvalue()
    assert max(map(len, lines)) == 39
    assert lines[-2].strip() == lines[-1] == ""
    assert output.getvalue() == "done\n"


def test_a_file_gets_a_line_every_few_seconds():
    clock, status = Clock(), io.StringIO()
    console = Console(io.StringIO(), status, clock)
    for clock.seconds in (0.0, 1.0, 4.9, 5.0, 6.0, 10.1):
        console.progress(HALF_WAY)
    assert status.getvalue() == (HALF_WAY.sentence() + "\n") * 3


def test_a_terminal_without_the_letters_or_gone_altogether_stops_nothing():
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    console = Console(ascii_only, ascii_only)
    console.say("Müller \udcfc")
    assert ascii_only.buffer.getvalue() == b"M\\xfcller \\udcfc\n"
    ascii_only.close()
    console.say("gone")
    console.progress(HALF_WAY)


@pytest.mark.parametrize("told", ["\x1b[31mred", "back\x08", "bell\x07", "csi\x9b31m"])
def test_names_of_files_send_no_commands_to_a_terminal(told):
    output = io.StringIO()
    Console(output, io.StringIO()).say(f"first {told}\nsecond")
    assert output.getvalue() == "first " + "".join(letter if letter.isprintable() else "?" for letter in told) + "\nsecond\n"

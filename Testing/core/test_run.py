"""Testing/run.py: what it prints, where it stops, and whose exit status it returns."""
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TESTING = Path(__file__).resolve().parents[1]
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}


@pytest.fixture
def tree(tmp_path):
    """A copy of run.py and the requirements, with a space in its path."""
    testing = tmp_path / "a checkout" / "Testing"
    testing.mkdir(parents=True)
    for name in ("run.py", "requirements.txt", "requirements-tests.txt"):
        shutil.copy(TESTING / name, testing)
    return testing.parent


def load(tree):
    """The module run.py of the tree."""
    specification = importlib.util.spec_from_file_location("run_of_a_tree", tree / "Testing" / "run.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def start(tree, *arguments, **variables):
    command = [sys.executable, str(tree / "Testing" / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, **variables})


def test_an_unknown_command_shows_the_commands(tree):
    result = start(tree, "dmeo")
    assert result.returncode == 2
    assert "python3 Testing/run.py demo" in result.stdout


def test_help_succeeds(tree):
    assert start(tree, "--help").returncode == 0


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(7)", 7), ("pass", 0), ("1 / 0", 1)])
def test_the_exit_status_is_that_of_the_child(tree, code, status):
    assert load(tree).run([sys.executable, "-c", code], dict(os.environ)) == status


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals that end a process")
def test_a_child_ended_by_a_signal_gives_128_and_its_number(tree):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert load(tree).run([sys.executable, "-c", code], dict(os.environ)) == 128 + signal.SIGKILL


def test_a_changed_requirement_asks_for_another_environment(tree):
    run = load(tree)
    before = run.fingerprint("tests"), run.fingerprint("demo")
    (tree / "Testing" / "requirements-tests.txt").write_text("pytest==9.0.0\n")
    assert run.fingerprint("tests") != before[0]
    assert run.fingerprint("demo") == before[1]


def test_only_a_stamped_environment_is_complete(tree):
    run = load(tree)
    environment = tree / ".ltdiff-env" / "tests"
    run.python_of(environment).parent.mkdir(parents=True)
    run.python_of(environment).touch()
    assert not run.is_complete(environment)
    run.stamp_of(environment).touch()
    assert run.is_complete(environment)


def test_children_see_nothing_of_the_callers_python(tree, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("HOME", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    variables = load(tree).variables_for(tree)
    assert "PYTHONPATH" not in variables
    assert "HOME" not in variables
    assert variables["OMP_NUM_THREADS"] == "3"


def test_a_failed_set_up_says_why_and_leaves_nothing_that_passes_for_complete(tree):
    run = load(tree)
    environment = run.ENVIRONMENTS / f"tests-{run.PYTHON}-{run.fingerprint('tests')}"
    environment.mkdir(parents=True)
    (environment / "left over by an interruption").touch()
    result = start(tree, "tests", **OFFLINE)
    assert result.returncode == 1
    assert "build tools" in result.stdout
    assert "ERROR: Cannot install pip" in result.stderr
    assert "tests.log say why" in result.stderr
    assert os.listdir(environment)
    assert not (environment / "left over by an interruption").exists()
    assert not run.is_complete(environment)

"""The rules of the repository that a machine can check."""
import ast
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("LTDiffStandardize", "LTDiffTraining")
TOP_LEVEL = {*PRODUCT, "Resources", "Testing", "CMakeLists.txt", "README.md", "LICENSE.txt", "LTDiff.json"}
MADE_BY_USE = {".git", ".ltdiff-env", "demo-output", "__pycache__", ".pytest_cache", ".hypothesis"}
TEXT = {".py", ".md", ".txt", ".json", ".cmake", ".ui", ".ini"}
PICKLE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
NETWORK_MODULES = {
    "aiohttp", "asyncio", "ftplib", "http", "httpx", "imaplib", "nntplib", "poplib", "requests", "smtplib", "socket", "socketserver", "ssl", "telnetlib", "urllib", "urllib3",
    "webbrowser", "websocket", "websockets", "wsgiref", "xmlrpc",
}  # fmt: skip
NETWORK_FUNCTIONS = ("load_state_dict_from_url", "download_url_to_file", "hf_hub_download", "snapshot_download", "from_pretrained")
TEST_COMMAND = "python3 Testing/run.py tests"


def repository_files():
    """Every file of the repository, relative to its root: what git tracks or would add, else what lies there."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
        paths = [Path(name) for name in listed if name]
    except (OSError, subprocess.CalledProcessError):  # a copy without git
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        paths = [path for path in found if not MADE_BY_USE.intersection(path.parts)]
    return [path for path in paths if (ROOT / path).is_file()]


def python_files(*folders):
    return [path for path in repository_files() if path.suffix == ".py" and path.parts[0] in folders]


def pickles_in(code):
    """Where the code reads pickles, as lines of text: pickle modules, torch.load of more than tensors, allow_pickle."""
    for node in ast.walk(ast.parse(code)):
        imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            imported = [node.module or ""]
        for name in imported:
            if name.split(".")[0] in PICKLE_MODULES:
                yield f"line {node.lineno} imports {name}"
        if isinstance(node, ast.Call):
            said = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if ast.unparse(node.func) == "torch.load" and said.get("weights_only") != "True":
                yield f"line {node.lineno} loads without weights_only=True"
            if said.get("allow_pickle", "False") != "False":
                yield f"line {node.lineno} allows pickles"


def network_in(code):
    """Where the code could reach for the network, as lines of text: modules for it, and functions of others that download."""
    for node in ast.walk(ast.parse(code)):
        imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            imported = [node.module]
        for name in imported:
            if name.split(".")[0] in NETWORK_MODULES or name.startswith("torch.hub"):
                yield f"line {node.lineno} imports {name}"
        if isinstance(node, (ast.Attribute, ast.Name)):
            text = ast.unparse(node)
            if text.split(".")[-1] in NETWORK_FUNCTIONS or text == "torch.hub":
                yield f"line {node.lineno} names {text}"


def test_the_top_level_holds_only_what_users_look_for():
    names = {path.parts[0] for path in repository_files()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize("module", PRODUCT)
def test_no_python_file_lies_beside_a_module_file(module):
    # Slicer takes every .py of a module folder for a module and fails to load it.
    assert [path.name for path in (ROOT / module).glob("*.py")] == [module + ".py"]


def test_text_files_end_their_lines_with_lf():
    ours = [path for path in repository_files() if "SampleData" not in path.parts]
    texts = [path for path in ours if path.suffix in TEXT or path.parts[0].startswith(".")]
    assert [str(path) for path in texts if b"\r\n" in (ROOT / path).read_bytes()] == []


def test_no_python_file_is_longer_than_400_lines():
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in python_files(*PRODUCT, "Testing")}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_the_product_reads_no_pickles():
    found = {str(path): list(pickles_in((ROOT / path).read_text(encoding="utf-8"))) for path in python_files(*PRODUCT)}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_models_are_not_read_with_torch_load():
    # Bundles come from strangers, so they are safetensors; only the training's own checkpoints may be torch files.
    readers = [path for path in python_files("LTDiffStandardize") if "torch.load" in (ROOT / path).read_text(encoding="utf-8")]
    assert readers == []


@pytest.mark.parametrize(
    "code",
    ["import pickle", "from pickle import loads", "torch.load" + "(path)", "numpy.load(path, allow_pickle=True)"],
)
def test_the_check_for_pickles_finds_them(code):
    assert list(pickles_in(code))


def test_the_product_has_nothing_that_reaches_for_the_network():
    # Scans stay where they are. Training on several GPUs talks to its own processes, through torch.distributed.
    found = {str(path): list(network_in((ROOT / path).read_text(encoding="utf-8"))) for path in python_files(*PRODUCT)}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code", ["import urllib.request", "from http import client", "import socket as s", "from requests import get", "torch.hub.load(x)", "Model.from_pretrained(x)"]
)
def test_the_check_for_the_network_finds_it(code):
    assert list(network_in(code))


def test_the_check_for_the_network_lets_our_own_modules_pass():
    assert list(network_in("from .requests import check\nfrom ..requests import shown\nimport torch.distributed")) == []


def test_the_continuous_integration_runs_the_test_command_of_the_readme_and_nothing_else():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines == ["#!/bin/sh", 'cd "$(dirname "$0")/.." || exit', TEST_COMMAND]
    assert TEST_COMMAND in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
def test_the_continuous_integration_file_is_executable():
    assert os.stat(ROOT / ".ci" / "run").st_mode & stat.S_IXUSR


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-tests.txt"])
def test_requirements_are_pinned_exactly(name):
    lines = [line.split("#")[0].strip() for line in (ROOT / "Testing" / name).read_text().splitlines()]
    assert [line for line in lines if line and not re.match(r"[\w.-]+==[\w.+]+( ;|$)", line)] == []


def test_torchvision_is_required_nowhere():
    for path in (ROOT / "Testing").glob("requirements*.txt"):
        assert "torchvision" not in path.read_text()

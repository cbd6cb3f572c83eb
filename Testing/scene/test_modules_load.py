"""The module files load where Slicer's application is absent, load nothing heavy, and do what Slicer asks of them."""
import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("LTDiffStandardize", "LTDiffTraining")
HEAVY = ("torch", "pydicom", "radiomics", "SimpleITK", "scipy")

# What the application adds to the `slicer` package and the two modules use.
APPLICATION = {
    "i18n.py": """
def tr(text):
    return "tr:" + text

def translate(context, text):
    return text
""",
    "ScriptedLoadableModule.py": """
import unittest

class ScriptedLoadableModule:
    def __init__(self, parent):
        self.parent = parent

class ScriptedLoadableModuleWidget:
    def setup(self):
        pass

class ScriptedLoadableModuleLogic:
    pass

class ScriptedLoadableModuleTest(unittest.TestCase):
    pass
""",
}


def python(code, *folders):
    """Runs the code in a child interpreter that has only the folders on its path beside the installed packages."""
    paths = "\n".join(f"sys.path.insert(0, {str(folder)!r})" for folder in folders)
    child = subprocess.run([sys.executable, "-c", f"import sys\n{paths}\n{code}"], capture_output=True, text=True, timeout=120)
    assert child.returncode == 0, child.stderr
    return child.stdout


@pytest.fixture
def application(tmp_path):
    """A folder with a package `slicer` that has the application's classes."""
    package = tmp_path / "slicer"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name, text in APPLICATION.items():
        (package / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("module", MODULES)
def test_a_module_loads_beside_slicer_core_without_heavy_packages(module):
    if importlib.util.find_spec("slicer") is None:
        pytest.skip("slicer-core is not installed")
    hide = "\n".join(f"sys.modules[{name!r}] = None" for name in HEAVY)
    output = python(f"{hide}\nimport slicer, {module}\nprint({module}.{module}.__name__)", ROOT / module)
    assert output.splitlines()[-1] == module


@pytest.mark.parametrize("module", MODULES)
def test_a_module_tells_slicer_what_its_generic_tests_demand(module, application):
    output = python(
        f"""
from types import SimpleNamespace
import {module}
parent = SimpleNamespace()
{module}.{module}(parent)
assert parent.title and parent.categories and parent.contributors, vars(parent)
print(parent.helpText, parent.acknowledgementText, getattr(parent, "hidden", False))
""",
        ROOT / module,
        application,
    )
    assert "For research use only; not a medical device." in output
    assert "arXiv:2410.04000" in output
    assert output.startswith("tr:")
    assert output.rstrip().endswith(str(module == "LTDiffTraining"))


def test_the_tests_that_the_training_module_brings_along_pass(application):
    """Those of LTDiffStandardize need its panel: see Testing/panel."""
    python("import LTDiffTraining\nLTDiffTraining.LTDiffTrainingTest().runTest()", ROOT / "LTDiffTraining", application)


@pytest.mark.parametrize("module", MODULES)
def test_reading_a_module_file_asks_neither_the_network_nor_the_disk_and_is_quick(module, application):
    output = python(
        f"""
import time
import slicer
touched = []
sys.dont_write_bytecode = True  # Python's own cache is no work of ours

def note(event, arguments):
    path = str(arguments[0]) if arguments else ""
    of_imports = path.endswith((".py", ".pyc")) or event != "open"
    if event.startswith(("socket.", "urllib", "subprocess", "os.system", "tempfile", "shutil")) or event == "open" and not of_imports:
        touched.append((event, path))

sys.addaudithook(note)
start = time.process_time()
import {module}
from types import SimpleNamespace
{module}.{module}(SimpleNamespace())
print(time.process_time() - start)
print(touched)
""",
        ROOT / module,
        application,
    )
    seconds, touched = output.splitlines()[-2:]
    assert touched == "[]"
    assert float(seconds) < 0.3


def test_the_training_module_is_hidden_and_its_scripts_are_found(application):
    output = python(
        """
from types import SimpleNamespace
import LTDiffTraining
parent = SimpleNamespace()
LTDiffTraining.LTDiffTraining(parent)
print(parent.hidden, LTDiffTraining.script("train.py").is_file(), parent.dependencies)
""",
        ROOT / "LTDiffTraining",
        application,
    )
    assert output.split() == ["True", "True", "['LTDiffStandardize']"]


def imports_at_reading(path):
    """The modules that reading the file imports, in the file's own spelling: (number of leading dots, dotted name)."""
    pending = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""
            prefix = node.module + "." if node.module else ""
            yield from ((node.level, prefix + alias.name) for alias in node.names)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            pending.extend(ast.iter_child_nodes(node))


def files_read_with(module):
    """The module file and every file of the extension that reading it reads."""
    folders = [ROOT / name for name in MODULES]
    pending, read = [ROOT / module / (module + ".py")], set()
    while pending:
        path = pending.pop()
        read.add(path)
        for level, name in imports_at_reading(path):
            starts = [path.parents[level - 1]] if level else folders
            for start in starts:
                steps = [start.joinpath(*name.split(".")[:depth]) for depth in range(1, name.count(".") + 2)]
                found = [step / "__init__.py" for step in steps] + [step.with_suffix(".py") for step in steps if step != start]
                pending.extend(file for file in found if file.is_file() and file not in read)
    return read


@pytest.mark.parametrize("module", MODULES)
def test_reading_a_module_file_imports_nothing_heavy(module):
    files = files_read_with(module)
    assert ROOT / "LTDiffStandardize" / "LTDiffStandardizeLib" / "scene" / "application.py" in files
    heavy = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in files
        for level, name in imports_at_reading(path)
        if level == 0 and name.split(".")[0] in HEAVY
    }
    assert heavy == set()

"""The extension ships what its CMake files list, and nothing else: the lists are compared with the folders."""
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("LTDiffStandardize", "LTDiffTraining")
NOT_INSTALLED = {"Systems"}  # the paper's systems, for the tables of evaluate.py in a checkout: 44 MB that no user of Slicer needs
ALLOWED_JSON_KEYS = {
    "$schema", "category", "scm_url", "scm_revision", "build_dependencies",
    "build_subdirectory", "tier", "dicom_support_rule", "enabled",
}  # fmt: skip

# What Slicer's own CMake files offer an extension, reduced to the checks that need no Slicer.
SLICER_CONFIG = """
set(Slicer_USE_FILE ${CMAKE_CURRENT_LIST_DIR}/Nothing.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${CMAKE_CURRENT_LIST_DIR}/Nothing.cmake)
set(Slicer_EXTENSION_CPACK ${CMAKE_CURRENT_LIST_DIR}/Nothing.cmake)
set(BUILD_TESTING ON)
function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MODULE "WITH_GENERIC_TESTS;WITH_SUBDIR" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MODULE_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown arguments: ${MODULE_UNPARSED_ARGUMENTS}")
  endif()
  foreach(file IN LISTS MODULE_SCRIPTS MODULE_RESOURCES)
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      message(FATAL_ERROR "${MODULE_NAME} lists ${file}, which does not exist")
    endif()
  endforeach()
  message(STATUS "module ${MODULE_NAME}")
endfunction()
function(slicer_add_python_unittest)
  cmake_parse_arguments(TEST "" "SCRIPT" "" ${ARGN})
  message(STATUS "unit test ${TEST_SCRIPT}")
endfunction()
"""


def files_of(module):
    """What the module ships: {"MODULE_PYTHON_SCRIPTS": paths of its .py files, "MODULE_PYTHON_RESOURCES": all others}."""
    folder = ROOT / module
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    shipped = {
        path.as_posix()
        for path in files
        if path.name != "CMakeLists.txt" and path.parts[0] not in NOT_INSTALLED
        and not any(part == "__pycache__" or part[0] == "." for part in path.parts)
    }
    scripts = {path for path in shipped if path.endswith(".py")}
    return {"MODULE_PYTHON_SCRIPTS": scripts, "MODULE_PYTHON_RESOURCES": shipped - scripts}


def listed_by(module, variable):
    """The paths that the module's CMakeLists.txt gives the variable, in its order."""
    text = (ROOT / module / "CMakeLists.txt").read_text()
    values = re.search(r"set\({}\b([^)]*)\)".format(variable), text)[1]
    return values.replace("${MODULE_NAME}", module).split()


def as_cmake_list(module, variable, paths):
    """The `set` command that lists the paths: the module's own file first, then sorted."""
    ordered = sorted(paths, key=lambda path: (path != module + ".py", path))
    lines = [path.replace(module + ".py", "${MODULE_NAME}.py") for path in ordered]
    return "\n".join(["set(" + variable, *("  " + line for line in lines), "  )"])


def value_of(variable):
    """The text that the extension's CMakeLists.txt gives the variable."""
    return re.search(r'^set\({} "([^"]*)"'.format(variable), (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]


@pytest.mark.parametrize("variable", ["MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"])
@pytest.mark.parametrize("module", MODULES)
def test_cmake_lists_every_file_that_a_module_ships(module, variable):
    listed, present = listed_by(module, variable), files_of(module)[variable]
    assert len(listed) == len(set(listed)), f"{module} lists a file twice"
    if set(listed) != present:
        pytest.fail(
            f"{module}/CMakeLists.txt and the folder differ.\n"
            f"missing in the list: {sorted(present - set(listed))}\n"
            f"listed, but not there: {sorted(set(listed) - present)}\n"
            f"Put this in its place:\n{as_cmake_list(module, variable, present)}",
            pytrace=False,
        )


def test_the_index_entry_agrees_with_the_extension():
    entry = json.loads((ROOT / "LTDiff.json").read_text())
    project = re.search(r"project\((\w+)\)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert project == "LTDiff"
    assert set(entry) <= ALLOWED_JSON_KEYS
    assert {"$schema", "category", "scm_url"} <= set(entry)
    assert entry["category"] == value_of("EXTENSION_CATEGORY")
    assert entry["build_dependencies"] == value_of("EXTENSION_DEPENDS").split()
    assert entry["scm_url"] == value_of("EXTENSION_HOMEPAGE") + ".git"


def test_the_modules_link_to_the_homepage_of_the_extension():
    application = ROOT / "LTDiffStandardize" / "LTDiffStandardizeLib" / "scene" / "application.py"
    assert 'HOMEPAGE = "{}"\n'.format(value_of("EXTENSION_HOMEPAGE")) in application.read_text()


def test_the_pictures_of_the_extension_lie_where_their_addresses_say():
    addresses = (value_of("EXTENSION_ICONURL") + " " + value_of("EXTENSION_SCREENSHOTURLS")).split()
    raw = value_of("EXTENSION_HOMEPAGE").replace("github.com", "raw.githubusercontent.com") + "/main/"
    for address in addresses:
        assert address.startswith(raw)
        assert (ROOT / address[len(raw) :]).is_file(), f"{address} names a file that is not there"


def test_new_modules_have_a_place_for_the_extension_wizard():
    assert "\n## NEXT_MODULE\n" in (ROOT / "CMakeLists.txt").read_text()


def test_cmake_configures_the_extension(tmp_path):
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    if shutil.which("c++") is None:
        pytest.skip("CMake needs a C++ compiler to configure an extension, and there is none")
    (tmp_path / "SlicerConfig.cmake").write_text(SLICER_CONFIG)
    (tmp_path / "Nothing.cmake").write_text("")
    command = ["cmake", "-S", str(ROOT), "-B", str(tmp_path / "build"), f"-DSlicer_DIR={tmp_path}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    for module in MODULES:
        assert f"-- module {module}\n" in result.stdout
        assert f"-- unit test {module}.py\n" in result.stdout

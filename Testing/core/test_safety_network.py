"""Nothing at run time reaches for the network: the scripts run under a hook that ends them where they would."""
import os
import subprocess
import sys

import pytest
from small_cohort import SCRIPTS, VARIABLES, chest_hu, dicom_series

from LTDiffStandardizeLib.volumes import read_volume, write_volume_file

REACHED = 99
HOOKED = f"""
import os, runpy, sys
FORBIDDEN = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request", "http.client.connect",
             "ftplib.connect", "smtplib.connect", "webbrowser.open")
def watch(event, arguments):
    if event in FORBIDDEN:
        os.write(2, event.encode())
        os._exit({REACHED})
sys.addaudithook(watch)
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(script, *arguments):
    return subprocess.run([sys.executable, "-c", HOOKED, str(script), *map(str, arguments)], capture_output=True, text=True, timeout=240, env=VARIABLES)


@pytest.mark.parametrize("code", ["import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/x')", "import socket; socket.create_connection(('127.0.0.1', 9))",
                                  "import socket; socket.getaddrinfo('localhost', 80)"])  # fmt: skip
def test_the_hook_ends_what_reaches_for_the_network(tmp_path, code):
    (tmp_path / "script.py").write_text(code)
    assert run(tmp_path / "script.py").returncode == REACHED


@pytest.mark.parametrize("method", ["ltdiff", "ls_noise", "power", "none"])
def test_standardizing_reaches_for_no_network(tmp_path, method):
    dicom_series(tmp_path / "scans", 1, slices=2)
    done = run(SCRIPTS / "standardize.py", tmp_path / "scans", "--method", method, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows' processes talk to each other through what the hook watches")
def test_comparing_reaches_for_no_network(tmp_path):
    reference = read_volume(dicom_series(tmp_path / "scans", 1, slices=6))
    write_volume_file(reference.with_hu(chest_hu(6, 3), "other"), tmp_path / "other.nrrd")
    done = run(SCRIPTS / "compare.py", "--reference", tmp_path / "scans", "--volume", f"a={tmp_path / 'other.nrrd'}", "--roi",
               "random:3,range=10..250,size=4x8x8,fill=0.3", "--output", tmp_path / "out")  # fmt: skip
    assert done.returncode == 0 and (tmp_path / "out" / "report.html").exists(), done.stderr

#!/usr/bin/env python3
"""Runs the demo, the tests or the benchmarks in a private Python environment, which the first start makes.

    python3 Testing/run.py demo     the shipped pair, standardized and compared, into demo-output/
    python3 Testing/run.py tests    the tests; further arguments go to pytest
    python3 Testing/run.py bench    the benchmarks; further arguments go to Testing/benchmarks/run_benchmarks.py

Everything runs in the root of the repository, and the exit status is that of what ran. This file uses
the standard library alone and needs Python 3.10, 3.11 or 3.12. The environments lie in .ltdiff-env/,
one for each set of requirement files; delete that folder to start anew.
"""
import contextlib
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

TESTING = Path(__file__).resolve().parent
ROOT = TESTING.parent
ENVIRONMENTS = ROOT / ".ltdiff-env"
PINS = TESTING / "requirements.txt"
REQUIREMENTS = {"demo": [PINS], "tests": [PINS, TESTING / "requirements-tests.txt"]}
PYRADIOMICS = "pyradiomics==3.0.1"  # no wheels for these Pythons: built here, and left out where that fails
# dciodvfy, the DICOM validator of dicom3tools, into the programs of the tests, from Debian's signed packages: no root needed.
VALIDATOR = """set -e
mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
cd "$1"
apt() { apt-get -q -o Dir::State::Lists="$1/lists" -o Dir::Cache="$1/cache" -o Debug::NoLocking=1 "$2" $3; }
apt "$1" update
apt "$1" download dicom3tools
dpkg-deb -x dicom3tools*.deb files
cp files/usr/bin/dciodvfy "$2"
rm -rf "$1"
"""
PYTHON = "{}.{}".format(*sys.version_info)

# command -> environment it runs in, arguments of that environment's Python
COMMANDS = {
    "demo": ("demo", [str(TESTING / "demo.py"), "--output", "demo-output"]),
    "tests": ("tests", ["-m", "pytest"]),
    "bench": ("tests", [str(TESTING / "benchmarks" / "run_benchmarks.py")]),
}


class SetUpError(Exception):
    """The environment could not be made; the message says at which step and why."""


def main(arguments):
    if not (3, 10) <= sys.version_info[:2] <= (3, 12):
        return "Python {} cannot run this: start it with Python 3.10, 3.11 or 3.12.".format(PYTHON)
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__.strip())
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    kind, command = COMMANDS[arguments[0]]
    try:
        environment = ready_environment(kind)
    except SetUpError as error:
        return str(error)
    return run([str(python_of(environment)), *command, *arguments[1:]], variables_for(environment))


def ready_environment(kind):
    """The folder of the complete environment of a kind, made first where it is missing or unfinished."""
    environment = ENVIRONMENTS / "{}-{}-{}".format(kind, PYTHON, fingerprint(kind))
    if not is_complete(environment):
        ENVIRONMENTS.mkdir(exist_ok=True)
        with only_one_set_up():
            if not is_complete(environment):  # another start may have made it meanwhile
                make_environment(environment, kind)
    return environment


def fingerprint(kind):
    """Eight digits that change with the requirement files, what is built or fetched besides, and the processor."""
    digest = hashlib.sha256((PYRADIOMICS + (VALIDATOR if kind == "tests" else "") + platform.machine()).encode())
    for requirements in REQUIREMENTS[kind]:
        digest.update(requirements.read_bytes())
    return digest.hexdigest()[:8]


def stamp_of(environment):
    return environment / "complete"


def is_complete(environment):
    return stamp_of(environment).is_file() and python_of(environment).exists()


def programs_of(environment):
    return environment / ("Scripts" if os.name == "nt" else "bin")


def python_of(environment):
    return programs_of(environment) / ("python.exe" if os.name == "nt" else "python")


def make_environment(environment, kind):
    """Fills the folder and stamps it last, so that what an interruption leaves is never taken for complete."""
    print("Setting up {} once, 1 to 10 minutes:".format(environment.relative_to(ROOT)), flush=True)
    log = ENVIRONMENTS / (kind + ".log")
    log.write_bytes(b"")
    shutil.rmtree(environment, ignore_errors=True)
    start = time.monotonic()

    def step(title, command):
        return timed_step(title, [str(part) for part in command], variables_for(environment), log)

    def install(title, *packages):
        pip = [python_of(environment), "-m", "pip", "install", "--no-input", "--no-compile", "--progress-bar=off"]
        return step(title, [*pip, "--no-build-isolation", "--constraint", PINS, *packages])

    requirements = [part for path in REQUIREMENTS[kind] for part in ("--requirement", path)]
    done = (
        step("virtual environment", [sys.executable, "-m", "venv", environment])
        and install("build tools", "pip", "setuptools")
        and install("PyTorch", "torch")
        and install("packages", *requirements)
    )
    if not done:
        last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
        raise SetUpError(
            "{}\nSet-up stopped at the step above; the last lines of {} say why. "
            "Start again once the cause is gone.".format(last_lines, log.relative_to(ROOT))
        )
    why_not = obstacle_to_pyradiomics()
    if not why_not and not install("PyRadiomics, from source", "--no-deps", PYRADIOMICS):
        why_not = "its C extension did not compile, which needs Python's headers too; see " + str(log.relative_to(ROOT))
    if why_not:
        print("  PyRadiomics is left out, and with it what compares to it, because {}.".format(why_not), flush=True)
    if kind == "tests" and not shutil.which("dciodvfy"):
        fetch = ["sh", "-c", VALIDATOR, "sh", environment / "validator", programs_of(environment)]
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and step("DICOM validator", fetch)):
            print("  The validator dciodvfy (Debian's dicom3tools) is left out, and with it the tests that ask it.", flush=True)
    stamp_of(environment).touch()
    for stale in ENVIRONMENTS.glob("{}-{}-*".format(kind, PYTHON)):
        if stale != environment:
            shutil.rmtree(stale, ignore_errors=True)
    print("Set up in {:.0f} s.".format(time.monotonic() - start), flush=True)


def obstacle_to_pyradiomics():
    """Why PyRadiomics 3.0.1 cannot be built here, or "" where nothing speaks against trying."""
    if sys.version_info >= (3, 12):
        return "version 3.0.1 does not build on Python 3.12 and newer"
    if os.name != "nt" and not any(shutil.which(compiler) for compiler in ("cc", "gcc", "clang")):
        return "no C compiler was found"
    return ""


def timed_step(title, command, variables, log):
    """Runs one command with its output in the log, prints one line with its seconds, tells whether it succeeded."""
    print("  {:<26}".format(title), end="", flush=True)
    start = time.monotonic()
    with log.open("ab") as output:
        # close_fds=False lets the child hold the lock of the set-up, should this process be killed before it.
        status = subprocess.call(command, env=variables, stdout=output, stderr=subprocess.STDOUT, close_fds=False)
    print("{:6.1f} s{}".format(time.monotonic() - start, "" if status == 0 else "  failed"), flush=True)
    return status == 0


@contextlib.contextmanager
def only_one_set_up():
    """Waits for a set-up under way in another process; the system frees the lock however that one ends."""
    with (ENVIRONMENTS / "lock").open("a") as lock:
        os.set_inheritable(lock.fileno(), True)
        if not take(lock):
            print("Waiting for another set-up to end ...", flush=True)
            while not take(lock):
                time.sleep(1)
        yield


def take(lock):
    """Takes the lock on an open file if it is free, and tells whether it was."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def variables_for(environment):
    """The environment variables of a child: nothing of the caller's Python, the environment's programs first."""
    foreign = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
    variables = {name: value for name, value in os.environ.items() if name not in foreign}
    if not variables.get("HOME"):
        variables.pop("HOME", None)  # an empty one would make "~" the root of the file system
    variables["PATH"] = os.pathsep.join([str(programs_of(environment)), variables.get("PATH", os.defpath)])
    variables["PYTHONNOUSERSITE"] = "1"
    # Two threads that wait for each other on a busy machine are slower than one.
    variables.setdefault("OMP_NUM_THREADS", "1")
    return variables


def run(command, variables):
    """Runs the command in the repository's root and returns its exit status, 128 + n where signal n ended it."""
    child = subprocess.Popen(command, cwd=str(ROOT), env=variables)
    before = signal.signal(signal.SIGTERM, lambda number, frame: child.terminate())
    try:
        status = None
        while status is None:
            with contextlib.suppress(KeyboardInterrupt):  # the terminal sends it to the child too, which decides
                status = child.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

"""How a script of this extension ends, in the Slicer application and in a plain Python process."""
import sys
import traceback

from .errors import LTDiffError

INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def run_script(main):
    """Calls `main()` and ends the process with its exit status; `sys.argv` is [script, arguments ...] everywhere.

    `main` returns its exit status, None meaning 0. An LTDiffError is printed as its one sentence, any other exception
    with its traceback, and both give 1; SystemExit keeps its status (argparse: 2), KeyboardInterrupt gives 130.

    The Slicer application stays in its event loop when a script returns or raises, so it is told to exit, and then this
    function returns. In PythonSlicer and plain Python it raises SystemExit.
    """
    status = 1
    try:
        status = _status_of(main)
    finally:
        _end_process(status)


def _status_of(main):
    try:
        return main() or 0
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
            return 1
        return stop.code or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except LTDiffError as error:
        print(error, file=sys.stderr)
    except Exception:
        traceback.print_exc()
    return 1


def _end_process(status):
    # Only the application has `slicer.app`, and it has always imported slicer itself.
    slicer = sys.modules.get("slicer")
    if getattr(slicer, "app", None) is None:
        sys.exit(status)
    slicer.util.exit(status)

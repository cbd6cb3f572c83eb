"""Ending cleanly when the user or the system asks for it."""
from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ENDING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # not every system has all of them


class Interruption:
    """Whether the process was asked to end. KeyboardInterrupt is no Exception, so no `except Exception` takes it for a fault."""

    def __init__(self) -> None:
        self.asked = False

    def check(self) -> None:
        """Raises KeyboardInterrupt where the first one was lost, as in a callback from C."""
        if self.asked:
            raise KeyboardInterrupt

    def _handle(self, number, frame) -> None:
        # Later signals do not disturb the cleaning up after the first.
        if not self.asked:
            self.asked = True
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Within the block Ctrl-C, SIGTERM and a closed terminal raise KeyboardInterrupt, once. What was ignored stays ignored (nohup).

    Only a main thread can have signal handlers; elsewhere the block changes nothing.
    """
    interruption, former = Interruption(), {}
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in ENDING_SIGNALS if hasattr(signal, name)):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                former[number] = signal.signal(number, interruption._handle)
    try:
        yield interruption
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)

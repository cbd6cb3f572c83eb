"""Who does which series of a cohort: the one process all of them, or each of several ranks those that it claims.

Ranks claim series while they work, one after the other, instead of having a fixed part each: so the lengths of series, the speeds of
devices and what an earlier run has finished may differ as they like, and a rank that sees another list of files takes no series twice.
A claim needs nothing of the file system but that a folder is renamed at once, and not onto one that holds something. It names its rank.
torch.distributed.run ends all ranks when one dies and starts the group anew or not at all, so nobody takes over the claims of others:
a rank that arrives removes those of its dead predecessor, and what is no rank's claim is done by whoever comes to it.
Where a file system has no locks between machines claims hold all the same, but another run is not kept out.
"""
from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Protocol

from ..volumes.atomic import write_text
from .folder import LOCK, RUN, another_run, entrance, remove, results_folder, tidy, unwritable
from .locks import Locked, lock
from .ranks import Rank

SECONDS_TO_WAIT = 60  # for other ranks, which pass through quickly
CLAIMS, OUTCOME = "series", "outcome.json"


class Share(Protocol):
    """What a process has to do with the series of a cohort, which are told apart by their names."""

    ranks: int

    def claim(self, name: str) -> bool:
        """Whether this process is to do the series; no other one is then."""

    def report(self, name: str, outcome: dict) -> None:
        """What became of a claimed series."""

    def outcomes(self, names: Iterable[str]) -> dict[str, dict]:
        """What became of these series so far, whichever rank did them."""

    def alone(self) -> AbstractContextManager[None]:
        """A block that no other rank is in at the same time. Raises OutputError where one does not leave it."""


@contextmanager
def share_of(folder: Path, rank: Rank | None) -> Iterator[Share]:
    """`results_folder`, in which the ranks of one run may work at the same time."""
    if rank is None:
        with results_folder(folder):
            yield OneProcess()
    else:
        share = OneOfSeveral(folder, rank)
        with share.present():
            yield share


class OneProcess:
    """A process without others."""

    ranks = 1

    def __init__(self) -> None:
        self._outcomes: dict[str, dict] = {}

    def claim(self, name: str) -> bool:
        return True

    def report(self, name: str, outcome: dict) -> None:
        self._outcomes[name] = outcome

    def outcomes(self, names: Iterable[str]) -> dict[str, dict]:
        return {name: self._outcomes[name] for name in names if name in self._outcomes}

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()


class OneOfSeveral:
    """One rank among others.

    A hidden folder of their run holds a lock for each of them, and CLAIMS/name/rank for each claimed series, with OUTCOME beside
    it when it is done. The folder stays for ranks that arrive later than that, until another run begins.
    """

    def __init__(self, folder: Path, rank: Rank) -> None:
        self._folder, self._rank, self.ranks = folder, rank, rank.size
        self._run = folder / f"{RUN}{rank.run}"
        self._claims = self._run / CLAIMS
        self._aside = self._run / f"{rank.number}.claim"
        self._known: dict[str, dict] = {}

    @contextmanager
    def present(self) -> Iterator[None]:
        """Other ranks of the run may work in the folder during the block, but no other run, nor another process as this rank."""
        presence = self._run / f"{self._rank.number}{LOCK}"
        with ExitStack() as held:
            with entrance(self._folder, SECONDS_TO_WAIT):
                tidy(self._folder, self._run, anew=presence.exists())  # it was here before, so that was an earlier attempt
                try:
                    self._claims.mkdir(parents=True, exist_ok=True)
                    held.enter_context(lock(presence))
                    self._drop_claims_of_a_predecessor()
                except Locked:
                    raise another_run(self._folder) from None
                except OSError as error:
                    raise unwritable(self._folder, error) from error
            yield

    def claim(self, name: str) -> bool:
        claim = self._claims / name
        if not claim.exists():
            try:
                (self._aside / str(self._rank.number)).mkdir(parents=True, exist_ok=True)
                os.rename(self._aside, claim)
            except OSError as error:
                if not claim.exists():  # else another rank was quicker
                    raise unwritable(self._folder, error) from error
        return self._is_mine(claim)

    def report(self, name: str, outcome: dict) -> None:
        write_text(self._claims / name / OUTCOME, json.dumps(outcome), overwrite=True)

    def outcomes(self, names: Iterable[str]) -> dict[str, dict]:
        names = list(names)
        for name in names:
            if name not in self._known:
                with suppress(OSError, ValueError):
                    self._known[name] = json.loads((self._claims / name / OUTCOME).read_text(encoding="utf-8"))
        return {name: self._known[name] for name in names if name in self._known}

    def alone(self) -> AbstractContextManager[None]:
        return entrance(self._folder, SECONDS_TO_WAIT)

    def _is_mine(self, claim: Path) -> bool:
        return (claim / str(self._rank.number)).exists()

    def _drop_claims_of_a_predecessor(self) -> None:
        remove(self._aside)
        for claim in filter(self._is_mine, list(self._claims.iterdir())):
            os.rename(claim, self._aside)  # a folder that is being emptied could be taken for a free name
            remove(self._aside)

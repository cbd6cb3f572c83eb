"""Several processes of one run, as torch.distributed.run starts them and says so in their environment; torch is not needed for it."""
from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import InputError

OF_A_RANK = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
OF_A_RUN = ("TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE")


@dataclass(frozen=True)
class Rank:
    """One process of a run.

    run: the same for all ranks of a run and no other run that is at work meanwhile; a later run may have it again.
    number: from 0, below size. local: number among those on this machine, from 0.
    restarted: whether torch.distributed.run has started the ranks again after one of them failed.
    """

    run: str
    number: int
    size: int
    local: int
    restarted: bool = False

    @staticmethod
    def of(environment: Mapping[str, str]) -> Rank | None:
        """The rank that `OF_A_RANK` describe; None for a process that runs alone. Raises InputError where they are no such numbers."""
        if any(name not in environment for name in OF_A_RANK):
            return None
        texts = [environment[name] for name in OF_A_RANK]
        restarts = environment.get("TORCHELASTIC_RESTART_COUNT", "0")
        if not all(text.isdecimal() for text in (*texts, restarts)) or not int(texts[0]) < int(texts[1]):
            said = ", ".join(f"{name}={environment[name]}" for name in OF_A_RANK)
            raise InputError(f"The environment variables {said} describe no rank; let torch.distributed.run set them, or unset them.")
        number, size, local = map(int, texts)
        return Rank(_run(environment), number, size, local, int(restarts) > 0)


def _run(environment: Mapping[str, str]) -> str:
    """The run's id alone is "none" by default, and the address 127.0.0.1 on every machine; no machine has a port twice."""
    told = [environment.get(name, "") for name in OF_A_RUN]
    if environment.get("LOCAL_WORLD_SIZE") == environment["WORLD_SIZE"]:
        told.append(platform.node())
    return hashlib.sha256("\n".join(told).encode("utf-8", "backslashreplace")).hexdigest()[:12]

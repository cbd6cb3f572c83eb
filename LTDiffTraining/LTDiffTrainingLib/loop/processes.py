"""The processes of one training, as torch.distributed.run starts them; a process started by itself is alone."""
from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from inspect import signature
from typing import TypeVar

import torch
from torch import Tensor, nn

from LTDiffStandardizeLib.cohort.ranks import Rank
from LTDiffStandardizeLib.errors import InputError

Item = TypeVar("Item")
PATIENCE = timedelta(hours=6)
"""How long processes wait for each other, where one of them simulates or validates."""
SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class Processes:
    """This process is number `rank` of `world`; `local`: its number on this machine."""

    rank: int = 0
    world: int = 1
    local: int = 0

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> list[Item]:
        """Every `world`-th item, from `rank` on."""
        return list(items[self.rank::self.world])

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            torch.distributed.barrier()

    def mean(self, value: Tensor) -> Tensor:
        """The mean of numbers over the processes; on the device of this process."""
        if self.world > 1:
            value = value.clone()
            torch.distributed.all_reduce(value)
            value /= self.world
        return value

    def distributed(self, module: nn.Module, device: str) -> nn.Module:
        """The module with gradients averaged over the processes."""
        if self.world == 1:
            return module
        made, ids = nn.parallel.DistributedDataParallel, [torch.device(device)] if device.startswith("cuda") else None
        # Buffers are the same everywhere; torch 2.13 gave the option to leave them alone another name.
        option = next(name for name in ("forward_sync_buffers", "broadcast_buffers") if name in signature(made).parameters)
        return made(module, device_ids=ids, **{option: False})


ALONE = Processes()


@contextmanager
def started(device: str) -> Iterator[tuple[Processes, str]]:
    """This process among those of torch.distributed.run, and its device; "cuda" becomes the card of its local number.

    Raises InputError where there is no such card, or the environment does not describe a process.
    """
    rank = Rank.of(os.environ)
    if "TORCHELASTIC_RUN_ID" in os.environ:
        _end_with_launcher()
    if rank is None or rank.size == 1:
        yield ALONE, device
        return
    card = _card(device, rank)
    if card is not None:
        torch.cuda.set_device(card)
    backend = "nccl" if card is not None and torch.distributed.is_nccl_available() else "gloo"
    torch.distributed.init_process_group(backend, store=_store_of_this_start(), rank=rank.number, world_size=rank.size, timeout=PATIENCE,
                                         device_id=card if backend == "nccl" else None)  # fmt: skip
    try:
        yield Processes(rank.number, rank.size, rank.local), device if card is None else str(card)
    finally:
        torch.distributed.destroy_process_group()


def _card(device: str, rank: Rank) -> torch.device | None:
    if not device.startswith("cuda"):
        return None
    if device != "cuda":
        raise InputError(f"The device {device} is one card for {rank.size} processes; choose cuda, which gives each its own.")
    cards = torch.cuda.device_count()
    if rank.local >= cards:
        raise InputError(f"Process {rank.local} of this machine has no graphics card left, there are {cards}; start with --nproc-per-node={cards}.")
    return torch.device("cuda", rank.local)


def _store_of_this_start() -> torch.distributed.Store | None:
    """Where the processes find each other; None for what torch does by itself.

    torch.distributed.run keeps its store when it starts processes again (--max-restarts), and the addresses of the dead in it would be
    believed. Several machines count their starts differently: there its environment needs TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1.
    """
    told = os.environ
    if told.get("TORCHELASTIC_USE_AGENT_STORE") != "True" or told.get("LOCAL_WORLD_SIZE") != told["WORLD_SIZE"]:
        return None
    store = torch.distributed.TCPStore(told["MASTER_ADDR"], int(told["MASTER_PORT"]), is_master=False, timeout=PATIENCE)
    return torch.distributed.PrefixStore(f"start {told.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


def _end_with_launcher() -> None:
    """Let this process and what it started end when torch.distributed.run is killed: it gives each process a session of its own,
    so that nobody else would end them, and they would train on unseen. Windows ends the tree of processes."""
    if os.name == "nt":
        return
    launcher = os.getppid()

    def watch() -> None:
        while os.getppid() == launcher:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

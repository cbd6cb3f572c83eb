"""Standardizing many series: from paths to results in a folder, with progress, resumption and a summary.

Within: request, progress, interruption, causes, manifest <- provenance, ranks, locks <- folder <- sharing, inputs, features <- preparation <- series <- run.
Imports `volumes`, `model`, `guard`, `radiomics` and `errors`; torch, pydicom and SimpleITK when first used.
"""
from .progress import Progress
from .ranks import Rank
from .request import Request
from .run import Outcome, Result, run_request

__all__ = ["Outcome", "Progress", "Rank", "Request", "Result", "run_request"]

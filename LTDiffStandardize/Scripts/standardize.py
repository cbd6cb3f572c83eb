"""Standardizes CT series between reconstruction kernels: one series, a folder of series, or a cohort.

The same under python, PythonSlicer and Slicer --python-script.
"""
import argparse
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from LTDiffStandardizeLib.cohort import Rank, Request, run_request
from LTDiffStandardizeLib.cohort.progress import Console
from LTDiffStandardizeLib.cohort.request import FORMATS
from LTDiffStandardizeLib.cohort.run import BAD_REQUEST, NO_MODEL
from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model.bundle import DEFAULT
from LTDiffStandardizeLib.model.standardizer import METHODS
from LTDiffStandardizeLib.script import run_script
from LTDiffStandardizeLib.volumes.compression import NONE, SYNTAXES
from LTDiffStandardizeLib.worker import run_in_child

DESCRIPTION = """\
Standardizes CT series between reconstruction kernels, so that radiomic features of
scans made with different kernels can be compared. For research use only.

Every series found in the INPUTs becomes a derived DICOM series, or a NRRD or NIfTI
file, in the output folder, with a record of how it was made (NAME-provenance.json).
summary.json there says what became of each, and keeps what earlier runs finished. The
inputs are never changed, and no result in the output folder is overwritten.
"""

EPILOG = """\
methods:
  ltdiff     latent diffusion (needs PyTorch)
  ls_noise   least-squares filter, and noise of the strength and spectrum it cannot
             bring back; far quicker on a CPU, no PyTorch
  ls         least-squares filter alone      power   filter that matches the spectrum
  none       a copy, for comparisons

examples:
  standardize.py scans/patient1 --output results
      every CT series below scans/patient1, towards the target kernel of the protocol
      that fits its own kernel
  standardize.py scans --output results --resume
      goes on after a crash, a cancel or a kill; what is finished stays as it is
  standardize.py ct.nrrd --output results --format nrrd --target "B40f to B70f"
      --samples 8 would also write their spread, NAME-uncertainty.nrrd
  standardize.py scans --output results --reference standard-kernel-scans
      measures the target on scans that were made with it
  standardize.py ct.nrrd --output results --roi tumour.nrrd
      also compares the features of the marked regions, NAME-features.csv
  PythonSlicer -m torch.distributed.run --nproc-per-node=2 \\
      LTDiffStandardize/Scripts/standardize.py scans --output results
      two processes share the series, each with a GPU of its own where there are two;
      with --nnodes and --rdzv-endpoint several machines do that share a file system

exit codes:
  0    at least one series standardized (or found finished), none failed
  1    a series failed, such as one whose result exists already
  2    the model is missing or damaged, or PyTorch or the device cannot be used
  3    a bad request, or no series that can be standardized
  4    the output folder cannot be written, or another run is writing to it
  130  cancelled (Ctrl-C, SIGTERM); finished series stay

A series that is not suitable (such as a localizer) is refused in words and does not
count as a failure. A series whose results were made with other settings is left as it
is and does. Use OMP_NUM_THREADS to limit the processor cores;
torch.distributed.run sets it to 1 unless you do.

Where several processes share the series, the one that finishes last gives the exit
code for all, because torch.distributed.run ends the others for any that fails. Those
that it starts again (--max-restarts) resume; where machines may come and go, give
--resume from the start.
"""


class Parser(argparse.ArgumentParser):
    """argparse ends with status 2, which here says that the model is missing."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(BAD_REQUEST, f"{self.prog}: {message}; --help explains all options.\n")


def parser():
    made = Parser(prog="standardize.py", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    option = made.add_argument
    option("inputs", nargs="+", metavar="INPUT", help="folder with DICOM series (any depth), DICOM file, NRRD or NIfTI file")
    option("--output", required=True, metavar="DIR", help="folder for the results, made where it does not exist")
    option("--model", default=DEFAULT, metavar="NAME|FILE",
           help="shipped model, or a bundle's folder or weights file (default: %(default)s)")  # fmt: skip
    option("--method", default=METHODS[0], choices=METHODS, help="see below (default: %(default)s)")
    option("--target", metavar="PROTOCOL",
           help="target kernel (B70f), whole protocol (\"B40f to B70f\") or protocol file (.json) (default: the library's "
                "protocol for the input's kernel, else the model's own)")  # fmt: skip
    option("--reference", metavar="PATH",
           help="scans made with the target kernel, of any patients, on which the target is measured; instead of --target")  # fmt: skip
    option("--roi", dest="rois", action="append", default=[], metavar="FILE",
           help="label map (NRRD, NIfTI) on the voxels of an input; its regions' features are written; repeatable")  # fmt: skip
    option("--device", default="auto", metavar="auto|cpu|cuda[:N]", help="where ltdiff computes (default: %(default)s)")
    option("--seed", type=int, default=0, metavar="N",
           help="of the noise; the same seed gives the same result (default: %(default)s)")  # fmt: skip
    option("--samples", type=int, default=1, metavar="K",
           help="draws a slice; above 1 their spread is written as uncertainty (default: %(default)s)")  # fmt: skip
    option("--steps", type=int, metavar="N", help="evaluations of the ltdiff network a slice (default: the model's own)")
    option("--format", default=FORMATS[0], choices=FORMATS, help="of the results (default: %(default)s)")
    option("--compression", default=NONE, choices=SYNTAXES, help="lossless, of DICOM results (default: %(default)s)")
    option("--keep-private-tags", dest="private_tags", action="store_true", help="of the source, in DICOM results")
    option("--pseudonyms", metavar="KEYFILE",
           help="give patients and studies new identifiers in DICOM results, the same for the same key, and keep technical elements alone; "
                "the key is made where it does not exist")  # fmt: skip
    option("--resume", action="store_true", help="go on in an output folder that an earlier run has begun")
    return made


def main():
    try:
        request = Request(**vars(parser().parse_intermixed_args()))
        rank = Rank.of(os.environ)
    except InputError as error:
        print(error, file=sys.stderr)
        return BAD_REQUEST
    # The application has no Python that could work undisturbed; only it has `slicer.app`.
    if getattr(sys.modules.get("slicer"), "app", None) is None:
        return run_request(request, Console(prefix=f"rank {rank.number}: " if rank else ""), rank).exit_code
    python = shutil.which("PythonSlicer")
    if python is None:
        print("PythonSlicer was not found beside the Slicer application; install Slicer again.", file=sys.stderr)
        return NO_MODEL
    return run_in_child(request, Console(), python).exit_code


if __name__ == "__main__":
    run_script(main)

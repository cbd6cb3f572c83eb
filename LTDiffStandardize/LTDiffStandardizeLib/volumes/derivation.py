"""How a volume came about: what a derived DICOM series says of itself."""
from __future__ import annotations

from dataclasses import astuple, dataclass

SOFTWARE = "LTDiff"
RESEARCH_USE = "Research use only, not a medical device."
SHORT_STRING, LONG_STRING, SHORT_TEXT = 16, 64, 1024  # characters of the value representations SH, LO, ST (DICOM PS3.5, 6.2)


@dataclass(frozen=True)
class Derivation:
    """The settings that a standardized volume depends on; together with the source they determine its DICOM UIDs.

    method: such as "ltdiff++", "ls" or "power". target: the kernel label aimed at, such as "Bl64-like".
    model_name, weights_sha256 (64 hexadecimal digits): the model bundle; None for closed-form filters.
    seed, steps (evaluations of the denoiser), samples (averaged or one): None where the method has none.
    """

    method: str
    target: str
    software_version: str
    model_name: str | None = None
    weights_sha256: str | None = None
    seed: int | None = None
    steps: int | None = None
    samples: int | None = None

    def sentence(self, source_kernel: str | None = None) -> str:
        """One ASCII sentence and the research notice, at most 1024 characters, for DerivationDescription (0008,2111)."""
        settings = [f"method {self.method}"]
        if self.model_name or self.weights_sha256:
            settings.append(f"model {self.model_name or 'unnamed'} with weights of SHA-256 {self.weights_sha256 or 'unknown'}")
        for value, what in ((self.seed, "seed"), (self.steps, "steps"), (self.samples, "samples")):
            if value is not None:
                settings.append(f"{what} {value}")
        text = (f"CT image standardized from kernel {plain(source_kernel) or 'unknown'} to {self.target} by {SOFTWARE} "
                f"{self.software_version}: {', '.join(settings)}.")  # fmt: skip
        return f"{plain(text)[:SHORT_TEXT - len(RESEARCH_USE) - 1]} {RESEARCH_USE}"

    def series_description(self) -> str:
        """For SeriesDescription (0008,103E), at most 64 characters; the notice comes first so that it is never cut off."""
        return plain(f"Research use only: {SOFTWARE} {self.target} ({self.method})")[:LONG_STRING]

    def kernel_values(self, source_kernel: str | None = None) -> list[str]:
        """For ConvolutionKernel (0018,1210): "LTDiff <target>" and "from <source>", each at most 16 characters.

        The element takes several values; a target too long for its 16 characters becomes a value of its own.
        """
        target = plain(f"{SOFTWARE} {self.target}")
        values = [target] if len(target) <= SHORT_STRING else [SOFTWARE, plain(self.target)[:SHORT_STRING].strip()]
        return values + ([f"from {plain(source_kernel)}"[:SHORT_STRING].strip()] if source_kernel else [])

    def uid(self, *source: str) -> str:
        """A DICOM UID that is the same for the same source and settings, on every machine."""
        return stable_uid(*source, repr(astuple(self)))


def stable_uid(*parts: str) -> str:
    """A DICOM UID that depends on the parts alone."""
    from pydicom.uid import generate_uid

    return str(generate_uid(entropy_srcs=["\n".join((SOFTWARE, *parts))]))


def plain(text: str | None) -> str:
    """ASCII, without the backslash that separates DICOM values, and without control characters."""
    text = (text or "").replace("\\", " ").encode("ascii", "replace").decode()
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())

"""UNet++ alone, as the paper's tables have it ("trained solely using the UNet++"): supervised, from source to target.

Zhou et al. 2018 (nested dense skip pathways, deep supervision). An autoencoder would return its input, so the reading is
A -> B. Where the source is silent: the heads predict B - A; the loss is L1, every head with the same weight; the deepest
head is the result, as in LTDiff++.
"""
from __future__ import annotations

from torch import Tensor, nn

from LTDiffStandardizeLib.model.network_shape import NetworkShape

from ..patches import Batch
from ..phases import Losses, Phase
from .intensity import UNIT_HU, normalised
from .nested import NestedDecoder, NestedEncoder, doubling
from .slices import White, standardize_slices
from .system import System


class UNetPlusPlus(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        widths = doubling(shape.moments[0] // 2)
        self.encoder, self.decoder = NestedEncoder(widths), NestedDecoder(widths)

    def heads(self, image: Tensor) -> list[Tensor]:
        """Standardized images, shallowest head first."""
        return [image + difference for difference in self.decoder(self.encoder(image))]

    def forward(self, image: Tensor, white: White) -> Tensor:
        return self.heads(image)[-1]


def supervised(model: UNetPlusPlus, batch: Batch) -> Losses:
    """Mean of the heads' L1."""
    source, target = normalised(batch.map("source")), normalised(batch.map("target_hu"))
    errors = [(head - target).abs().mean() for head in model.heads(source)]
    return {"loss": sum(errors) / len(errors), "l1_hu": UNIT_HU * errors[-1].detach()}


UNETPLUSPLUS = System("unetplusplus", "UNet++", UNetPlusPlus, {"supervised": Phase.of("encoder", "decoder", loss=supervised)},
                      standardize_slices, {"supervised": 1.0})

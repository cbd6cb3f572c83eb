"""UNet++ as Zhou et al. 2018 print it, with the encoder's own features as skips, on the 4x space-to-depth grid."""
from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model.codec import Node, zero_conv

from .slices import SIDE_MULTIPLE

LEVELS = 4


def doubling(first: int) -> tuple[int, ...]:
    """Widths that double from level to level, as in the paper (32, 64, 128, 256)."""
    return tuple(first * 2**level for level in range(LEVELS))


class NestedEncoder(nn.Module):
    """X(i,0): features per level of an image (n, 1, H, W), on grids of 1/4, 1/8, ... of it.

    Raises InputError where a side is no multiple of SIDE_MULTIPLE.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.nodes = nn.ModuleList(Node(i, w) for i, w in zip((16,) + widths[:-1], widths))
        self.apply(_he)

    def forward(self, image: Tensor) -> list[Tensor]:
        if any(side % SIDE_MULTIPLE for side in image.shape[2:]):
            raise InputError(f"UNet++ cannot take patches of {image.shape[2]} x {image.shape[3]} pixels, which it halves five times; "
                             f"set patch to a multiple of {SIDE_MULTIPLE}.")
        features = [self.nodes[0](F.pixel_unshuffle(image, 4))]
        for node in self.nodes[1:]:
            features.append(node(F.max_pool2d(features[-1], 2)))
        return features


class NestedDecoder(nn.Module):
    """X(i,j) = H[X(i,0..j-1), U(X(i+1,j-1))] from the encoder's features; one image (n, 1, H, W) per head X(0,j), shallowest first.

    The images start at zero.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.depth = len(widths) - 1
        self.nodes = nn.ModuleDict({f"{i}_{j}": Node(j * widths[i] + widths[i + 1], widths[i])
                                    for j in range(1, self.depth + 1) for i in range(self.depth + 1 - j)})
        self.apply(_he)
        self.heads = nn.ModuleList(zero_conv(widths[0], 16, 3) for _ in range(self.depth))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        nodes, images = {(i, 0): x for i, x in enumerate(features)}, []
        for j in range(1, self.depth + 1):
            for i in range(self.depth + 1 - j):
                up = F.interpolate(nodes[i + 1, j - 1], scale_factor=2.0, mode="nearest")
                nodes[i, j] = self.nodes[f"{i}_{j}"](*(nodes[i, k] for k in range(j)), up)
            images.append(F.pixel_shuffle(self.heads[j - 1](nodes[0, j]), 4).float())
        return images


def _he(module: nn.Module) -> None:
    """He et al. 2015, as the paper's own code starts."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)

"""The denoiser and its sampler against UNet2DModel and DPM-Solver++ of the package diffusers.

Both work on a 512 x 512 slice and see the same numbers: 262,144 of latent and 671,744 of condition. Ours lie on three
grids (15, 3 and 4 channels at 128, 64 and 32 pixels), the peer's on one (16 and 41 channels at 128 pixels). The peer has
our three levels, no attention and about our parameters. Weights are of no importance for the time, so its are random.
"""
from __future__ import annotations

from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffStandardizeLib.model.codec import LATENT_CHANNELS
from LTDiffStandardizeLib.model.conditioning import PROTOCOL_FEATURES
from LTDiffStandardizeLib.model.diffusion import sample_angle_euler, start_angles
from LTDiffStandardizeLib.model.network import CONDITION_CHANNELS, Condition, LatentDiffusionModel, parameter_count
from measuring import Row, compared, counted, interleaved, needed, torch_on_one_thread
from sample import one_slice
from standardizing import standardization, uncropped

GRID, LATENT, CONDITION = 128, 16, 41
USUAL_STEPS = 15
PEER = "UNet2DModel"


def run(quick: bool) -> list[Row]:
    torch_on_one_thread()
    needed("diffusers")
    bundle = load_bundle()
    ours, peer = Ours(bundle.network(), bundle.steps), Peer(parameter_count(bundle.network().denoiser))
    usual, same = f"{USUAL_STEPS} steps", f"{bundle.steps} steps"
    seconds = interleaved({
        "evaluation": ours.evaluate,
        "peer's evaluation": peer.evaluate,
        "sampling": ours.sample,
        usual: lambda: peer.sample(USUAL_STEPS),
        same: lambda: peer.sample(bundle.steps),
        "slice": standardization("ltdiff", uncropped(one_slice()), bundle),
    }, 2 if quick else 9)  # fmt: skip
    return [
        counted(f"denoiser / {PEER}: parameters", parameter_count(ours.model.denoiser) / 1e6, parameter_count(peer.unet) / 1e6, "million"),
        counted(f"denoiser / {PEER}: operations of one evaluation", gigaflops(ours.evaluate), gigaflops(peer.evaluate), "GFLOP"),
        compared(f"denoiser / {PEER}: one evaluation", seconds["evaluation"], seconds["peer's evaluation"]),
        compared(f"sampling loop, {same} / DPM-Solver++, {same}", seconds["sampling"], seconds[same]),
        compared(f"sampling loop, {same} / DPM-Solver++, {usual}", seconds["sampling"], seconds[usual], note="our default / the peer's usual number"),
        compared(f"whole slice / DPM-Solver++ loop alone, {usual}", seconds["slice"], seconds[usual], note="ours not cropped, with encoder, moments, decoder, filters"),
    ]  # fmt: skip


class Ours:
    """The shipped network on random latents of a 512 x 512 slice."""

    def __init__(self, model: LatentDiffusionModel, steps: int) -> None:
        import torch

        grids = [(GRID >> level, GRID >> level) for level in range(len(LATENT_CHANNELS))]
        self.latents = [torch.randn(1, channels, *grid) for channels, grid in zip(LATENT_CHANNELS, grids)]
        seen = [torch.randn(1, channels, *grid) for channels, grid in zip(CONDITION_CHANNELS, grids)]
        self.condition = Condition(seen, torch.zeros(1, PROTOCOL_FEATURES), [torch.zeros_like(z) for z in self.latents])
        self.model, self.angle, self.angles = model, torch.ones(1), start_angles(steps)

    def evaluate(self):
        return self._velocity(self.latents, self.angle)

    def sample(self):
        return sample_angle_euler(self._velocity, self.latents, self.angles)

    def _velocity(self, latents, angle):
        import torch

        with torch.inference_mode():
            return self.model.velocity(latents, angle, self.condition)


class Peer:
    """A UNet2DModel of about `parameters` parameters, with the condition as further input channels."""

    def __init__(self, parameters: int) -> None:
        import torch
        from diffusers import DPMSolverMultistepScheduler

        self.unet = closest_unet(parameters).eval().to(memory_format=torch.channels_last)
        self.scheduler = DPMSolverMultistepScheduler(algorithm_type="dpmsolver++", beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")
        self.latent, self.condition = torch.randn(1, LATENT, GRID, GRID), torch.randn(1, CONDITION, GRID, GRID)

    def evaluate(self):
        return self._velocity(self.latent, 500)

    def sample(self, steps: int):
        latent = self.latent
        self.scheduler.set_timesteps(steps)
        for time in self.scheduler.timesteps:
            latent = self.scheduler.step(self._velocity(latent, time), time, latent).prev_sample
        return latent

    def _velocity(self, latent, time):
        import torch

        with torch.inference_mode():
            return self.unet(torch.cat([latent, self.condition], 1), time).sample


def closest_unet(parameters: int):
    """The UNet2DModel nearest to that many parameters, with widths of about 2 : 3 : 4 as ours have."""
    import torch

    def difference(widths):
        with torch.device("meta"):  # the parameters are counted, not made
            return abs(parameter_count(unet(widths)) - parameters)

    widths = [(a, b, c) for a in range(16, 132, 4) for b in (a * 3 // 8 * 4, a * 3 // 8 * 4 + 4) for c in (2 * a, 2 * a + 4)]
    return unet(min(widths, key=difference))


def unet(widths: tuple[int, ...]):
    from diffusers import UNet2DModel

    return UNet2DModel(
        sample_size=GRID, in_channels=LATENT + CONDITION, out_channels=LATENT, layers_per_block=1, block_out_channels=widths,
        norm_num_groups=4, add_attention=False, down_block_types=("DownBlock2D",) * 3, up_block_types=("UpBlock2D",) * 3,
    )  # fmt: skip


def gigaflops(evaluate) -> float:
    """Two for every multiply-accumulate, as PyTorch counts."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        evaluate()
    return counter.get_total_flops() / 1e9

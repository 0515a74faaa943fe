"""Our networks in diffusers' pipelines, and theirs under our samplers: the same numbers."""

from typing import Any

import pytest
import torch
from torch import Tensor

from diffstn.adapters.diffusers import ForPipeline, denoiser_of, scheduler_arguments
from diffstn.diffusion import Denoiser, Gaussian
from diffstn.diffusion.samplers import DDIM, Ancestral
from diffstn.diffusion.schedules import Cosine, Linear
from diffstn.networks.denoisers.unet import UNet

diffusers = pytest.importorskip("diffusers")


def our_denoiser(prediction: str = "v", classes: int = 0) -> Denoiser:
    torch.manual_seed(0)
    unet = UNet(
        1, (16, 16), classes, width=8, multipliers=(1, 2), blocks=1, head_features=8,
        groups=4, zero_init=False,
    )  # fmt: skip
    return Denoiser(unet.eval(), Gaussian(Linear()), prediction)


@pytest.mark.parametrize("prediction", ["eps", "x0", "v"])
def test_their_scheduler_takes_our_steps(prediction: str):
    denoiser = our_denoiser(prediction)
    unet = ForPipeline(denoiser, 1, (16, 16))
    scheduler = diffusers.DDIMScheduler(
        **scheduler_arguments(denoiser),
        clip_sample=False,
        set_alpha_to_one=True,
        timestep_spacing="trailing",
    )
    scheduler.set_timesteps(10)
    x = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        ours = DDIM(steps=10, eta=0.0)(denoiser, x)
        for t in scheduler.timesteps:
            x = scheduler.step(unet(x, t).sample, t, x).prev_sample
    assert float(ours.std()) > 0.1
    assert torch.allclose(ours, x, atol=2e-3 * float(ours.abs().max()))


def test_their_pipeline_draws_with_our_network():
    denoiser = our_denoiser()
    pipeline = diffusers.DDPMPipeline(
        unet=ForPipeline(denoiser, 1, (16, 16)),
        scheduler=diffusers.DDPMScheduler(**scheduler_arguments(denoiser), clip_sample=False),
    )
    pipeline.set_progress_bar_config(disable=True)
    drawn = pipeline(2, torch.Generator().manual_seed(0), 5, output_type="pt").images
    assert drawn.shape == (2, 1, 16, 16)
    again = pipeline(2, torch.Generator().manual_seed(0), 5, output_type="pt").images
    assert torch.equal(drawn, again)


def test_labels_are_heard():
    unet = ForPipeline(our_denoiser(classes=3), 1, (16, 16))
    x = torch.randn(2, 1, 16, 16)
    answers = [unet(x, 10, class_labels=torch.tensor([c, c])).sample for c in (0, 1)]
    assert not torch.allclose(*answers)


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_our_sampler_takes_their_steps(kind: str):
    torch.manual_seed(0)
    unet = diffusers.UNet2DModel(
        16, 1, 1, block_out_channels=(8, 16), norm_num_groups=4, layers_per_block=1,
        down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2,
    ).eval()  # fmt: skip
    scheduler: Any = diffusers.DDIMScheduler(
        prediction_type=kind, clip_sample=False, timestep_spacing="trailing"
    )
    scheduler.set_timesteps(8)
    start = torch.randn(2, 1, 16, 16)
    with torch.inference_mode():
        ours: Tensor = DDIM(steps=8, eta=0.0)(denoiser_of(unet, scheduler), start)
        theirs = start
        for t in scheduler.timesteps:
            theirs = scheduler.step(unet(theirs, t).sample, t, theirs).prev_sample
    assert torch.allclose(ours, theirs, atol=2e-3 * float(ours.abs().max()))


def test_noise_is_the_same_on_both_sides():
    denoiser = our_denoiser()
    scheduler = diffusers.DDPMScheduler(**scheduler_arguments(denoiser))
    t = torch.arange(1, 1001)
    assert torch.allclose(scheduler.alphas_cumprod, denoiser.schedule.alpha_bar(t), rtol=1e-4)
    again = denoiser_of(denoiser.network, scheduler).schedule
    assert torch.allclose(again.log_alpha_bar, denoiser.schedule.log_alpha_bar, rtol=1e-4)


def test_what_they_do_not_know_is_refused():
    scheduler = diffusers.DDPMScheduler()
    scheduler.register_to_config(prediction_type="flow")
    with pytest.raises(ValueError, match="prediction_type=flow is none of epsilon"):
        denoiser_of(torch.nn.Identity(), scheduler)
    odd = Denoiser(torch.nn.Identity(), Gaussian(Cosine()))
    odd.prediction = object()  # type: ignore[assignment]
    with pytest.raises(ValueError, match="no prediction like object"):
        scheduler_arguments(odd)


def test_an_ancestral_walk_has_their_mean_and_spread():
    """Of 400 walks each, by our ancestral sampler and by theirs, over the same network."""
    denoiser = our_denoiser("x0")
    scheduler = diffusers.DDPMScheduler(
        **scheduler_arguments(denoiser), clip_sample=False, timestep_spacing="trailing"
    )
    scheduler.set_timesteps(10)
    torch.manual_seed(0)
    x = torch.randn(400, 1, 16, 16)
    with torch.inference_mode():
        ours = Ancestral(steps=10)(denoiser, torch.randn(400, 1, 16, 16))
        for t in scheduler.timesteps:
            x = scheduler.step(denoiser.network(x, t.expand(400) + 1), t, x).prev_sample
    assert float((ours.mean(0) - x.mean(0)).abs().mean()) < 0.3 * float(x.std(0).mean())
    assert float(ours.std(0).mean()) == pytest.approx(float(x.std(0).mean()), rel=0.1)

"""A DDPM of points in 40 lines of our pieces: python examples/smallest.py (half a minute)."""

import torch

from diffstn.data.modules.shapes import shape
from diffstn.diffusion import Denoiser, Gaussian, SimpleLoss, gaussian_noise, stratified_timesteps
from diffstn.diffusion.samplers import DDIM
from diffstn.diffusion.schedules import Cosine
from diffstn.figures.cloud_images import cloud_images
from diffstn.figures.panels import panel_page
from diffstn.metrics.clouds import chamfer
from diffstn.networks.denoisers.points import PointDenoiser

STEPS, BATCH = 2500, 512
torch.manual_seed(0)
torch.set_num_threads(1)  # the network is small: more threads only wait for one another
data = shape("dinohead")
network = PointDenoiser(dim=2, width=64, blocks=2, octaves=5)
denoiser = Denoiser(network, Gaussian(Cosine()), prediction="v")
loss = SimpleLoss()
optimizer = torch.optim.Adam(denoiser.parameters(), lr=3e-3)
decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
for step in range(1, STEPS + 1):
    x_0 = data.draw(BATCH)  # (B, 2)
    t = stratified_timesteps((BATCH,), 1000, power=2.5)  # in order: the points are random anyway
    mean_loss = loss(denoiser, x_0, t, gaussian_noise(x_0)).mean()
    optimizer.zero_grad()
    mean_loss.backward()
    optimizer.step()
    decay.step()
    if step % 500 == 0:
        print(f"step {step}  loss {mean_loss.item():.4f}")

with torch.no_grad():
    sampled = DDIM(steps=50, spacing="cubic", eta=1.0)(denoiser, torch.randn(2000, 2))
real, fresh = data.draw(2000), data.draw(2000)
found, floor = (chamfer(x[None], real[None], squared=False).item() for x in (sampled, fresh))
print(f"Chamfer distance {found:.4f}, of fresh points {floor:.4f}")
page = cloud_images(torch.stack([real, sampled]), side=320)
print("wrote", panel_page(page, "smallest.png", ["real", "sampled"]))

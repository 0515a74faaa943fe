"""A ControlNet beside the same model from scratch, at equal minutes of training.

    python benchmarks/control.py [WORDS] [--minutes 1,2,5,10] [--images 500] [--seed 1]

WORDS choose the ControlNet as in training, by default its edges:

    python benchmarks/control.py experiment=control/distorted --minutes 5,10,20,40

Both hear the same control of the same batches and train at the same constant learning rate, after a
warm-up of 100 steps. From scratch it is a UNet of the base's shape that sees the control beside x_t
and learns all of its weights. Minutes are those of training alone; the two take turns, so that
whatever else runs on the machine slows both. At each mark the averaged weights sample one image for
each of the first test images, without being told the class; the judge reads them.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from rows import Rows
from torch import Tensor, nn

from diffstn.build import Built, build, fitted, instantiated
from diffstn.cli.conf import training_config
from diffstn.hardware import choose_hardware
from diffstn.models.optimised import grouped
from diffstn.networks.denoisers.unet import UNet
from diffstn.store.run_folder import open_run
from diffstn.tasks.batches import batch_noise

WARM_UP = 100
DECAY = 0.998


class Beside(nn.Module):
    """A UNet that sees the control beside x_t, called as `Controlled` is."""

    def __init__(self, unet: UNet) -> None:
        super().__init__()
        self.unet, self.channels = unet, unet.channels

    def forward(
        self,
        x_t: Tensor,
        t: Tensor,
        label: Tensor | None = None,
        control: Tensor | None = None,
        embedding: Tensor | None = None,
    ) -> Tensor:
        return self.unet(x_t, t, label, embedding, control)


def from_scratch(model: Any) -> nn.Module:
    """A network of the shape of a ControlNet's base that is shown what the ControlNet is."""
    factory = instantiated(open_run(model.base).read_config()["network"], "network")
    facts, seen = model.facts, model.denoiser.network.control_channels
    unet = fitted(
        factory,
        channels=facts.channels,
        size=facts.size,
        classes=model.classes if model.conditional else 0,
        outputs=model.denoiser.variance.outputs,
        steps=model.denoiser.schedule.steps,
        embedding=0 if model.encoder is None else model.encoder.features,
        image_channels=seen,
    )
    return Beside(unet).to(memory_format=torch.channels_last)


class Contender:
    """A model in training, with its clock and the average of its weights."""

    def __init__(self, name: str, built: Built, hardware: Any, seed: int) -> None:
        self.name, self.model, self.hardware, self.seed = name, built.model, hardware, seed
        model: Any = built.model.to(hardware.device)
        self.trained = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = model.optimizer_factory(grouped(self.trained))
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.average = [p.detach().clone() for p in self.trained]
        self.data, self.batches = built.data, self.shuffled(built.data)
        self.steps, self.seconds = 0, 0.0
        model.log_dict = lambda *_, **__: None

    def shuffled(self, data: Any) -> Iterator[Any]:
        loader, epoch = data.train_dataloader(), 0
        while True:
            loader.set_epoch(epoch)
            for rows in loader:
                yield data.batch("train", rows, self.hardware.device)
            epoch += 1

    def train(self, minutes: float) -> None:
        """Until so many minutes of training are over."""
        model: Any = self.model.train()
        torch.manual_seed(self.seed + self.steps)
        while self.seconds < 60 * minutes:
            start = time.perf_counter()
            self.steps += 1
            for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
                group["lr"] = rate * min(1, self.steps / WARM_UP)
            with self.hardware.autocast():
                loss = model.training_step(next(self.batches), 0)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            decay = min(DECAY, (1 + self.steps) / (10 + self.steps))
            with torch.no_grad():
                torch._foreach_lerp_(self.average, self.trained, 1 - decay)
            self.seconds += time.perf_counter() - start

    @torch.inference_mode()
    def measured(self, images: int, batch_size: int = 250) -> dict[str, float]:
        """The judge's accuracy on samples by the averaged weights, and what the control tells."""
        model: Any = self.model.eval()
        raw = [p.clone() for p in self.trained]
        for p, mean in zip(self.trained, self.average, strict=True):
            p.copy_(mean)
        found: dict[str, list[Tensor]] = {}
        for rows in torch.arange(min(images, self.data.count("test"))).split(batch_size):
            batch = self.data.batch("test", rows, self.hardware.device)
            variant = rows % model.control.variants
            with self.hardware.autocast():
                made = model(
                    batch.image, 1, generator=batch_noise(0, int(rows[0])), variant=variant
                )
            control = model.control(batch.image, self.data.facts.size, variant)
            right = made.probabilities[:, 0].argmax(-1) == batch.label
            kept = model.control.fidelity(made.images[:, 0], control)
            for name, value in {"accuracy %": 100 * right.float(), **kept}.items():
                found.setdefault(name, []).append(value.cpu())
        for p, old in zip(self.trained, raw, strict=True):
            p.copy_(old)
        return {name: float(torch.cat(values).mean()) for name, values in found.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", default=["model=controlnet"])
    parser.add_argument("--minutes", default="1,2,5,10")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    hardware = choose_hardware()
    config = training_config(options.words)
    contenders = []
    for name in ("ControlNet", "from scratch"):
        torch.manual_seed(options.seed)
        built = build(config)
        built.data.setup()
        if name == "from scratch":
            built.model.denoiser.network = from_scratch(built.model)  # type: ignore[union-attr]
        contenders.append(Contender(name, built, hardware, options.seed))
    print(f"{' '.join(options.words)}; {hardware.reason}; {options.images} images\n", flush=True)
    kept = list(contenders[0].measured(1))[1:]
    header = ["model", "M trained", "minutes", "steps", "accuracy %", *kept]
    rows = Rows(header, [len("from scratch")])
    for minutes in map(float, options.minutes.split(",")):
        for one in contenders:
            one.train(minutes)
            numbers = one.measured(options.images)
            millions = sum(p.numel() for p in one.trained) / 1e6
            cells = (f"{numbers[name]:.2f}" for name in ("accuracy %", *kept))
            rows.add(one.name, f"{millions:.2f}", f"{minutes:g}", one.steps, *cells)


if __name__ == "__main__":
    main()

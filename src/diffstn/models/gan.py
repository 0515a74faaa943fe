"""A generator and a discriminator that learn from each other."""

import math
from typing import Annotated, Any, cast

import torch
from torch import Generator, Tensor
from torch.func import functional_call

from diffstn.adversarial import LOSSES, NUMBERS, Adaptive, augment, unrolled
from diffstn.annotations import AtLeast, Count, NotNegative, Share
from diffstn.build import Factory, fitted
from diffstn.codecs.codec import Codec
from diffstn.data.facts import Facts
from diffstn.diffusion.named import named
from diffstn.errors import UserError
from diffstn.metrics.sliced import sliced_wasserstein
from diffstn.models.asked import asked_labels
from diffstn.models.fit_to_data import fit_codec
from diffstn.models.noise import noise_for, uniform_for
from diffstn.models.optimised import OptimisedModule, grouped

OPTIMISERS = 2


class GAN(OptimisedModule):
    r"""G makes items of noise, D tells them from real ones, and each is taught by the other.

    The items of a batch (B, *) may be points or images; the networks say which they read. A batch
    of training is shared out among the steps of D; then G takes one step on as many items as D saw
    in one of its own. So Lightning counts two steps a batch, one of each optimiser, whatever
    `discriminator_steps` is. All random numbers belong to items, see `models.noise`.

    Neither loss says how good the samples are. Validation measures the sliced Wasserstein distance
    between a batch of samples and one of validation items, `val/distance`, and the best checkpoint
    is that of the smallest.

    Args:
        facts: of the data.
        generator: makes the network noise → styles → items, see `StyleGAN`.
        discriminator: makes the network of items, and labels if conditional, → scores (B,).
        codec: items ↔ what the networks see.
        loss: `non_saturating`, `hinge` or `wgan_gp`, see `LOSSES`.
        penalty_weight: of the penalty on D's slope; None: the loss's own, 0: none.
        penalty_interval: steps of D from one penalty to the next; None: the loss's own.
        discriminator_steps: of D for one of G.
        discriminator_lr: None: G's.
        unrolled_steps: of D that G foresees, see `unrolled`, without penalty and augmentation. G
            then maximises D's loss of generated and real items as D will be, whatever `loss` says
            of G, and its gradient is exact to all orders. D itself takes its one step.
        augment_p: probability of each change of images that D sees, see `augment`.
        augment_target: of the sign of overfitting, by which p then changes; None: p is fixed.
        augment_thousands: of real images in which p may go from 0 to 1.
        conditional: whether both networks hear the label.
        truncation: ψ of samples: 1 is none, 0 the mean style.
        optimisation: see `OptimisedModule`; both networks have the optimiser and its schedule.

    Raises:
        ValueError: a number is out of range, a name is unknown, or points are to be augmented.

    Source: Goodfellow et al., 2014; Karras et al., 2020 (StyleGAN2 and ADA).
    """

    monitor = ("val/distance", "min")

    def __init__(
        self,
        facts: Facts,
        generator: Factory,
        discriminator: Factory,
        codec: Codec,
        loss: str = "non_saturating",
        penalty_weight: NotNegative | None = None,
        penalty_interval: Count | None = None,
        discriminator_steps: Count = 1,
        discriminator_lr: float | None = None,
        unrolled_steps: Annotated[int, AtLeast(0)] = 0,
        augment_p: Share = 0.0,
        augment_target: float | None = None,
        augment_thousands: float = 500.0,
        conditional: bool = False,
        truncation: NotNegative = 1.0,
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        self.automatic_optimization = False
        if discriminator_lr is not None and discriminator_lr <= 0:
            raise ValueError(f"discriminator_lr must be positive, not {discriminator_lr}")
        if conditional and len(facts.classes) < 2:
            raise ValueError(
                "model.conditional=true tells classes apart, and the data have one:"
                " model.conditional=false"
            )
        self.facts, self.codec, self.conditional = facts, codec, conditional
        seen = codec.facts(facts)
        known = {"channels": seen.channels, "size": seen.size, "dim": seen.dim}
        told: dict[str, Any] = {name: value for name, value in known.items() if value is not None}
        told |= {"classes": len(facts.classes) if conditional else 0, "bound": codec.clip}
        self.generator = fitted(generator, **told)
        self.discriminator = fitted(discriminator, **told)
        self.loss = named("loss", loss, LOSSES)()
        own = self.loss
        self.penalty_weight = own.weight if penalty_weight is None else penalty_weight
        self.penalty_interval = penalty_interval or own.interval
        self.discriminator_steps, self.discriminator_lr = discriminator_steps, discriminator_lr
        self.unrolled_steps = unrolled_steps
        self.augmentation = Adaptive(augment_p, augment_target, augment_thousands)
        if self.augmentation.used and seen.channels is None:
            raise ValueError(
                "augmentation is for images: model.augment_p=0.0 and no augment_target"
            )
        self.truncation = truncation

    # how it is trained

    def setup(self, stage: str) -> None:
        """Fit the codec, and tell DDP that a step uses one of the two networks."""
        super().setup(stage)
        if stage == "fit":
            fit_codec(self.codec, self.trainer.datamodule)  # type: ignore[attr-defined]
            told = getattr(self.trainer.strategy, "_ddp_kwargs", {})
            told["find_unused_parameters"] = True

    def check_optimisation(self, data: Any = None) -> None:
        super().check_optimisation(data)
        batch_size = getattr(data, "batch_size", self.discriminator_steps)
        if batch_size < self.discriminator_steps:
            raise UserError(
                f"data.batch_size={batch_size} is shared out among"
                f" model.discriminator_steps={self.discriminator_steps}: make it larger"
            )
        made = self.optimizer_factory(grouped([torch.nn.Parameter(torch.zeros(2, 2))]))
        decays = any(
            group.get("weight_decay") or group.get("amsgrad") for group in made.param_groups
        )
        if self.unrolled_steps and (type(made) is not torch.optim.Adam or decays):
            raise UserError(
                f"model.unrolled_steps={self.unrolled_steps} foresees steps of plain Adam:"
                " optimizer=adam_no_momentum or optimizer=adam, without weight_decay and amsgrad"
            )

    def on_fit_start(self) -> None:
        if getattr(self.trainer.precision_plugin, "scaler", None) is not None:
            raise UserError(
                "trainer.precision=fp16: penalties of a GAN leave its range; use bf16 or fp32"
            )
        if self.discriminator._compiled_call_impl and (self.penalty_weight or self.unrolled_steps):
            raise UserError(
                "compile=true: the slope of a compiled discriminator has no gradient, which"
                " penalties and unrolled steps ask for; compile=false"
            )

    def configure_optimizers(self) -> Any:
        total = int(self.trainer.estimated_stepping_batches)
        if 0 < self.trainer.max_steps <= total:
            total = -(-total // OPTIMISERS)  # steps are counted of both
        configured = []
        rates = {self.generator: None, self.discriminator: self.discriminator_lr}
        for network, lr in rates.items():
            groups = grouped(p for p in network.parameters() if p.requires_grad)
            own = {} if lr is None else {"lr": lr}
            optimizer = self.optimizer_factory([{**group, **own} for group in groups])
            scheduler = self.lr_scheduler_factory(optimizer, total)
            configured.append({"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler}})
        return configured

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        """One step of G after those of D; returns the sum of both losses, for whoever watches."""
        x, label = self.codec.encode(batch.items), batch.label
        count, batches = self.discriminator_steps, self.global_step // OPTIMISERS
        of_generator, of_discriminator = cast(Any, self.optimizers())
        parts = list(zip(x.tensor_split(count), label.tensor_split(count), strict=True))
        for i, (some, theirs) in enumerate(parts):
            step = batches * count + i
            of_discriminator.zero_grad()
            told, critic = self.discriminator_loss(some, theirs, step)
            self.manual_backward(critic)
            # the last step alone is counted
            (of_discriminator if i == count - 1 else of_discriminator.optimizer).step()
            torch.clear_autocast_cache()  # which holds what the weights were
        of_generator.zero_grad()
        self.discriminator.requires_grad_(False)
        loss = self.generator_loss(*parts[-1], of_discriminator)
        self.manual_backward(loss)
        of_generator.step()
        self.discriminator.requires_grad_(True)
        torch.clear_autocast_cache()
        for scheduler in cast(Any, self.lr_schedulers()):
            scheduler.step()
        told |= {"loss_generator": loss.detach(), "loss_discriminator": critic.detach()}
        if self.augmentation.used:
            told["augment_p"] = self.augmentation.p.clone()
        self.log_dict(
            {f"train/{name}": value for name, value in told.items()}, on_step=False, on_epoch=True
        )
        return told["loss_generator"] + told["loss_discriminator"]

    def discriminator_loss(
        self, x: Tensor, label: Tensor, step: int
    ) -> tuple[dict[str, Tensor], Tensor]:
        """What to log, and the loss of D on real items x (B, *) and as many samples.

        Args:
            step: how many D has taken, which says whether a penalty is due.
        """
        with torch.no_grad():
            fake = self.items(self.noise_like(x), label)
        torch.clear_autocast_cache()  # of weights without gradients
        real, fake = self.shown(x), self.shown(fake)

        def critic(items: Tensor) -> Tensor:
            return self.scores(items, label)

        of_real, of_fake = critic(real), critic(fake)
        loss = self.loss.discriminator(of_real, of_fake)
        if self.penalty_weight and step % self.penalty_interval == 0:
            between = uniform_for(x)[:, 0]
            weight = self.penalty_weight * self.penalty_interval
            loss = loss + self.loss.penalty(critic, real, fake, weight, between)
        sign = of_real.detach().float().sign().mean()
        if self.augmentation.target is not None:
            sign = self.trainer.strategy.reduce(sign, reduce_op="mean")
            self.augmentation.observe(sign, len(x) * self.trainer.world_size, step)
        told = {"score_real": of_real, "score_fake": of_fake}
        means = {name: scores.detach().float().mean() for name, scores in told.items()}
        return {"sign_real": sign, **means}, loss

    def generator_loss(self, x: Tensor, label: Tensor, of_discriminator: Any) -> Tensor:
        """The loss of G on as many samples as there are real items x (B, *)."""
        noise = self.noise_like(x)
        told = label if self.conditional else None
        w = self.generator.styles(noise, told)
        self.generator.observe(w.detach(), told)
        fake = self.generator.synthesis(w, noise)
        if not self.unrolled_steps:
            return self.loss.generator(self.scores(self.shown(fake), label))
        ahead = self.foreseen(x, fake, label, of_discriminator.optimizer)
        return -self.loss.discriminator(
            self.scores(x, label, ahead), self.scores(fake, label, ahead)
        )

    def foreseen(self, x: Tensor, fake: Tensor, label: Tensor, optimizer: Any) -> dict[str, Tensor]:
        """D's weights some steps ahead, on these real and generated items."""
        own = dict(self.discriminator.named_parameters())
        group = optimizer.param_groups[0]

        def loss(weights: dict[str, Tensor]) -> Tensor:
            return self.loss.discriminator(
                self.scores(x, label, weights), self.scores(fake, label, weights)
            )

        with torch.autocast(x.device.type, enabled=False):
            return unrolled(
                {name: p.detach().clone().requires_grad_() for name, p in own.items()},
                loss,
                self.unrolled_steps,
                {name: optimizer.state.get(p, {}) for name, p in own.items()},
                group["lr"],
                group["betas"],
                group["eps"],
            )

    def scores(
        self, items: Tensor, label: Tensor, weights: dict[str, Tensor] | None = None
    ) -> Tensor:
        """What D says, (B,), maybe with other weights than its own."""
        told = (items, label) if self.conditional else (items,)
        if weights is None:
            return self.discriminator(*told)
        return functional_call(self.discriminator, weights, told)

    def shown(self, items: Tensor) -> Tensor:
        """Items as D is shown them."""
        if not self.augmentation.used:
            return items
        return augment(items, self.augmentation.p, uniform_for(items, NUMBERS))

    def noise_like(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """Noise for as many items as x (B, *) has, (B, *noise_shape)."""
        return noise_for(x.new_empty(len(x), *self.noise_shape, dtype=torch.float32), generator)

    def validation_step(self, batch: Any, batch_index: int) -> None:
        source = Generator().manual_seed(batch_index)
        made = self.generate(self.noise_like(batch.items, source), batch.label)
        distance = sliced_wasserstein(made, batch.items)
        self.log("val/distance", distance, on_epoch=True, batch_size=len(batch.label))

    # what it makes

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Of all that is random about one item."""
        return (self.generator.noise,)

    @property
    def hears_label(self) -> bool:
        return self.conditional

    def items(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """What G makes of noise, as D sees it."""
        told = label if self.conditional else None
        return self.generator.synthesis(self.generator.styles(noise, told), noise)

    def styles(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """w (B, width) of noise, see `Styled`."""
        return self.generator.styles(noise.to(self.device), self.told(len(noise), label))

    def styled(
        self, w: Tensor, noise: Tensor, label: Tensor | None = None, truncation: float = 1.0
    ) -> Tensor:
        """Items of styles w, see `Styled`."""
        if truncation != 1:
            w = self.generator.truncated(w, truncation, self.told(len(w), label))
        return self.codec.decode(self.generator.synthesis(w, noise.to(self.device)))

    def generate(
        self, noise: Tensor, label: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """Items from the noise, see `Generates`."""
        if self.conditional and label is None:
            label = torch.randint(len(self.facts.classes), (len(noise),), generator=generator)
        return self.styled(self.styles(noise, label), noise, label, self.truncation)

    def told(self, n: int, label: Tensor | None) -> Tensor | None:
        """Labels (n,) on the device; None for a network without."""
        if not self.conditional:
            return None
        if label is None:
            raise ValueError("this model was trained with labels: pass label")
        return label.to(self.device).expand(n)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        label: int | str | Tensor | None = None,
        *,
        truncation: float | None = None,
        seed: int = 0,
        batch_size: int = 256,
    ) -> Tensor:
        """n new items: images (n, C, H, W) in [0, 1] or points (n, D).

        Args:
            n: how many.
            label: the class of all, by number or name, or a class for each, (n,); None: any.
            truncation: ψ; None: the model's own.
            seed: the same seed gives the same items.
            batch_size: made at once.

        Raises:
            ValueError: n is not positive, there is no such class, or the model hears none.
        """
        if n < 1:
            raise ValueError(f"n={n}: ask for one item or more")
        if label is not None and not self.conditional:
            raise ValueError("this model was trained without labels: leave label out")
        generator, classes = Generator().manual_seed(seed), self.facts.classes
        labels = asked_labels(n, label, classes)
        noise = torch.randn((n, *self.noise_shape), generator=generator)
        if labels is None:
            labels = torch.randint(len(classes), (n,), generator=generator)
        psi = self.truncation if truncation is None else truncation
        if not 0 <= psi < math.inf:
            raise ValueError(f"truncation={psi}: 1 is none, 0 the mean, and less makes no sense")
        pairs = zip(noise.split(batch_size), labels.split(batch_size), strict=True)
        return torch.cat([self.styled(self.styles(z, c), z, c, psi) for z, c in pairs])

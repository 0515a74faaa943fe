"""ControlNet: a trained diffusion model, led by an image of another kind."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from diffstn.annotations import NotNegative
from diffstn.build import Factory, load_model, needed
from diffstn.data.controls import Control, Distorted
from diffstn.data.facts import Facts
from diffstn.diffusion import Denoiser
from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.wrappers import ClassifierFree, Clipped
from diffstn.errors import UserError
from diffstn.located import located
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.models.encoder import encoder_for
from diffstn.models.noise import noise_for, timesteps_for, withheld
from diffstn.models.redrawer import Redrawer
from diffstn.networks.denoisers.controlled import Controlled
from diffstn.networks.denoisers.unet import UNet
from diffstn.networks.digest import digest_of
from diffstn.networks.heads.aligner import Aligner
from diffstn.ranks import of_all
from diffstn.store.run_folder import open_run
from diffstn.store.trust import check_targets


class ControlNet(Redrawer):
    r"""Learns p(x_0 | c) beside a frozen model of p(x_0), c being seen of an image.

    Of the run `base` it takes the network, which never changes, and with it the process, what the
    network predicts, the codec, and whether it hears the label. What trains is a copy of the
    network's way down and layers that start at zero, see `Controlled`: samples of the untrained
    model are the base's, to the bit. Only what trains is kept with a run. The base is looked up by
    its name again, and `base_digest`, a hash of its weights among ours, tells whether it is still
    the same.

    A label may be told beside the control. It is withheld in a share `label_dropout` of the cases,
    so that the control has to say what is to be drawn.

    Of a distorted image an `encoder` makes an embedding that modulates the network, too, and if
    `aligned` says how to turn the control before it is seen, see `Aligner`: convolutions cannot
    turn an image. The denoising loss teaches that through the warp, and so does, weighted, the
    distance between the aligned control and the image wanted.

    Args:
        facts: of the data.
        base: run of a `DiffusionModel` whose network is a `UNet`, or `pretrained/NAME`.
        control: images → control images.
        sampler: x_T → x_0.
        classifier: called with the facts, makes a network of images (B, C, h, w) → logits
            (B, classes), frozen; it plays no part in training.
        encoder: makes the network distorted image → embedding (B, features); None: the control
            alone.
        aligned: whether the embedding turns the control.
        align_weight: of the mean-square error between the aligned control and the image, in
            [−1, 1].
        label_dropout: share of training items whose label is withheld; 1: never told.
        timestep_power: exponent of the timesteps' distribution; 1 is uniform, and below 1 high
            noise is trained more often, where all that is known is the control.
        guidance_scale: w of classifier-free guidance by the label while sampling; 0 is none.
        hypotheses: samples for each control.
        clip, clip_quantile: of x̂_0 while sampling, see `Clipped`.
        optimisation: see `OptimisedModule`.

    Raises:
        UserError: there is no such run, it is of another family or of other images.
        ValueError: a number is out of range, or parts do not suit one another.

    Source: Zhang et al., Adding Conditional Control to Text-to-Image Diffusion Models, 2023.
    """

    monitor = ("val/loss", "min")

    base_digest: Tensor

    def __init__(
        self,
        facts: Facts,
        base: str,
        control: Control,
        sampler: Sampler,
        classifier: Factory,
        encoder: Factory | None = None,
        aligned: bool = False,
        align_weight: NotNegative = 1.0,
        label_dropout: float = 0.5,
        timestep_power: float = 1.0,
        guidance_scale: float = 0.0,
        hypotheses: int = 1,
        clip: float | None = 1.0,
        clip_quantile: float | None = None,
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        if not 0 <= label_dropout <= 1:
            raise ValueError(f"label_dropout is a share, from 0 to 1, not {label_dropout}")
        if timestep_power <= 0 or hypotheses < 1:
            raise ValueError(
                "timestep_power must be positive and hypotheses at least 1, not"
                f" {timestep_power} and {hypotheses}"
            )
        if encoder is not None and not isinstance(control, Distorted):
            raise ValueError(
                "encoder: it would read the image itself, where the control is to say what is"
                " known: leave encoder out, or choose control=distorted"
            )
        if aligned and encoder is None:
            raise ValueError("model.aligned=true: an encoder says how to turn: +encoder=polar")
        below = base_of(base, facts)
        judge: nn.Module = classifier(facts)
        if any(p.requires_grad for p in judge.parameters()):
            raise ValueError(
                "the classifier only judges and would never learn here: pass classifier=frozen"
            )
        conditional = below.conditional and below.clusters is None  # kinds are not told
        if guidance_scale and not (conditional and 0 < label_dropout < 1):
            raise ValueError(
                f"guidance_scale={guidance_scale} needs a base that hears labels, and training with"
                " labels and without: model.label_dropout between 0 and 1"
            )
        self.facts, self.base, self.codec = facts, base, below.codec
        self.control, self.classifier = control, judge
        self.conditional = conditional
        self.classes = len(facts.classes)
        self.encoder = None if encoder is None else encoder_for(facts, encoder, control.frame)
        features: Any = 0 if self.encoder is None else self.encoder.features
        self.aligner = Aligner(features) if aligned else None
        own = below.denoiser
        network = Controlled(own.network, control.channels(facts), features)  # type: ignore[arg-type]
        self.denoiser = Denoiser(network, own.process, own.prediction, own.variance)
        self.register_buffer("base_digest", digest_of_base(below))
        self.loss, self.weighting = below.loss, below.weighting
        self.guided = Clipped(ClassifierFree(self.denoiser, guidance_scale), clip, clip_quantile)
        self.sampler = sampler
        sampler.timesteps(own.schedule)  # refuses more steps than there are
        self.hypotheses, self.align_weight = hypotheses, align_weight
        self.label_dropout, self.timestep_power = label_dropout, timestep_power

    def condition(
        self, image: Tensor, label: Tensor | None = None, variant: Tensor | None = None
    ) -> dict[str, Any]:
        """What the denoiser hears of images (B, C, H, W) and, if told, of their labels (B,)."""
        assert self.facts.size is not None
        told = {} if label is None or not self.conditional else {"label": label.to(image.device)}
        seen = self.control(image, self.facts.size, variant)
        if self.encoder is None:
            return {"control": seen, **told}
        embedding = self.encoder(image)
        if self.aligner is not None:
            assert isinstance(self.control, Distorted)
            seen = self.control.turned(image, self.facts.size, self.aligner(embedding))
        return {"control": seen, "embedding": embedding, **told}

    def losses(
        self, batch: Any, label: Tensor | None = None, generator: Generator | None = None
    ) -> dict[str, Tensor]:
        """The mean loss over the images of a batch, and what it is made of.

        Args:
            label: that the network is told, (B,); None: none.
        """
        wanted = self.codec.encode(getattr(batch, "upright", batch.items))
        heard = self.condition(batch.image, label, self.variants(batch.image, generator))
        t = timesteps_for(wanted, self.denoiser.schedule.steps, generator, self.timestep_power)
        losses = self.loss(self.denoiser, wanted, t, noise_for(wanted, generator), **heard)
        diffusion = (losses * self.weighting(self.denoiser, t)).mean()
        if self.aligner is None:
            return {"loss": diffusion}
        alignment = F.mse_loss(self.codec.encode(heard["control"]), wanted)
        loss = diffusion + self.align_weight * alignment
        return {"loss": loss, "diffusion": diffusion, "alignment": alignment}

    def variants(self, image: Tensor, generator: Generator | None = None) -> Tensor | None:
        """One of the control's variants for each of the images, at random; None: there is one."""
        count = self.control.variants
        if count == 1:
            return None

        def draw(n: int, source: Generator | None) -> Tensor:
            device = source.device if source else image.device
            return torch.randint(count, (n,), generator=source, device=device)

        return of_all(draw, len(image), image.device, generator)

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        label = None
        if self.conditional and self.label_dropout < 1:
            label = withheld(batch.label, self.label_dropout, self.classes)
        terms = self.losses(batch, label)
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in terms.items()},
            on_step=False,
            on_epoch=True,
            batch_size=len(batch.label),
        )
        return terms["loss"]

    def validation_step(self, batch: Any, batch_index: int) -> None:
        terms = self.losses(batch, None, Generator().manual_seed(batch_index))
        self.log_dict(
            {f"val/{name}": value for name, value in terms.items()},
            on_epoch=True,
            batch_size=len(batch.label),
        )

    @torch.no_grad()
    def sample(
        self,
        control: Tensor,
        label: Tensor | None = None,
        *,
        sampler: Sampler | None = None,
        seed: int = 0,
        batch_size: int = 64,
    ) -> Tensor:
        """A new image (C, h, w) in [0, 1] for each of the control images.

        Args:
            control: (B, K, h, w), as `self.control` makes them.
            label: classes (B,); None: none is told.
            sampler: another one than the model's own.
            seed: the same seed gives the same images.
            batch_size: sampled at once.

        Raises:
            ValueError: the control has another shape or is not finite, a label is told to a base
                that hears none, or the model also reads the image that the control is of: call
                `correct`.
        """
        size = tuple(self.facts.size or ())
        shape = (self.control.channels(self.facts), *size)
        given = tuple(control.shape) if isinstance(control, Tensor) else control
        if not isinstance(given, tuple) or len(given) != 4 or given[1:] != shape:
            raise ValueError(
                f"control is (B, {', '.join(map(str, shape))}), not {given}: scale"
                " it, or make it of images with model.control(images, size)"
            )
        if not control.isfinite().all():
            raise ValueError("control has numbers that are not finite")
        if self.encoder is not None:
            raise ValueError("this model reads the image itself, too: call correct(images)")
        if label is not None and not self.conditional:
            raise ValueError("the base hears no labels: leave label out")
        walk, generator = sampler or self.sampler, Generator().manual_seed(seed)
        latents = self.sample_latents(len(control), 1, generator)[:, 0]
        made = []
        for rows in torch.arange(len(control)).split(batch_size):
            heard: dict[str, Any] = {"control": control[rows].to(self.device)}
            if label is not None:
                heard["label"] = label[rows].to(self.device)
            x_T = self.denoiser.process.prior(latents[rows].to(self.device))
            made.append(self.codec.decode(walk(self.guided, x_T, generator, **heard)))
        return torch.cat(made)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        theirs = state.get(f"{prefix}base_digest")
        if theirs is not None and not torch.equal(theirs.cpu(), self.base_digest.cpu()):
            raise UserError(
                f"base={self.base} is not what these weights were trained beside: it has changed"
                " since, or is another run; pass base=<the run as it was>"
            )
        super()._load_from_state_dict(state, prefix, *rest)


def base_of(run: str, facts: Facts) -> Any:
    """The model in the folder `run`, if a ControlNet can be built on it.

    Raises:
        UserError: there is none, it is of another family, or of other images.
    """
    folder = open_run(run, "base")
    config = folder.read_config()
    check_targets(config["model"])  # `needed` imports its class
    check_targets(needed(config))
    kind = located(config["model"]["_target_"])  # before it is built: a run may name itself
    model: Any = load_model(folder) if issubclass(kind, DiffusionModel) else None
    if model is None or not isinstance(model.denoiser.network, UNet):
        raise UserError(
            f"base={run} is a run of {kind.__name__}: a ControlNet's base is one of model=ddpm_unet"
        )
    theirs, size = model.facts, model.codec.facts(model.facts).size
    if (theirs.channels, theirs.size, theirs.classes) != (
        facts.channels,
        facts.size,
        facts.classes,
    ):
        raise UserError(
            f"base={run} samples {_images(theirs)}, the data has {_images(facts)}: train a base on"
            " these data, python train.py model=ddpm_unet data=..."
        )
    if model.is_told and not model.label_dropout:
        raise UserError(
            f"base={run} never went without labels, as a control has to: train one with"
            " model.label_dropout above 0"
        )
    if size != theirs.size:
        raise UserError(f"base={run} diffuses a latent, not images: controls are for images")
    return model


def _images(facts: Facts) -> str:
    """Images in words."""
    size = " x ".join(map(str, (*(facts.size or ()), facts.channels)))
    return f"{size} images of {', '.join(facts.classes[:10])}"


def digest_of_base(model: DiffusionModel) -> Tensor:
    """Of its network, weights and names, its process and its prediction, see `digest_of`."""
    own = model.denoiser
    told = {**own.network.state_dict(), "log_alpha_bar": own.schedule.log_alpha_bar}
    return digest_of(told, type(own.prediction).__name__)

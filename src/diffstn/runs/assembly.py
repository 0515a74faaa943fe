"""From a configuration to objects."""

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch
import yaml
from hydra.utils import get_class, get_object
from omegaconf import DictConfig, OmegaConf
from safetensors.torch import load_file
from torch import Tensor, nn

from diffstn.build.annotations import parameters
from diffstn.diffusion import Denoiser
from diffstn.diffusion.named import named
from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.variance import VARIANCES
from diffstn.errors import UserError
from diffstn.models.noisy_classifier import NoisyClassifier
from diffstn.models.optimised import Frozen
from diffstn.networks.classifiers.classifier import Classifier
from diffstn.networks.encoders.framed import FramedEncoder
from diffstn.spatial import (
    Affine,
    Projective,
    ThinPlateSpline,
    Transformation,
    moment_frame,
)
from diffstn.store.run_folder import RunFolder, open_run

TRUSTED = ("diffstn.", "torch.optim.")
TRANSFORMATIONS: dict[str, type[Transformation]] = {
    "affine": Affine,
    "projective": Projective,
    "tps": ThinPlateSpline,
}
FRAMES: dict[str, Callable[[Tensor], Tensor] | None] = {
    "none": None,
    "moments": moment_frame,
}
DENOISER_SETTINGS = ("prediction", "variance")


def plain(node: Any) -> Any:
    """A configuration node as plain containers."""
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def check_targets(node: Any) -> None:
    """Refuse a configuration that asks for classes other than ours and torch's optimisers.

    A run folder may come from a stranger; its configuration must not run their code. What counts is
    where an object was defined, for modules also offer what they import.
    """
    if isinstance(node, Mapping):
        target = node.get("_target_")
        if target is not None and not trusted(str(target)):
            raise UserError(f"refusing to build '{target}': only diffstn's classes are trusted")
        for value in node.values():
            check_targets(value)
    elif isinstance(node, list):
        for value in node:
            check_targets(value)


def trusted(target: str) -> bool:
    """Whether a dotted name is one of ours or torch's optimisers.

    Raises:
        UserError: it would be, but there is no such thing.
    """
    if not target.startswith(TRUSTED):
        return False
    try:
        return f"{get_object(target).__module__}.".startswith(TRUSTED)
    except (ImportError, AttributeError, ValueError):
        raise UserError(f"_target_={target}: there is no such class") from None


@contextmanager
def user_errors(name: str) -> Iterator[None]:
    """Within this context, a constructor's complaint about its arguments is the user's error.

    Raises:
        UserError: the complaint, in one line that starts with `name`.
    """
    try:
        yield
    except UserError:
        raise
    except (ValueError, RuntimeError, ArithmeticError, TypeError) as error:
        raise UserError(f"{name}: {' '.join(str(error).split())}") from error


def make(node: Mapping[str, Any], **parts: Callable[[], Any]) -> Any:
    """Build a `_target_` node, giving its constructor the parts that it asks for by name.

    What stands in the node goes before the parts; a part that nobody asks for is never built.
    """
    target = get_class(node["_target_"])
    settings = {
        key: make(value, **parts) if isinstance(value, dict) and "_target_" in value else value
        for key, value in node.items()
        if key != "_target_"
    }
    wanted = parameters(target).keys() & parts.keys() - settings.keys()
    with user_errors(target.__name__):
        return target(**settings, **{name: parts[name]() for name in sorted(wanted)})


class Assembly:
    """Builds the data and the model that a configuration describes.

    A constructor says by the names of its parameters which parts it needs: an encoder that takes
    `channels` and `size` gets the data's, a model that takes `denoiser` gets one. A new model
    therefore needs a class and a yaml, nothing here.
    """

    def __init__(self, config: DictConfig | Mapping[str, Any]) -> None:
        self.config: dict[str, Any] = plain(config)
        self.kept_judge: dict[str, Any] | None = None
        check_targets(self.config)

    @cached_property
    def data(self) -> Any:
        """The data module; what only the source of its images reads stands beside, too."""
        node = self.config["data"]
        if "images" in node:
            own = parameters(get_class(node["_target_"]))
            source = parameters(get_class(node["images"]["_target_"]))
            node = {k: v for k, v in node.items() if k in own or k not in source}
        return make(node)

    @cached_property
    def model(self) -> Any:
        settings = self.config["model"]
        own = parameters(get_class(settings["_target_"]))
        parts = {
            "transformation",
            "guide",
            *(name for name in DENOISER_SETTINGS if name not in own),
        }
        node = {key: value for key, value in settings.items() if key not in parts}
        sampler = self.config["sampler"]
        model = make(
            node,
            encoder=lambda: self.encoder,
            new_encoder=lambda: self.new_encoder,
            network=lambda: Classifier(self.encoder, len(self.data.classes)),
            noisy_network=self.noisy_network,
            denoiser=self.denoiser,
            guide=self.guide,
            schedule=lambda: make(self.config["schedule"]),
            sampler=self.sampler,
            classifier=self.classifier,
            transformation=self.transformation,
            target_transformation=lambda: self.data.transformation,
            frame=self.frame,
            any_rotation=lambda: self.data.distortion.any_rotation,
            size=lambda: self.data.size,
            classes=lambda: len(self.data.classes),
            hypotheses=lambda: sampler["hypotheses"],
            combine=lambda: sampler["combine"],
            optimizer=lambda: self.factory("optimizer"),
            lr_scheduler=lambda: self.factory("lr_scheduler"),
        )
        return model.to(memory_format=torch.channels_last)

    def factory(self, group: str) -> Callable[..., Any]:
        """A group's `_target_` with its settings bound, to be called with the rest."""
        settings = dict(self.config[group])
        return functools.partial(get_object(settings.pop("_target_")), **settings)

    @cached_property
    def encoder(self) -> nn.Module:
        """The image encoder."""
        return self.new_encoder()

    def new_encoder(self) -> nn.Module:
        """Another image encoder, for the data's canvas or, through a frame, for upright's size."""
        node, frame = self.config["encoder"], self.frame()
        size = self.data.size if frame else self.data.canvas
        encoder = make(
            node, channels=lambda: self.data.channels, size=lambda: size, frame=lambda: frame
        )
        looks_itself = "frame" in parameters(get_class(node["_target_"]))
        return encoder if looks_itself or not frame else FramedEncoder(encoder, frame, size)

    def frame(self) -> Callable[[Tensor], Tensor] | None:
        """The frame through which encoders look at images, if any."""
        return FRAMES[self.config.get("frame", "none")]

    def transformation(self) -> Transformation:
        """The model's own family of poses if it names one, otherwise the data's."""
        name = self.config["model"].get("transformation")
        return TRANSFORMATIONS[name]() if name else self.data.transformation

    @property
    def dim(self) -> int:
        """Of what is diffused: coordinates of a point, or parameters of a pose."""
        return getattr(self.data, "dim", None) or self.transformation().dim

    def denoiser(self) -> Denoiser:
        settings = self.config["model"]
        wanted = parameters(get_class(settings["_target_"]))
        schedule = make(self.config["schedule"])
        outputs = named("variance", settings["variance"], VARIANCES).outputs
        if outputs > 1 and "outputs" not in parameters(
            get_class(self.config["network"]["_target_"])
        ):
            raise UserError(
                f"model.variance={settings['variance']}: this network answers a mean alone; choose"
                " fixed_small or fixed_large, or network=unet"
            )
        network = make(
            self.config["network"],
            dim=lambda: settings.get("latent") or self.dim,
            embedding=lambda: self.encoder.features if "encoder" in wanted else 0,
            classes=lambda: len(self.data.classes) if settings.get("conditional") else 0,
            steps=lambda: schedule.steps,
            channels=lambda: self.data.channels,
            size=lambda: self.data.size,
            outputs=lambda: outputs,
            image_channels=lambda: self.data.channels if settings.get("spatial") else 0,
        )
        return Denoiser(network, schedule, settings["prediction"], settings["variance"])

    def noisy_network(self) -> nn.Module:
        """A classifier's network that is told the timestep."""
        return make(
            self.config["network"],
            channels=lambda: self.data.channels,
            classes=lambda: len(self.data.classes),
            steps=lambda: make(self.config["schedule"]).steps,
        )

    def guide(self) -> nn.Module | None:
        """The classifier of noisy data in the run that `model.guide` names, if it names one."""
        path = self.config["model"].get("guide")
        if path is None:
            return None
        assembly = Assembly.from_run(open_run(path))
        model, theirs, ours = assembly.model, assembly.data, self.data
        if not isinstance(model, NoisyClassifier):
            raise UserError(
                f"model.guide={path} is no run of model=noisy_classifier, which is what a guide has"
                " to be"
            )
        if (theirs.channels, theirs.classes) != (ours.channels, ours.classes):
            raise UserError(
                f"model.guide={path} knows {theirs.channels}-channel images of the classes"
                f" {', '.join(theirs.classes)}; train one on this data:"
                " python train.py model=noisy_classifier data=..."
            )
        return model.requires_grad_(False)

    def sampler(self) -> Sampler:
        """The sampler, without what only pose models read."""
        ours = ("hypotheses", "combine")
        return make({k: v for k, v in self.config["sampler"].items() if k not in ours})

    def classifier(self) -> nn.Module:
        """The frozen judge, or a classifier of upright-sized images to train along."""
        settings = self.config["classifier"]
        classes = len(self.data.classes)
        if settings["mode"] == "frozen":
            return Frozen(self.judge(settings["run"]))
        encoder = make(
            settings["encoder"],
            channels=lambda: self.data.channels,
            size=lambda: self.data.size,
        )
        return Classifier(encoder, classes)

    def keep_judge_of(self, run: RunFolder) -> None:
        """Build the frozen classifier as `run` describes it; its weights come with the run's."""
        if run.judge.exists():
            self.kept_judge = yaml.safe_load(run.judge.read_text())

    def judge(self, path: str) -> nn.Module:
        """The network of a run of model=classifier that reads images like the data's.

        A run that kept its judge's configuration has the judge's weights among its own and does not
        look for the judge's folder again.
        """
        kept = self.kept_judge
        assembly = Assembly(kept) if kept else Assembly.from_run(open_run(path))
        theirs, ours = assembly.data, self.data
        if (theirs.channels, theirs.classes) != (ours.channels, ours.classes):
            raise UserError(
                f"classifier.run={path} reads {theirs.channels}-channel images of"
                f" {len(theirs.classes)} classes, the data has {ours.channels} channels and"
                f" {len(ours.classes)} classes: use classifier=joint, or train a judge with"
                " model=classifier on upright images and pass classifier.run=<its folder>"
            )
        return assembly.model.network

    @classmethod
    def from_run(
        cls,
        run: RunFolder,
        checkpoint: str | None = None,
        weights: str | None = None,
        config: Mapping[str, Any] | None = None,
        data: Any = None,
    ) -> "Assembly":
        """The data and the model of a run, with its trained weights.

        Args:
            run: folder of a run, or one shipped with the package.
            checkpoint: `best` or `last`, None as the run says; a shipped run has one only.
            weights: `ema` or `raw`, None as the run says.
            config: the run's configuration with overrides; None as it was. Another `classifier`
                replaces the run's and keeps its own weights.
            data: the run's data module, if it is at hand.

        Raises:
            UserError: a file is missing, the run kept no such weights, or they do not fit the
                overrides.
        """
        stored = run.read_config()
        assembly = cls(config or stored)
        same_judge = assembly.config.get("classifier") == stored.get("classifier")
        if same_judge:
            assembly.keep_judge_of(run)
        checkpoint = checkpoint or assembly.config["evaluate"]["checkpoint"]
        weights = weights or evaluated_weights(assembly.config)
        if data is not None:
            assembly.data = data
        try:
            state = trained_weights(run, checkpoint, weights)
            if not same_judge:
                own = assembly.model.state_dict()
                theirs = {k: v for k, v in state.items() if not k.startswith("classifier.")}
                state = theirs | {k: v for k, v in own.items() if k.startswith("classifier.")}
            assembly.model.load_state_dict(state)
        except RuntimeError as error:
            raise UserError(
                f"the weights of {run.path} do not fit its configuration with these overrides"
                f" ({str(error).splitlines()[-1].strip()})"
            ) from error
        assembly.model.eval()
        return assembly


def evaluated_weights(config: Mapping[str, Any]) -> str:
    """`evaluate.weights`, or `raw` where there is no moving average."""
    return config["evaluate"]["weights"] if config["ema_decay"] else "raw"


def trained_weights(run: RunFolder, checkpoint: str, weights: str) -> dict[str, Tensor]:
    """State of a run's model; see `Assembly.from_run`."""
    shipped = run.path / "weights.safetensors"
    if shipped.exists():
        config = run.read_config()
        there_is = {"checkpoint": config["evaluate"]["checkpoint"]}
        there_is["weights"] = evaluated_weights(config)
        for name, asked in (("checkpoint", checkpoint), ("weights", weights)):
            if asked != there_is[name]:
                raise UserError(f"{name}={asked}: this run ships with {there_is[name]} alone")
        return load_file(shipped)
    path = run.checkpoints / f"{checkpoint}.ckpt"
    if not path.is_file():
        there = ", ".join(p.stem for p in sorted(run.checkpoints.glob("*.ckpt"))) or "none"
        raise UserError(f"{path} does not exist; checkpoint= can be: {there}")
    content = torch.load(path, map_location="cpu", weights_only=True)
    if weights not in ("ema", "raw"):
        raise UserError(f"weights={weights}: choose ema or raw")
    key = "ema_state_dict" if weights == "ema" else "state_dict"
    if key not in content:
        raise UserError(f"{path} was trained without a moving average; pass weights=raw")
    return content[key]

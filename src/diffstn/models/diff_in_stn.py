"""Diff-in-STN: diffusion over the pose of an image, conditioned on the image."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import torch
from torch import Tensor

from diffstn.annotations import AtLeast, NotNegative, OneOf
from diffstn.build import Factory
from diffstn.codecs.angle_and_rest import AngleAndRest
from diffstn.codecs.standardised_pose import StandardisedPose
from diffstn.data.facts import Facts
from diffstn.diffusion import Noised, OnCircle, SimpleLoss, Wrapped, stratified_timesteps
from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.schedules import Schedule
from diffstn.in_portions import in_portions
from diffstn.models.denoiser import denoiser_for
from diffstn.models.fit_to_data import fit_to_data
from diffstn.models.noise import noise_for
from diffstn.models.pose_corrector import PoseCorrector
from diffstn.models.top_readings import TopReadings
from diffstn.networks.heads.auxiliary_angle import AuxiliaryAngle
from diffstn.networks.heads.auxiliary_classifier import AuxiliaryClassifier
from diffstn.ranks import of_all
from diffstn.spatial import Affine, affine_matrix, turned, warp
from diffstn.spatial.canvas import canvas_frame

GOLDEN = math.pi * (3 - math.sqrt(5))
"""The golden angle: its multiples spread evenly over the circle, however many there are."""


def step_of_views(facts: Facts, canvas: bool = False) -> float:
    """The angle from one view to the next: the golden one or, of n rotations, the nearest multiple
    of 360° / n whose own multiples are all of them.

    On the canvas itself it is a quarter turn where those are among the rotations. It moves pixels
    and reads none between them, where any other angle shows the encoder a picture that was warped
    twice: of photographs in eight rotations the label is read in 79 % through odd multiples of 45°,
    and in 83 % through even ones.
    """
    n = facts.rotations
    if canvas and (n is None or n % 4 == 0):
        return math.pi / 2
    if n is None:
        return GOLDEN
    golden = n * GOLDEN / (2 * math.pi)
    steps = min((k for k in range(1, n) if math.gcd(k, n) == 1), key=lambda k: abs(k - golden))
    return 2 * math.pi * steps / n


class DiffInSTN(PoseCorrector):
    r"""Samples poses from p(A | image), and so finds the modes that a regressor would average.

    What is diffused is the standardised pose relative to the image's frame C,
    $x_0 = (C^{-1}A - \mu)/s$, (B, dim). The encoder sees the image once; the denoiser trains on
    `noise_levels` timesteps of each image, one from each of as many equal strata of 1…T, which
    costs little beside the encoder and steadies the gradient. The loss is the mean-square error in
    the space the denoiser's network predicts in.

    The first hypothesis starts at the centre of the latents, x_T = 0, the others at random. From
    the centre the deterministic flow sets out along the posterior mean and is drawn into the
    heaviest mode, so one hypothesis from there is better than one drawn at random; the random ones
    show the other modes.

    Where any rotation is as likely as any other, or any of n (`any_rotation` and `rotations` of the
    facts), the model may look at an image through a turned frame just as well, and the pose that
    it then answers is turned back. The hypotheses are spread over `views` such frames, each a
    golden angle on from the one before (on the canvas a quarter turn, and no more than four), see
    `step_of_views`, and the belief is the mean over them:
    an encoder that is not exactly equivariant is averaged over the group ("Frame Averaging", Puny
    et al., 2022). For the belief it looks on through as many more frames of each of the other
    `sizes`, still turned. Poses are not asked for there: an encoder that has only seen content of
    its frame's size would answer a pose of that size.

    A linear head reads the label from the embedding and adds `label_weight` times its cross-entropy
    to the loss. It teaches the encoder which modes are plausible, see `AuxiliaryClassifier`; when
    hypotheses are combined by `agreement`, its reading also helps to choose among them.

    The noise need not be Gaussian: see `Noised` for what a sampler may do then. `wrapped` noise
    takes the rotation for what it is, an angle: what is diffused is (φ, k_x, k_y, s, t_x, t_y) of
    A = [R(φ) S K | t], all but φ standardised, and φ on its circle, see `Wrapped`. A linear head
    then reads the angle from the embedding, `angle_weight` times its error is added to the loss,
    see `AuxiliaryAngle`, and angles at T are counted from its reading: they are uniform all the
    same, and the first hypothesis starts at the mean direction, as elsewhere at the centre.

    With `topk` the denoiser is told beside the embedding what the frozen judge takes the image for,
    its k likeliest classes, see `TopReadings`. The judge looks through the frame, turned as the
    encoder's is: what it says then depends on the same image as the pose that is left to find.

    With a classifier that trains along, it learns on images corrected by x̂_0 at the lowest of
    the noise levels; its loss does not reach the pose.

    Args:
        facts: of the data.
        encoder: makes the network image → embedding (B, features).
        network: makes the one called as network(x_t, t, embedding=...), of shapes that broadcast to
            each other: see `PoseDenoiser`.
        schedule: of the noise.
        sampler: x_T → x_0.
        prediction, variance: see `Denoiser`.
        noise: `gaussian`, `uniform`, `laplace` or `wrapped`.
        noise_levels: sampled per image and training step.
        label_weight: of the auxiliary label loss; 0 leaves the labels unused.
        angle_weight: of the auxiliary loss of the angle where the noise is wrapped, None: 1.
        topk: classes of the judge's reading that the denoiser is told; 0: it is not asked.
        centre_first: start the first hypothesis at x_T = 0 instead of a random draw.
        views: frames to look through if the data know any rotation, at most n if any of n, and
            if there is a frame; otherwise there is one.
        sizes: of the frames through which the belief is found, if there is a frame; the first is 1.
        common: see `PoseCorrector`.

    Raises:
        ValueError: a number is out of range or a name unknown, the sampler draws Gaussian noise and
            the process another, the first of the sizes is not 1 or one is not positive, `topk` is
            more than there are classes or asks a classifier that trains along, or the noise is
            wrapped and poses have no angle, its schedule does not go round the circle, or another
            prediction than eps is asked for, or an angle is weighed and the noise is not wrapped.
    """

    def __init__(
        self,
        facts: Facts,
        encoder: Factory,
        network: Factory,
        schedule: Schedule,
        sampler: Sampler,
        prediction: str = "v",
        variance: str = "fixed_small",
        noise: Annotated[str, OneOf(("gaussian", "laplace", "uniform", "wrapped"))] = "gaussian",
        noise_levels: int = 4,
        label_weight: NotNegative = 0.5,
        angle_weight: NotNegative | None = None,
        topk: Annotated[int, AtLeast(0)] = 0,
        centre_first: bool = True,
        views: int = 4,
        sizes: Sequence[float] = (1.0, 0.93, 1.07),
        **common: Any,
    ) -> None:
        super().__init__(facts=facts, **common)
        if min(views, noise_levels) < 1:
            raise ValueError(
                f"views and noise_levels must be at least 1, not {views} and {noise_levels}"
            )
        if not sizes or sizes[0] != 1 or min(sizes) <= 0:
            raise ValueError(f"sizes={list(sizes)}: of frames, 1 first, then others above 0")
        dim = self.transformation.dim
        self.encoder = self.encoder_for(encoder)
        features: Any = self.encoder.features
        wrapped = noise == "wrapped"
        if wrapped and (prediction != "eps" or not isinstance(self.transformation, Affine)):
            raise ValueError(
                "noise=wrapped is for affine poses, whose rotation is an angle, and for"
                " model.prediction=eps: what it was without noise is known up to whole turns"
            )
        if angle_weight is not None and not wrapped:
            raise ValueError("angle_weight is for noise=wrapped, which alone diffuses an angle")
        if topk and self.trains_classifier:
            raise ValueError(
                f"model.topk={topk} asks a judge that stays as it is: choose classifier=frozen"
            )
        self.top_readings = TopReadings(topk, self.classes) if topk else None
        process = Wrapped(schedule) if wrapped else Noised(schedule, noise)
        heard = features + self.classes if topk else features
        told = {"dim": dim + wrapped, "embedding": heard}
        self.denoiser = denoiser_for(network, process, prediction, variance, tuple(told), **told)
        if wrapped:
            self.denoiser.network = OnCircle(self.denoiser.network, schedule)
        self.sampler = sampler
        sampler.timesteps(process)  # refuses more steps than there are, and noise of another kind
        self.noise_levels = noise_levels
        self.diffusion_loss = SimpleLoss()
        self.label_head = AuxiliaryClassifier(features, self.classes)
        self.label_weight = label_weight
        self.angle_head = AuxiliaryAngle(features) if wrapped else None
        self.angle_weight = 1.0 if angle_weight is None else angle_weight
        self.centre_first = centre_first
        several = self.frame is not None and (facts.any_rotation or facts.rotations)
        self.step = step_of_views(facts, self.frame is canvas_frame)
        different = 4 if self.step == math.pi / 2 else facts.rotations
        self.views = min(views, different or views) if several else 1
        self.sizes = tuple(sizes) if self.frame is not None else (1.0,)
        self.standardiser = AngleAndRest() if wrapped else StandardisedPose(dim)

    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":
            fit_to_data(self.standardiser, self, self.trainer.datamodule)  # type: ignore[attr-defined]

    def sample_latents(
        self, images: int, hypotheses: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """z ~ N(0, I), of which x_T is made, (images, hypotheses, dim); the first may be 0."""
        shape = (images, hypotheses, self.transformation.dim)
        latents = torch.randn(shape, generator=generator)
        if self.centre_first:
            latents[:, 0] = 0
        return latents

    def relative_poses(
        self,
        image: Tensor,
        latents: Tensor,
        generator: torch.Generator | None = None,
        embeddings: Tensor | None = None,
    ) -> Tensor:
        x_T, heard, decode = self.before_the_walk(image, latents, embeddings)
        return decode(self.sampler(self.denoiser, x_T, generator, embedding=heard))

    def guesses(
        self, image: Tensor, latents: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Poses and belief from the same embeddings; of one hypothesis both from a single view."""
        several = latents.shape[1] > 1
        seen = self.embeddings(image, self.views, self.sizes) if several else self.embeddings(image)
        relative = self.relative_poses(image, latents, generator, seen)
        return self.from_frame(image, relative), self.read(seen)

    def reverse_process(
        self,
        image: Tensor,
        latents: Tensor,
        generator: torch.Generator | None = None,
        sampler: Sampler | None = None,
        embeddings: Tensor | None = None,
    ) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield (t, x_t, x̂_0), relative poses (B, k, dim), from T down to 0, the sample.

        The `embeddings` (B, views or more, F) are those of the images, if they are at hand.
        """
        x_T, heard, decode = self.before_the_walk(image, latents, embeddings)
        sampler = sampler or self.sampler
        for t, x_t, x_0 in sampler.trajectory(self.denoiser, x_T, generator, embedding=heard):
            yield t, decode(x_t), decode(x_0)

    def before_the_walk(
        self, image: Tensor, latents: Tensor, embeddings: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Callable[[Tensor], Tensor]]:
        """x_T (B, k / v, v, *), what the denoiser is told beside it (B, 1, v, F), and what makes
        relative poses (B, k, dim) of points of the walk.

        Pose i looks through frame i % v, so that whatever depends on a frame alone is found once
        for all poses that look through it; where they do not share out evenly v is k.
        """
        k = latents.shape[1]
        view = torch.arange(k, device=image.device) % self.views
        if embeddings is None:
            embeddings = self.embeddings(image, min(k, self.views))
        embeddings = embeddings[:, : self.views]
        heard = self.heard(image, embeddings)
        if k % heard.shape[1]:
            heard = heard[:, view]
        around = {}
        if self.angle_head is not None:
            around = {"around": self.angle_head.read(embeddings[:, view].flatten(0, 1))}
        x_T = self.denoiser.process.prior(latents.flatten(0, 1), **around)
        x_T = x_T.unflatten(0, (image.shape[0], -1, heard.shape[1]))

        def decode(x: Tensor) -> Tensor:
            relative = self.standardiser.decode(x.flatten(0, 2))
            if self.views > 1:
                turn = self.transformation.from_affine(affine_matrix(view * self.step).flatten(1))
                turn = turn.to(image.device).repeat(image.shape[0], 1)
                relative = self.transformation.compose(turn, relative)
            return relative.unflatten(0, (-1, k))

        return x_T, heard[:, None], decode

    def embeddings(self, image: Tensor, views: int = 1, sizes: Sequence[float] = (1.0,)) -> Tensor:
        """Images (B, C, H, W) seen through so many frames of each size, turned on from one to the
        next if there are views, the first as it is: (B, views · sizes, F).
        """
        looks = views * len(sizes)
        if looks == 1:
            return self.encoder(image).float()[:, None]
        on = torch.arange(looks, device=image.device) * (self.views > 1)
        size = torch.tensor(sizes, device=image.device).repeat_interleave(views)
        told = (each.repeat(image.shape[0]) for each in (self.step * on, size))
        seen = in_portions(self.encoder, image.repeat_interleave(looks, dim=0), *told)
        return seen.float().unflatten(0, (-1, looks))

    def heard(self, image: Tensor, embeddings: Tensor) -> Tensor:
        """What the denoiser is told of images (B, C, H, W): their embeddings (B, views, F), and
        beside each what the judge reads through the same frame, (B, views, F + classes).
        """
        if self.top_readings is None:
            return embeddings
        readings = self.top_readings(self.reading(image, embeddings.shape[1]))
        return torch.cat([embeddings, readings], dim=-1)

    @torch.no_grad()
    def reading(self, image: Tensor, views: int = 1) -> Tensor:
        """Log-probabilities (B, views, classes) that the judge reads in distorted images (B, C, H,
        W) through so many frames, the first as it is; without a frame it sees all of the image.
        """
        if self.frame is None:
            C = canvas_frame(image)
        else:
            turn = self.step * torch.arange(views, device=image.device).repeat(len(image))
            image = image.repeat_interleave(views, dim=0)
            C = turned(self.frame, image, turn)
        seen = warp(image, C, size=self.size, padding=self.padding)
        return self.judge(seen.unflatten(0, (-1, views)))

    def belief(self, image: Tensor) -> Tensor:
        """The label head's reading of the distorted images, the mean over views and sizes."""
        return self.read(self.embeddings(image, self.views, self.sizes))

    def read(self, embeddings: Tensor) -> Tensor:
        """The label head's reading of embeddings (B, looks, F), the mean over the looks."""
        return self.label_head.linear(embeddings).float().softmax(dim=-1).mean(dim=1)

    def loss(self, batch: Any) -> dict[str, Tensor]:
        features = self.encoder(batch.image)
        embedding = self.heard(batch.image, features[:, None])
        x_0 = self.standardiser.encode(self.to_frame(batch.image, batch.A))
        x_0 = x_0[:, None].expand(-1, self.noise_levels, -1)
        steps = self.denoiser.schedule.steps
        t = of_all(
            lambda n, g: stratified_timesteps((n, self.noise_levels), steps, g, x_0.device),
            len(x_0),
            x_0.device,
        )
        eps = noise_for(x_0)
        diffusion = self.diffusion_loss(self.denoiser, x_0, t, eps, embedding=embedding).mean()
        label = self.label_head(features, batch.label)
        loss = diffusion + self.label_weight * label
        terms = {"loss": loss, "diffusion": diffusion, "label": label}
        if self.angle_head is not None:
            angle = self.angle_head(features, x_0[:, 0, 0])
            terms |= {"loss": loss + self.angle_weight * angle, "angle": angle}
        if not self.trains_classifier:
            return terms
        with torch.no_grad():
            process = self.denoiser.process
            x_t = process.corrupt(x_0[:, 0], t[:, 0], process.noise(eps[:, 0]))
            estimate = self.denoiser(x_t, t[:, 0], embedding=embedding[:, 0]).x_0
            A = self.from_frame(batch.image, self.standardiser.decode(estimate)[:, None])
        nll = self.classification_loss(self.warp(batch.image, A), batch.label)
        return {**terms, "loss": terms["loss"] + nll, "nll": nll}

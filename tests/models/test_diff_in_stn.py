import math
from collections.abc import Callable

import pytest
import torch

from diffstn.build import Built
from diffstn.diffusion.processes.wrapped import wrap
from diffstn.errors import UserError
from diffstn.models.diff_in_stn import GOLDEN, DiffInSTN
from diffstn.spatial import as_matrix, decompose, turned, warp

Build = Callable[..., Built]


def test_the_first_hypothesis_starts_at_the_centre_unless_told_otherwise(built: Build):
    def latents(*overrides: str) -> torch.Tensor:
        model: DiffInSTN = built("model=diff_in_stn", *overrides).model
        return model.sample_latents(50, 3, torch.Generator().manual_seed(0))

    centred, random = latents(), latents("model.centre_first=false")
    assert not centred[:, 0].any()
    assert torch.equal(centred[:, 1:], random[:, 1:])
    assert random[:, 0].std() > 0.8


def test_the_reverse_process_ends_at_the_sample(built: Build):
    parts = built("model=diff_in_stn", "sampler.steps=5")
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(4))
    latents = model.sample_latents(4, 2, torch.Generator().manual_seed(0))
    with torch.no_grad():
        walk = list(model.reverse_process(batch.image, latents))
        sample = model.relative_poses(batch.image, latents)
    steps = [t for t, *_ in walk]
    assert len(steps) == 6
    assert steps == sorted(steps, reverse=True)
    assert (steps[0], steps[-1]) == (1000, 0)
    assert all(pose.shape == (4, 2, 6) for _, *poses in walk for pose in poses)
    assert torch.equal(walk[-1][1], sample)
    assert torch.equal(walk[-1][2], sample)


def test_the_loss_is_its_terms(built: Build):
    parts = built("model=diff_in_stn", "model.label_weight=0.25")
    terms = parts.model.train().loss(parts.data.batch("train", torch.arange(16)))
    assert set(terms) == {"loss", "diffusion", "label", "nll"}
    expected = terms["diffusion"] + 0.25 * terms["label"] + terms["nll"]
    torch.testing.assert_close(terms["loss"], expected)


def test_without_label_weight_labels_teach_nothing_but_the_classifier(built: Build):
    parts = built("model=diff_in_stn", "model.label_weight=0")
    model, batch = parts.model, parts.data.batch("train", torch.arange(16))

    def gradient(label: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        model.zero_grad()
        model.loss(batch._replace(label=label))["loss"].backward()
        return torch.cat([p.grad.flatten() for p in model.denoiser.parameters()])

    same = torch.equal(gradient(batch.label), gradient(batch.label.flip(0)))
    assert same


FULL = ("model=diff_in_stn", "encoder=polar", "data/distortion=full")


def test_turned_views_are_for_poses_of_any_rotation_seen_through_a_frame(built: Build):
    def views(*overrides: str) -> int:
        return built(*overrides).model.views

    assert views(*FULL, "frame=moments", "model.views=3") == 3
    assert views(*FULL, "frame=none", "model.views=3") == 1
    assert views("model=diff_in_stn", "encoder=polar", "frame=moments", "model.views=3") == 1
    eight = ("model=diff_in_stn", "data/distortion=eight_rotations", "model.views=30")
    assert views(*eight, "frame=moments") == 8
    assert views(*eight, "frame=canvas") == 4
    assert views(*eight, "frame=canvas", "model.views=3") == 3


def test_views_of_discrete_rotations_step_through_them_all(built: Build):
    for n in (2, 3, 4, 5, 8, 12):
        words = ("data/distortion=eight_rotations", f"data.distortion.rotations={n}")
        step = built("model=diff_in_stn", "frame=moments", *words).model.step
        assert {round(i * step * n / (2 * math.pi)) % n for i in range(n)} == set(range(n))
        assert abs(step - GOLDEN) < 2 * math.pi / min(n, 4)


def test_views_of_the_canvas_are_its_own_pixels_turned(built: Build):
    words = ("data/distortion=eight_rotations", "encoder=conv", "model.views=4", "model.sizes=[1]")
    parts = built("model=diff_in_stn", "frame=canvas", *words)
    model, image = parts.model.eval(), parts.data.batch("val", torch.arange(3)).image
    with torch.no_grad():
        seen = model.embeddings(image, 4)
        for view in range(4):
            expected = model.encoder.encoder(image.rot90(view, (2, 3)))
            torch.testing.assert_close(seen[:, view], expected, atol=1e-4, rtol=1e-4)
    words = ("data/distortion=eight_rotations", "data.distortion.rotations=6")
    six = built("model=diff_in_stn", "frame=canvas", *words).model
    assert six.step == pytest.approx(math.pi / 3)  # none of them is a quarter turn


def test_a_hypothesis_from_a_turned_view_is_turned_back(built: Build):
    parts = built(*FULL, "frame=moments", "model.views=2", "model.sizes=[1]", "sampler.steps=3")
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(4))
    torch.nn.init.normal_(model.denoiser.network.output.weight, std=0.02)
    latents = model.sample_latents(4, 3, torch.Generator().manual_seed(0))
    turn = torch.full((4,), GOLDEN)
    with torch.no_grad():
        poses, belief = model.poses(batch.image, latents), model.belief(batch.image)
        model.views = 1
        straight, first = model.poses(batch.image, latents), model.belief(batch.image)
        frame = model.frame
        model.frame = model.encoder.frame = lambda image: turned(frame, image, turn)
        from_the_turned, second = model.poses(batch.image, latents), model.belief(batch.image)
    torch.testing.assert_close(poses[:, 0::2], straight[:, 0::2], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(poses[:, 1], from_the_turned[:, 1], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(poses[:, 1], straight[:, 1], atol=0.1)
    torch.testing.assert_close(belief, (first + second) / 2, atol=1e-5, rtol=1e-4)


def test_the_belief_looks_through_frames_of_other_sizes_and_poses_do_not(built: Build):
    words = (*FULL, "frame=moments", "model.views=1", "sampler.steps=3")
    model = built(*words, "model.sizes=[1.0,0.8,1.3]").model.eval()
    batch = built(*words).data.batch("val", torch.arange(4))
    latents = model.sample_latents(4, 2, torch.Generator().manual_seed(0))
    torch.nn.init.normal_(model.label_head.linear.weight, std=5)
    with torch.no_grad():
        poses, belief = model.guesses(batch.image, latents)
        frame, sizes, model.sizes = model.frame, model.sizes, (1.0,)
        straight, _ = model.guesses(batch.image, latents)
        beliefs = []
        for size in sizes:
            scale = torch.tensor([size, size, 1.0]).repeat(2)
            model.encoder.frame = lambda image, scale=scale: frame(image) * scale
            beliefs.append(model.belief(batch.image))
    torch.testing.assert_close(poses, straight)
    torch.testing.assert_close(belief, torch.stack(beliefs).mean(0), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(beliefs[0], beliefs[1], atol=1e-3)
    with pytest.raises(ValueError, match="1 first"):
        built(*words, "model.sizes=[0.9,1]")


@pytest.mark.parametrize(("distortion", "dim"), [("projective", 8), ("elastic", 32)])
def test_poses_that_are_not_affine_are_diffused_too(built: Build, distortion: str, dim: int):
    parts = built("model=diff_in_stn", f"data/distortion={distortion}", "sampler.steps=3")
    model, batch = parts.model.train(), parts.data.batch("train", torch.arange(16))
    relative = model.to_frame(batch.image, batch.A)
    back = model.from_frame(batch.image, relative[:, None])[:, 0]
    torch.testing.assert_close(back, batch.A, atol=1e-4, rtol=0)
    terms = model.loss(batch)
    terms["loss"].backward()
    assert terms["loss"].isfinite()
    with torch.no_grad():
        found = model.eval()(batch.image[:4], hypotheses=3)
    assert found.A.shape == (4, 3, dim)
    assert found.images.isfinite().all()


TOLD = ("model.topk=3", "classifier=frozen", "sampler.steps=3")


def test_the_denoiser_is_told_what_the_judge_reads_through_the_frame(built: Build):
    parts = built(*FULL, "frame=moments", "model.views=2", *TOLD)
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(6))
    with torch.no_grad():
        embeddings = model.embeddings(batch.image, 2)
        heard = model.heard(batch.image, embeddings)
        assert heard.shape == (6, 2, embeddings.shape[-1] + 10)
        assert torch.equal(heard[..., :-10], embeddings)
        for view in range(2):
            turn = torch.full((6,), view * GOLDEN)
            C = turned(model.frame, batch.image, turn)
            seen = warp(batch.image, C, size=model.size)
            log_p = model.classifier(seen).log_softmax(-1)
            told = heard[:, view, -10:]
            assert torch.equal((told > 0).sum(-1) <= 3, torch.ones(6, dtype=torch.bool))
            assert torch.equal(told.argmax(-1), log_p.argmax(-1))
            expected = 1 + log_p.amax(-1) / 10
            torch.testing.assert_close(told.amax(-1), expected, atol=1e-4, rtol=0)


def test_what_the_judge_reads_moves_the_poses_and_nothing_else(built: Build):
    parts = built(*FULL, "frame=moments", *TOLD)
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(4))
    torch.nn.init.normal_(model.denoiser.network.output.weight, std=0.05)
    latents = model.sample_latents(4, 3, torch.Generator().manual_seed(0))
    with torch.no_grad():
        poses, belief = model.guesses(batch.image, latents)
        reading = model.reading
        model.reading = lambda *told: reading(*told).flip(-1)
        others, same = model.guesses(batch.image, latents)
    assert torch.equal(belief, same)
    assert (poses - others).abs().max() > 1e-3
    model.reading = reading
    model.train().loss(parts.data.batch("train", torch.arange(16)))["loss"].backward()
    assert all(p.grad is None for p in model.classifier.parameters())
    assert model.denoiser.network.picture.weight.grad[:, -10:].abs().sum() > 0


def test_without_a_frame_the_judge_sees_the_whole_image_at_its_size(built: Build):
    parts = built("model=diff_in_stn", "data/distortion=rts", "frame=none", *TOLD)
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(4))
    identity = model.transformation.identity().expand(4, 1, -1)
    model.kernel = "bilinear"
    with torch.no_grad():
        expected = model.judge(model.warp(batch.image, identity))
        torch.testing.assert_close(model.reading(batch.image), expected)


WRAPPED = ("model.noise=wrapped", "model.prediction=eps", "schedule=geometric")


@pytest.mark.parametrize("words", [("model.noise=uniform",), ("model.noise=laplace",), WRAPPED])
def test_noise_of_other_kinds_trains_and_samples(built: Build, words: tuple[str, ...]):
    parts = built("model=diff_in_stn", "data/distortion=full", "sampler.steps=4", *words)
    model, batch = parts.model.train(), parts.data.batch("train", torch.arange(16))
    terms = model.loss(batch)
    terms["loss"].backward()
    assert terms["loss"].isfinite()
    assert 0.4 < float(terms["diffusion"].detach()) < 1.6  # it starts at the variance
    latents = model.sample_latents(4, 3, torch.Generator().manual_seed(0))
    with torch.no_grad():
        poses = model.eval().poses(batch.image[:4], latents)
    assert poses.shape == (4, 3, 6)
    assert poses.isfinite().all()


def test_a_wrapped_pose_does_not_depend_on_whole_turns(built: Build):
    parts = built("model=diff_in_stn", "data/distortion=full", "sampler.steps=4", *WRAPPED)
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(4))
    torch.nn.init.normal_(model.denoiser.network.network.output.weight, std=0.05)
    x_t, t = torch.randn(4, 6), torch.full((4,), 500)
    turned = x_t + torch.tensor([2 * math.pi, 0, 0, 0, 0, 0])
    told = {"embedding": model.encoder(batch.image)}
    with torch.no_grad():
        once, again = (model.denoiser(x, t, **told).eps for x in (x_t, turned))
    torch.testing.assert_close(once, again, rtol=1e-3, atol=1e-4)


def test_the_angle_is_asked_of_the_encoder_and_walks_start_around_its_reading(built: Build):
    parts = built("model=diff_in_stn", "data/distortion=full", "sampler.steps=4", *WRAPPED)
    model, batch = parts.model.train(), parts.data.batch("train", torch.arange(16))
    model.angle_head(model.encoder(batch.image), torch.zeros(16)).backward()
    assert all(p.grad.abs().sum() > 0 for p in model.encoder.parameters() if p.dim() > 1)
    for weight in (0.0, 1.0, 2.0):
        model.angle_weight = weight
        terms = model.loss(batch)
        known = terms["diffusion"] + 0.5 * terms["label"] + terms["nll"]
        torch.testing.assert_close(terms["loss"], known + weight * terms["angle"])
    torch.nn.init.zeros_(model.angle_head.linear.weight)
    model.standardiser.mean[1:3] = 1  # scales: a pose of none has no angle
    turns = []
    for phi in (0.0, 1.0):
        model.angle_head.linear.bias.data = torch.tensor([math.cos(phi), math.sin(phi)])
        latents = model.sample_latents(4, 2, torch.Generator().manual_seed(0))
        _, x_T, _ = next(iter(model.eval().reverse_process(batch.image[:4], latents)))
        turns.append(decompose(as_matrix(x_T))[0])
    torch.testing.assert_close(wrap(turns[1] - turns[0]), torch.ones(4, 2), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("model.angle_weight=1",), "noise=wrapped"),
        (("model.noise=uniform", "sampler.eta=1"), "draws Gaussian noise"),
        (("model.noise=laplace", "sampler=ddpm"), "sampler.eta=0"),
        (("model.noise=wrapped",), "model.prediction=eps"),
        ((*WRAPPED, "schedule.sigma_max=1"), "schedule.sigma_max=8"),
        ((*WRAPPED, "data/distortion=projective"), "affine poses"),
        (("model.noise=cauchy",), "choose one of gaussian"),
        (("model.topk=11", "classifier=frozen"), "topk=11: these data have 10 classes"),
        (("model.topk=3", "classifier=joint"), "choose classifier=frozen"),
    ],
)
def test_what_does_not_fit_is_refused(built: Build, words: tuple[str, ...], said: str):
    with pytest.raises((ValueError, UserError), match=said):
        built("model=diff_in_stn", *words)

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from diffstn import load
from diffstn.build import Built
from diffstn.cli.train import train_command
from diffstn.data.batches import Batch


@pytest.mark.parametrize("data", ["mnist", "affine_mnist"])
def test_gives_probabilities_of_images_as_they_come(built: Callable[..., Built], data: str):
    parts = built("model=classifier", f"data={data}", tiny=False)
    batch = parts.data.batch("val", torch.arange(4))
    probabilities = parts.model.eval()(batch.image)
    torch.testing.assert_close(probabilities, parts.model.network(batch.image).softmax(-1))
    assert probabilities.shape == (4, 10)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_smoothed_labels_are_the_targets(built: Callable[..., Built], smoothing: float):
    model: Any = built(
        "model=classifier", "encoder=fc", f"model.label_smoothing={smoothing}", tiny=False
    ).model
    model.log = lambda *_, **__: None
    batch = Batch(torch.rand(6, 1, 28, 28), torch.arange(6))
    target = torch.full((6, 10), smoothing / 10)
    target[torch.arange(6), batch.label] += 1 - smoothing
    expected = -(target * model(batch.image).log()).sum(1).mean()
    torch.testing.assert_close(model.training_step(batch, 0), expected)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An npz file of blurred noise, of which a class is a colour."""
    generator, path = np.random.default_rng(0), tmp_path_factory.mktemp("photographs") / "c.npz"
    arrays: dict[str, Any] = {}
    for split, size in (("train", 5128), ("test", 40)):
        labels = generator.integers(0, 10, size)
        colours = np.stack([labels % 3, labels // 3, 9 - labels], -1)[:, None, None] * 20
        coarse = generator.integers(0, 60, (size, 8, 8, 3)) + colours
        arrays[f"{split}_images"] = coarse.repeat(4, 1).repeat(4, 2).astype(np.uint8)
        arrays[f"{split}_labels"] = labels.astype(np.uint8)
    np.savez(path, **arrays)
    return path


def test_the_recipe_of_a_judge_trains_resumes_and_keeps_what_it_was_fitted_to(
    workplace: Path, photographs: Path
):
    words = [
        *("experiment=judge/cifar10", f"data.source={photographs}", "encoder.widths=[8,16]"),
        *("data.limit_train=128", "data.limit_val=40", "data.batch_size=32", "epochs=2"),
        *("validate_every=1", "trainer.precision=fp32", "accelerator=cpu", "report=false"),
    ]
    assert train_command([*words, "out=straight"]) == 0
    assert train_command([*words, "out=stopped", "trainer.max_time=00:00:00:00"]) == 124
    assert train_command(["out=stopped", "resume=true", "trainer.max_time=null"]) == 0
    ours, theirs = (
        torch.load(workplace / name / "checkpoints" / "last.ckpt", weights_only=True)
        for name in ("stopped", "straight")
    )
    for states in ("state_dict", "ema_state_dict"):
        for name, value in theirs[states].items():
            assert torch.equal(ours[states][name], value), name
    whitening: Any = load("straight").network.encoder.encoder.whitening
    assert whitening.fitted
    with np.load(photographs) as arrays:
        images = torch.tensor(arrays["train_images"][:128]).permute(0, 3, 1, 2) / 255
    answers = whitening(images)[:, :12].transpose(0, 1).flatten(1)
    variances = torch.cov(answers.double(), correction=0)
    assert variances.diag().min() > 0.8  # where ε counts; of the pixels themselves it is 0.02
    assert (variances - variances.diag().diag()).abs().max() < 0.01
    assert abs(variances.diag().max() - 1) < 0.01
    # from old weights, a new run reads images as they did
    more = ["ckpt=straight", "out=later", "epochs=1", "data.limit_train=64"]
    assert train_command([*words, *more]) == 0
    later: Any = load("later").network.encoder.encoder.whitening
    assert torch.equal(later.weight, whitening.weight)

import pytest
import torch

from diffstn.errors import UserError
from diffstn.tasks.classify import Classify


def test_accuracy_is_that_of_the_models_answers(built, measure):
    parts = built("model=classifier", "data=mnist", "encoder=fc", tiny=False)
    batch = parts.data.batch("test", torch.arange(40))
    with torch.no_grad():
        right = parts.model.eval()(batch.image).argmax(-1) == batch.label
    result = measure(parts, batch_size=9)
    assert result["accuracy"] == pytest.approx(100 * right.double().mean().item(), abs=0.01)
    assert result["numbers"] == {"accuracy": result["accuracy"]}
    assert set(result["per_class"]) == {str(int(label)) for label in batch.label.unique()}
    rows = torch.tensor(result["confusion"]["rows"])
    assert torch.equal(rows.sum(dim=1), batch.label.bincount(minlength=10))
    assert int(rows.diagonal().sum()) == int(right.sum())
    assert result["confusion"]["classes"] == list("0123456789")


def test_only_the_first_images_of_a_split(built, measure):
    parts = built("model=classifier", "encoder=fc", "data.limit_val=30", tiny=False)
    assert measure(parts)["protocol"] == {"split": "test", "images": 40}
    assert measure(parts, limit=12)["images"] == 12
    assert measure(parts, limit=1000)["images"] == 40
    assert measure(parts, split="val")["protocol"] == {"split": "val", "images": 30}


def test_the_table():
    table = Classify().table({"accuracy": 99.5, "per_class": {"0": 99.0}})
    assert "| accuracy % | 99.5 |" in table
    assert table.splitlines()[-1].split("|")[1:-1] == [" accuracy % ", " 99.0 "]


def test_what_cannot_classify_is_refused(built):
    points = built("model=ddpm_points", "network.width=16", tiny=False)
    with pytest.raises(UserError, match="task=classify is none for DiffusionModel"):
        Classify().check(points.model, points.data)

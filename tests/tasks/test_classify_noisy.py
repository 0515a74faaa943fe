import pytest
import torch

from diffstn.errors import UserError
from diffstn.tasks.classify_noisy import ClassifyNoisy

WORDS = ("model=noisy_classifier", "network.width=8", "schedule.steps=20")


def test_accuracy_over_all_noise_levels_and_at_five(built, measure):
    found = measure(built(*WORDS, tiny=False))
    assert list(found["by_noise"]) == ["t = 1", "t = 5", "t = 10", "t = 15", "t = 20"]
    assert found["numbers"] == {"accuracy": found["accuracy"]}
    assert measure(built(*WORDS, tiny=False)) == found


def test_a_model_that_reads_what_is_left_of_the_image(built, measure, monkeypatch):
    """The nearest of the clean digits is the digit itself at little noise, and chance at much."""
    parts = built(*WORDS, tiny=False)
    batch = parts.data.batch("test", torch.arange(40))
    clean = parts.model.codec.encode(batch.image).flatten(1)

    def nearest(x_t, t):
        scale = parts.model.schedule.alpha(t).view(-1, 1)
        found = torch.cdist(x_t.flatten(1) / scale, clean).argmin(-1)
        return torch.nn.functional.one_hot(batch.label[found], 10).float()

    monkeypatch.setattr(parts.model, "forward", nearest)
    found = measure(parts)
    assert found["by_noise"]["t = 1"] == 100
    assert found["by_noise"]["t = 20"] < 60
    table = parts.task.table(found)
    assert "| at t = 20 " in table


def test_a_classifier_of_clean_images_is_refused(built):
    clean = built("model=classifier", "data=mnist", "encoder=fc", tiny=False)
    with pytest.raises(UserError, match="task=classify_noisy is none for ImageClassifier"):
        ClassifyNoisy().check(clean.model, clean.data)

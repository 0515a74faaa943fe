import pytest
import torch

from diffstn.errors import UserError
from diffstn.tasks.classify import Classify
from diffstn.tasks.classify_noisy import ClassifyNoisy
from diffstn.tasks.task import Task


class Nothing(Task):
    """Measures nothing."""

    def measure(self, model, data, seed=0):
        return {"numbers": {}, "protocol": {}}

    def table(self, metrics):
        return ""


def test_a_task_needs_numbers_and_a_table_and_has_nothing_else(tmp_path):
    task = Nothing()
    task.check(None, None)
    assert task.plot(None, None, tmp_path) == []
    assert task.callbacks(None, None, tmp_path, torch.inference_mode) == []
    with pytest.raises(UserError, match="task=nothing has no samples to keep"):
        task.to_keep(None, None, 3)
    with pytest.raises(TypeError, match="abstract"):
        Task()  # type: ignore[abstract]


def test_settings_are_named_and_stay():
    task = Classify(limit=3)
    with pytest.raises(AttributeError):
        task.limit = 4  # type: ignore[misc]
    with pytest.raises(TypeError):
        Classify("val")  # type: ignore[misc]
    with pytest.raises(TypeError, match="per_class"):
        Classify(per_class=3)  # type: ignore[call-arg]


def test_a_task_without_samples_is_named_as_on_the_command_line():
    with pytest.raises(UserError, match="task=classify_noisy has no samples to keep: leave save="):
        ClassifyNoisy().to_keep(None, None, 3)


@pytest.mark.parametrize("task", ["redraw", "generate_images", "generate_clouds", "classify_noisy"])
def test_a_task_of_other_models_is_refused_in_one_line(train, capsys, task):
    assert train("model=stn", f"task={task}", "out=run") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: task={task} is none for STN")
    assert error.count("\n") == 1

"""A stranger's run folder runs no code."""

import pytest

from diffstn.errors import UserError
from diffstn.located import located
from diffstn.store.trust import check_targets


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "torch.hub.load",
        "torch.optimal.SGD",
        "diffstn.runs.train.Path",
        "diffstn.store.run_folder.os.system",
        "torch.optim.optimizer.functools.partial",
        "pytorch_lightning.callbacks.checkpoint.Callback.__class__",
        "diffstnx.evil",
    ],
)
@pytest.mark.parametrize("wrap", [lambda n: n, lambda n: {"a": [{"b": n}]}])
def test_code_that_is_not_ours_is_refused(target: str, wrap):
    with pytest.raises(UserError, match=r"refusing to build|there is no such class"):
        check_targets(wrap({"_target_": target}))


def test_what_is_trusted_passes():
    check_targets({"_target_": "torch.optim.AdamW", "x": [{"_target_": "diffstn.models.stn.STN"}]})
    with pytest.raises(UserError, match=r"pass trust=\[json\]"):
        check_targets({"_target_": "json.dumps"})
    check_targets({"_target_": "json.dumps"}, ["json"])


def test_names_are_located_and_slips_explained():
    assert located("diffstn.models.stn.STN").__name__ == "STN"
    for name, reason in [
        ("diffstn.models.stn.STM", "has no attribute 'STM'"),
        ("nothing.at.all", "No module named 'nothing'"),
        ("plain", "it is no dotted name"),
    ]:
        with pytest.raises(UserError, match=reason):
            located(name)

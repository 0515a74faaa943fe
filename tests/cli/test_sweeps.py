"""Sweeps that are cut off, and those that search."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from diffstn.cli.conf import composed
from diffstn.models.stn import STN

Train = Callable[..., int]
SEARCH = [
    *("-m", "model=stn", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=3"),
    *("hydra.sweeper.n_jobs=1", "hydra.sweeper.sampler.seed=3", "hydra.sweep.dir=here"),
    "optimizer.lr=tag(log, interval(0.0001, 0.1))",
]


def finished(folder: Path = Path("here")) -> dict[str, Any]:
    """When which job came to an end, and with what weights."""
    found = {}
    for job in sorted(folder.iterdir()):
        if (job / "status.json").exists():
            state = json.loads((job / "status.json").read_text())
            last = job / "checkpoints/last.ckpt"
            found[job.name] = (
                state["state"],
                last.stat().st_mtime_ns if last.exists() else None,
                torch.load(last, weights_only=True)["state_dict"] if last.exists() else None,
            )
    return found


@pytest.fixture
def stops_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`stops_at(n)`: an interrupt in training step n, counted over all jobs; 0 is none."""
    loss, left = STN.loss, [0]

    def counted(self: STN, batch: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return loss(self, batch)

    monkeypatch.setattr(STN, "loss", counted)
    return lambda n: left.__setitem__(0, n)


GRID = ["-m", "model=stn", "seed=1,2", "hydra.sweep.dir=here"]


@pytest.mark.parametrize("words", [GRID, pytest.param(SEARCH, marks=pytest.mark.slow)])
def test_a_sweep_that_was_cut_off_goes_on(
    words: list[str], train: Train, stops_at: Callable[[int], None]
):
    if "hydra/sweeper=optuna" in words:
        pytest.importorskip("hydra_plugins.hydra_optuna_sweeper.optuna_sweeper")
    [*_, dir_word] = [word for word in words if "sweep.dir" in word]
    elsewhere = [word.replace("here", "whole") if word is dir_word else word for word in words]
    assert train(*elsewhere) == 0
    whole = finished(Path("whole"))
    jobs = len(whole)
    last = next(Path("whole").glob("*/checkpoints/last.ckpt"))
    steps = torch.load(last, weights_only=True)["global_step"]

    stops_at(steps + 1)
    assert train(*words) == 1
    cut = finished()
    assert [state for state, *_ in cut.values()] == [
        "done",
        "interrupted",
        *["skipped"] * (jobs - 2),
    ]
    stops_at(0)
    assert train("-m", "hydra.sweep.dir=here", "resume=true") == 0
    after = finished()
    assert list(after) == list(whole)
    assert [state for state, *_ in after.values()] == ["done"] * jobs
    first = next(iter(after))
    assert after[first][1] == cut[first][1]  # not trained again
    for name, (_, _, weights) in after.items():
        assert all(torch.equal(w, whole[name][2][key]) for key, w in weights.items())


def test_a_search_is_told_by_the_model_what_is_better(train: Train):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper.optuna_sweeper")
    assert train(*SEARCH, "hydra.sweeper.n_trials=2") == 0
    assert "hydra.sweeper.direction=maximize" in Path("here/sweep.txt").read_text().splitlines()
    found = yaml.safe_load(Path("here/optimization_results.yaml").read_text())
    best = [
        next(iter(json.loads(path.read_text())["monitored"].values()))
        for path in Path("here").glob("*/metrics.json")
    ]
    assert found["best_value"] == max(best)
    assert len(best) == 2


def test_the_search_space_that_ships_composes():
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper.optuna_sweeper")
    cfg = composed("train", ["experiment=search/diff_in_stn"], hydra_too=True)
    assert cfg.hydra.runtime.choices["hydra/sweeper"] == "optuna"
    for key in cfg.hydra.sweeper.params:
        node: Any = cfg
        for part in key.split("."):
            assert part in node, key
            node = node[part]


def test_a_slurm_sweep_writes_a_script_that_asks_for_what_was_said(
    train: Train, workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
):
    """Dry: a stand-in for `sbatch` keeps the script and refuses the job."""
    pytest.importorskip("submitit")
    tool = workplace / "bin" / "sbatch"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\nfor last; do :; done\ncp "$last" "$SCRIPT"\nexit 1\n')
    tool.chmod(0o755)
    tool.with_name("srun").symlink_to(tool)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SCRIPT", str(workplace / "script.sh"))
    words = ["hydra/launcher=submitit_slurm", "hydra.launcher.partition=long"]
    asked = ["-m", "model=stn", "seed=1,2", *words, "hydra.launcher.timeout_min=90"]
    assert train(*asked) == 2
    said = capsys.readouterr().err.splitlines()[-1]  # Hydra's log may say more before
    assert said.startswith("error: the sweep cannot go on: ")
    script = (workplace / "script.sh").read_text()
    assert "#SBATCH --partition=long" in script
    assert "#SBATCH --array=0-1" in script
    assert "#SBATCH --time=90" in script

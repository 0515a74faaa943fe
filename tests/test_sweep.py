"""A sweep of W&B's drives train.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from diffstn.store.run_folder import RunFolder
from tests.boards import wandb_records
from tests.conftest import TINY
from tests.sweep_server import SweepServer

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_an_agent_runs_the_example_s_sweep(tmp_path: Path):
    pytest.importorskip("wandb")
    content = yaml.safe_load((ROOT / "examples" / "sweep.yaml").read_text())
    small = dict(word.split("=", 1) for word in TINY if not word.startswith("encoder="))
    small |= {"logger.wandb.offline": "True", "network.width": "32", "sampler.steps": "2"}
    runs = {
        "first": {"optimizer.lr": 0.001, "model.label_weight": 0.5, "encoder": "fc", **small},
        "second": {"optimizer.lr": 0.002, "model.label_weight": 2.0, "encoder": "fc", **small},
    }
    with SweepServer(yaml.safe_dump(content), runs, str(ROOT / "train.py")) as server:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        agent = subprocess.run(
            [sys.executable, "-m", "wandb", "agent", "me/diffstn/sweep123"],
            cwd=tmp_path,
            env={**os.environ, **server.environment, "PATH": path, "WANDB_SILENT": "true"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert agent.returncode == 0, agent.stderr
    for name, settings in runs.items():
        run = RunFolder(tmp_path / "sweeps" / "wandb" / name)
        assert run.read_json("status")["state"] == "done", agent.stderr
        assert run.read_config()["optimizer"]["lr"] == settings["optimizer.lr"]
        assert run.read_json("loggers") == {"wandb": name}
        [file] = run.path.glob("wandb/offline-run-*/*.wandb")
        begun = next(r.run for r in wandb_records(file) if r.WhichOneof("record_type") == "run")
        assert (begun.run_id, begun.sweep_id) == (name, "sweep123")

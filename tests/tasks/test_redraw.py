"""Runs of STN-in-Diff, from training to numbers and figures."""

from pathlib import Path

import pytest
import yaml
from diffstn.runs.command import train_command
from diffstn.runs.sampling import sample_run

from diffstn.store.markdown import result_table
from diffstn.store.run_folder import RunFolder, open_run

CONF = Path(__file__).parents[2] / "conf"
TINY = [
    *("data.limit_train=64", "data.limit_val=20", "data.limit_test=40", "data.batch_size=32"),
    *("epochs=1", "validate_every=1", "accelerator=cpu", "accelerator.precision=fp32"),
    *("network.width=8", "network.blocks=1", "network.head_features=8"),
    *("sampler.steps=2", "out=run"),
]


@pytest.mark.parametrize("what", ["model=stn_in_diff", "experiment=paper/stn_in_diff"])
def test_a_run_is_judged_like_a_corrector_and_measured_against_upright_images(workplace, what):
    assert train_command(CONF, [what, *TINY, "evaluate.hypotheses=[1,2]"]) == 0
    metrics = RunFolder("run").read_json("metrics")
    assert set(metrics["k"]) == {"1", "2"}
    assert metrics["oracle"] > 90 > metrics["uncorrected"] > 10
    as_is = metrics["images_as_is"]
    assert as_is["oracle"]["psnr_db"] > as_is["uncorrected"]["psnr_db"] > 5
    assert as_is["oracle"]["ssim"] > as_is["uncorrected"]["ssim"]
    assert -1 <= metrics["k"]["1"]["image"]["ssim"] <= 1
    table = result_table(metrics)
    assert "PSNR dB" in table
    assert "corrected, k = 2" in table
    run = open_run("run")
    settings = {
        **yaml.safe_load((CONF / "sample.yaml").read_text()),
        "accelerator": {"name": "cpu", "precision": "fp32"},
        "out": "images",
    }
    drawn = {path.name for path in sample_run(run, settings, run.read_config())}
    assert {"corrected.png", "reverse_process.png"} <= drawn

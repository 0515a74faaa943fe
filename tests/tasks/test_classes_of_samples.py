from pathlib import Path

import pytest
import torch

from diffstn.build import load_model
from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.store.run_folder import open_run
from diffstn.tasks.classes_of_samples import check_mapped, columns_of, plot_classes, purities
from diffstn.tasks.features import choose_features
from diffstn.tasks.generate_images import GenerateImages

WORDS = [
    *("model=ddpm_unet", "network.width=8", "network.blocks=1", "network.attention=[]"),
    *("schedule.steps=20", "sampler.steps=2", "task.track=0", "task.samples=140", "epochs=1"),
    *("data.limit_train=128", "data.limit_val=20", "data.limit_test=140", "data.batch_size=64"),
    *("accelerator=cpu", "trainer.precision=fp32", "report=false"),
]


def test_classes_are_found_by_name():
    known = ("airplane", "automobile", "bird", "cat", "deer", "dog")
    assert columns_of(known, ("automobile", "dog")) == [1, 5]
    assert columns_of(known, ("dog", "automobile")) == [5, 1]
    assert columns_of(known, ("dog", "pond")) == []


def test_samples_that_lie_with_their_class_are_pure():
    labels = torch.arange(90) % 3
    real = torch.eye(3, 8)[labels] + 0.01 * torch.randn(90, 8)
    found = purities(real.flip(0), labels.flip(0), real, labels)
    assert set(found.values()) == {100.0}
    wrong = purities(real, (labels + 1) % 3, real, labels)
    assert (wrong["purity %"], wrong["purity among real %"]) == (100.0, 0.0)
    assert purities(real[:5], labels[:5], real, labels) == {}


def test_what_a_batch_norm_by_class_samples_depends_on_the_statistics(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
):
    """From training to a map, and the same weights with statistics of the batch."""
    monkeypatch.setattr(GenerateImages, "plot", lambda *_, **__: [])
    assert train_command([*WORDS, "network.norm=conditional_batch", "out=run"]) == 0
    assert "purity %" in open_run("run").read_json("metrics")["numbers"]
    config = open_run("run").read_config()
    model = load_model("run")
    config["network"]["norm"] = "conditional_live_batch"
    live = load_model("run", config=config)
    noise, label = torch.randn(6, 1, 28, 28), torch.arange(6)
    for parameter in (*model.parameters(), *live.parameters()):
        torch.nn.init.constant_(parameter, 0.05)
    with torch.no_grad():
        alone, together = (
            [m.generate(noise[:n], label[:n], torch.Generator().manual_seed(0)) for n in (1, 6)]
            for m in (model, live)
        )
    torch.testing.assert_close(alone[0], alone[1][:1])
    assert not torch.allclose(together[0], together[1][:1], atol=1e-3)
    words = ["run=run", "network.norm=conditional_live_batch", "accelerator=cpu", "out=live"]
    assert run_command("evaluate", words) == 0


def test_a_map_shows_samples_beside_real_images(built, tmp_path: Path):
    model, data, _ = built(*WORDS, tiny=False)
    data.setup()
    features = choose_features(None, data.facts)
    with torch.inference_mode():
        name, path = plot_classes(model.eval(), data, features, tmp_path, 40, 0)
    assert (name, path.name) == ("classes", "classes.png")
    for count in (30, 1001):
        with pytest.raises(Exception, match="31 to 1000"):
            check_mapped(count)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model.conditional=false", "task.cas=10"], "model.conditional=true"),
        (["model.conditional=false", "network.norm=conditional_group"], "network.norm=group"),
        (["network.norm=layer"], "choose one of group"),
        (["network.label=word"], "embedding, channel"),
    ],
)
def test_what_cannot_be_is_one_line(
    workplace: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    assert train_command([*WORDS, *words, "out=no"]) == 2
    [line] = capsys.readouterr().err.strip().splitlines()
    assert said in line

"""The folder of a run as a group's choice."""

from pathlib import Path

import pytest
import yaml

from diffstn.cli.chosen_runs import with_runs
from diffstn.errors import UserError
from diffstn.store.run_folder import PRETRAINED


@pytest.fixture
def autoencoder(tmp_path: Path) -> Path:
    """A folder with the configuration of such a run, as far as anybody asks here."""
    config = yaml.safe_load((PRETRAINED / "judge" / "config.yaml").read_text())
    config["choices"]["model"] = "autoencoder"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def test_the_folder_of_a_run_is_the_choice_of_its_model(autoencoder: Path):
    words = ["model=ddpm_unet", f"codec={autoencoder}", "seed=3"]
    expected = ["model=ddpm_unet", "codec=autoencoder", f"codec.run={autoencoder}", "seed=3"]
    assert with_runs(words) == expected
    assert with_runs(expected) == expected
    quoted = f"codec='{autoencoder}'"
    assert with_runs([quoted])[1] == f"codec.run='{autoencoder}'"


def test_a_sweep_over_folders_stays_one(autoencoder: Path):
    both = f"{autoencoder},{autoencoder}"
    assert with_runs([f"codec={both}"]) == ["codec=autoencoder", f"codec.run={both}"]


@pytest.mark.parametrize(
    "word",
    [
        *("codec=pixels", "run=pretrained/judge", "ckpt=pretrained/judge", "out=runs/x", "codec"),
        *(
            "network=pretrained/judge",
            "codec=nowhere",
            "codec=\0",
            "codec=",
            "model=stn,ic_stn",
        ),
        *("experiment=latent/mnist", f"codec={'x' * 5000}", "data.root=pretrained/judge"),
    ],
)
def test_other_words_stay_as_they_are(word: str):
    assert with_runs([word]) == [word]


def test_a_run_of_another_model_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"a run of model=ddpm_unet; codec takes one of model=auto"):
        with_runs(["codec=pretrained/mnist_unet"])


def test_a_path_that_leads_to_no_run_is_refused():
    with pytest.raises(UserError, match=r"codec=runs/nowhere: no run there"):
        with_runs(["codec=runs/nowhere"])

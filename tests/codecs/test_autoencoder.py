"""Latents of unit variance, of an autoencoder that learns no more."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from diffstn.build import build_data
from diffstn.codecs.autoencoder import AutoencoderCodec
from diffstn.data.facts import Facts
from diffstn.data.sources import mnist
from diffstn.errors import UserError
from diffstn.models.fit_to_data import fit_codec
from diffstn.store.run_folder import open_run
from tests.conftest import mnist_once


@pytest.fixture(scope="module")
def data(autoencoder_run: str) -> Iterator[Any]:
    """The digits of the autoencoder's run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mnist, "load_mnist", mnist_once)
        data = build_data(open_run(autoencoder_run).read_config())
        data.setup()
        yield data


@pytest.fixture(scope="module")
def codec(autoencoder_run: str, data: Any) -> AutoencoderCodec:
    """Fitted to the training digits."""
    codec = AutoencoderCodec(autoencoder_run)
    fit_codec(codec, data)
    return codec


def test_every_channel_has_mean_0_and_deviation_1(codec: AutoencoderCodec, data: Any):
    latents = {
        split: torch.cat([codec.encode(batch.image) for batch in data.batches(split, 100)])
        for split in ("train", "test")
    }
    for split, of_mean, of_std in (("train", 1e-4, 1e-4), ("test", 0.15, 0.1)):
        places = latents[split].movedim(1, -1).flatten(0, -2)
        assert torch.allclose(places.mean(0), torch.zeros(4), atol=of_mean)
        assert torch.allclose(places.std(0), torch.ones(4), atol=of_std)
    raw = codec.coder.encode(data.batch("train", torch.arange(100)).image)
    std = raw.std((0, 2, 3))
    assert float((std - 1).abs().max()) > 0.05  # it is the fit that does it


def test_decoding_undoes_the_scale_and_gives_images(codec: AutoencoderCodec, data: Any):
    images = data.batch("test", torch.arange(20)).image
    made = codec.decode(codec.encode(images))
    straight = codec.coder.decode(codec.coder.encode(images))
    assert torch.allclose(made, straight, atol=1e-4)
    assert made.shape == images.shape
    assert 0 <= float(made.min()) < float(made.max()) <= 1
    assert (made - images).square().mean() < images.var()


def test_it_is_frozen_and_tells_the_network_what_a_latent_is(codec: AutoencoderCodec):
    codec.train()
    assert not any(module.training for module in codec.modules())
    assert not any(p.requires_grad for p in codec.parameters())
    facts = Facts("upright", classes=("a",), channels=1, size=(28, 28))
    seen = codec.facts(facts)
    assert (seen.channels, seen.size, seen.classes) == (4, (8, 8), ("a",))
    assert (codec.clip, codec.bins) == (None, None)


def test_what_is_kept_builds_it_without_the_folder(codec: AutoencoderCodec, autoencoder_run: str):
    node = AutoencoderCodec.self_contained({"_target_": "x", "run": autoencoder_run})
    kept = {**node["kept"], "run": "nowhere"}
    again = AutoencoderCodec("nowhere", kept)
    assert AutoencoderCodec.self_contained({"run": "nowhere", "kept": kept})["kept"] == kept
    assert codec.coder.brought_weights
    assert not again.coder.brought_weights
    again.load_state_dict(codec.state_dict())
    images = torch.rand(2, 1, 28, 28)
    assert torch.equal(again.encode(images), codec.encode(images))


def test_a_channel_that_says_nothing_is_left_as_it_is(autoencoder_run: str):
    codec = AutoencoderCodec(autoencoder_run)
    last = codec.coder.network.encoder[-1]
    torch.nn.init.zeros_(last.weight)
    codec.fit([torch.rand(4, 1, 28, 28)])
    assert torch.equal(codec.std, torch.ones(4))
    assert bool(codec.encode(torch.rand(1, 1, 28, 28)).isfinite().all())


def test_what_does_not_fit_is_refused(codec: AutoencoderCodec, tmp_path: Path):
    facts = Facts("upright", classes=("a",), channels=1, size=(28, 28))
    for other in (replace(facts, channels=3), replace(facts, size=(32, 32))):
        with pytest.raises(UserError, match="codes 1-channel images of 28 x 28, the data has "):
            codec.facts(other)
    with pytest.raises(UserError, match="pass codec=<folder of a run of model=autoencoder>"):
        AutoencoderCodec()
    with pytest.raises(UserError, match=r"codec\.run=pretrained/judge is no run of an autoenc"):
        AutoencoderCodec("pretrained/judge")
    with pytest.raises(UserError, match="no run there"):
        AutoencoderCodec(str(tmp_path))

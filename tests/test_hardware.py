"""Which device, which precision, and why."""

import os
from pathlib import Path

import pytest
import torch

from diffstn import hardware
from diffstn.errors import UserError
from diffstn.hardware import choose_hardware, cpu_has_bf16
from diffstn.store.environment import environment


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("fast", "precision", "chosen", "why"),
    [
        (True, "auto", "bf16-mixed", "bf16: the hardware has it"),
        (False, "auto", "32-true", "fp32: the hardware has no bf16"),
        (True, "fp32", "32-true", "fp32: asked for"),
        (False, "bf16", "bf16-mixed", "bf16: asked for"),
        (False, "64-true", "64-true", "64-true: asked for"),
    ],
)
def test_precision_of_a_cpu(
    monkeypatch: pytest.MonkeyPatch, fast: bool, precision: str, chosen: str, why: str
):
    monkeypatch.setattr(hardware, "cpu_has_bf16", lambda: fast)
    choice = choose_hardware("auto", precision)
    assert (choice.accelerator, choice.precision) == ("cpu", chosen)
    assert choice.reason.startswith("CPU")
    assert choice.reason.endswith(why)
    assert choice.device == torch.device("cpu")
    assert choice.autocast().fast_dtype == torch.bfloat16
    assert choice.autocast()._enabled == (chosen == "bf16-mixed")


@pytest.mark.parametrize(
    ("threads", "cores", "load", "advice"),
    [
        (2, 2, 0.4, ""),
        (2, 2, 1.0, "OMP_NUM_THREADS=1"),
        (1, 2, 5.0, ""),
        (8, 8, 2.0, "OMP_NUM_THREADS=6"),
        (8, 8, 20.0, "OMP_NUM_THREADS=1"),
        (4, 8, 4.0, ""),
    ],
)
def test_fewer_threads_are_advised_where_other_work_has_the_cores(
    monkeypatch: pytest.MonkeyPatch, threads: int, cores: int, load: float, advice: str
):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(hardware, "other_work", lambda: load)
    said = hardware.crowded(threads)
    assert advice in said
    assert bool(said) == bool(advice)


@pytest.mark.parametrize(
    ("said", "load"),
    [
        ("2.10 1.00 0.50 3/345 99", 2.0),
        ("1.40 1.80 2.06 1/345 99", 0.0),  # what ran a minute ago has ended
        ("0.20 1.80 2.06 3/345 99", 0.2),
        ("", 0.0),
    ],
)
def test_other_work_is_what_goes_on_and_still_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, load: float
):
    (tmp_path / "loadavg").write_text(said)
    monkeypatch.setattr(hardware, "LOAD", tmp_path / "loadavg")
    assert hardware.other_work() == load


@pytest.mark.usefixtures("gpu")
def test_a_gpu_is_taken_where_there_is_one():
    choice = choose_hardware("auto")
    assert (choice.accelerator, choice.precision) == ("gpu", "bf16-mixed")
    assert choice.reason == "Some GPU; bf16: the hardware has it"
    assert choice.device.type == "cuda"
    assert choose_hardware("cpu").accelerator == "cpu"
    assert choose_hardware("gpu", "fp16").precision == "16-mixed"


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("gpu",), "no CUDA device is visible; use accelerator=cpu or auto"),
        (("tpu",), "choose auto, cpu, gpu or mps"),
        (("auto", "fp8"), "choose auto, fp32, bf16 or fp16"),
    ],
)
def test_what_cannot_be_had_is_refused(settings: tuple[str, ...], message: str):
    with pytest.raises(UserError, match=message):
        choose_hardware(*settings)


def test_bf16_is_a_matter_of_the_cpus_capabilities(monkeypatch: pytest.MonkeyPatch):
    def capable(**names: bool) -> bool:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: names, raising=False)
        return cpu_has_bf16()

    assert capable(amx_bf16=True)
    assert capable(avx512_bf16=True)
    assert not capable(avx512_f=True, amx_bf16=False)
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert not cpu_has_bf16()  # a torch that cannot tell


def test_environment_says_what_ran_where():
    said = environment(choose_hardware("cpu"), seed=3)
    assert {"diffstn", "python", "torch", "pytorch-lightning", "commit", "platform"} <= set(said)
    assert said["seed"] == 3

from dataclasses import asdict
from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from diffstn.diffusion.samplers import (
    DDIM,
    DEIS,
    Ancestral,
    AnnealedLangevin,
    Cold,
    ColdNaive,
    DPMSolver,
    Langevin,
    Sampler,
)
from diffstn.diffusion.schedules import Schedule

CONF = Path(__file__).parents[2] / "conf"

NAMES = {
    Ancestral: {"ddpm"},
    AnnealedLangevin: {"annealed_langevin"},
    Cold: {"cold"},
    ColdNaive: {"cold_naive"},
    DDIM: {"ddim"},
    DEIS: {"deis"},
    DPMSolver: {"dpm_solver", "sde_dpm_solver"},
    Langevin: {"langevin"},
}
"""The yamls of each sampler."""


@pytest.mark.parametrize("path", sorted((CONF / "schedule").glob("*.yaml")), ids=lambda p: p.stem)
def test_each_schedule_is_built_with_the_defaults_of_its_class(path):
    config = OmegaConf.load(path)
    schedule = instantiate(config)
    assert isinstance(schedule, Schedule)
    assert type(schedule).__name__.lower() == path.stem
    assert schedule.steps == config.steps
    assert (schedule.log_alpha_bar == type(schedule)().log_alpha_bar).all()


@pytest.mark.parametrize("path", sorted((CONF / "sampler").glob("*.yaml")), ids=lambda p: p.stem)
def test_each_sampler_is_built_and_every_key_is_a_field(path):
    config = OmegaConf.load(path)
    sampler = instantiate(config)
    assert isinstance(sampler, Sampler)
    assert path.stem in NAMES[type(sampler)]
    settings = {key: value for key, value in config.items() if key != "_target_"}
    assert settings == asdict(sampler)

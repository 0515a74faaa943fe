from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.schedules import Schedule

CONF = Path(__file__).parents[2] / "conf"


@pytest.mark.parametrize("path", sorted((CONF / "schedule").glob("*.yaml")), ids=lambda p: p.stem)
def test_each_schedule_is_built_with_the_defaults_of_its_class(path):
    config = OmegaConf.load(path)
    schedule = instantiate(config)
    assert isinstance(schedule, Schedule)
    assert type(schedule).__name__.lower() == path.stem
    assert schedule.steps == config.steps
    assert (schedule.log_alpha_bar == type(schedule)().log_alpha_bar).all()


@pytest.mark.parametrize("path", sorted((CONF / "sampler").glob("*.yaml")), ids=lambda p: p.stem)
def test_each_sampler_is_built_once_the_pose_keys_are_out(path):
    config = OmegaConf.load(path)
    assert (config.pop("hypotheses"), config.pop("combine")) == (1, "mean")
    sampler = instantiate(config)
    assert isinstance(sampler, Sampler)
    assert path.stem.replace("_", "").endswith(type(sampler).__name__.lower())  # sde_dpm_solver

"""A pose model that cannot learn a few digits by heart is broken; these can, in seconds."""

from collections.abc import Callable

import pytest
import torch

from diffstn.build import Built
from diffstn.models.fit_to_data import fit_to_data
from diffstn.spatial import corner_distance

DIGITS, STEPS = 32, 100
SMALL = {
    "pose_regression": [],
    "diff_in_stn": ["network.width=96", "network.blocks=2", "model.noise_levels=8"],
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("frame", [pytest.param("none", marks=pytest.mark.slow), "moments"])
def test_recovers_the_poses_of_digits_it_has_seen(
    built: Callable[..., Built], name: str, frame: str
):
    settings = [f"model={name}", f"frame={frame}", "encoder.features=128", *SMALL[name]]
    parts = built(*settings)
    model, batch = parts.model.train(), parts.data.batch("train", torch.arange(DIGITS))
    fit_to_data(model.standardiser, model, parts.data)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / STEPS)
        optimizer.zero_grad()
        model.loss(batch)["loss"].backward()
        optimizer.step()
    with torch.no_grad():
        A = model.eval()(batch.image, hypotheses=1).A[:, 0]
    before = corner_distance(model.transformation.identity().expand(DIGITS, -1), batch.A)
    after = corner_distance(A, batch.A)
    assert after.mean() < 0.2 * before.mean()

import pytest
import torch

from diffstn.diffusion.processes import Pixelate, Until


def test_it_is_the_process_up_to_there():
    process = Pixelate(1, (8, 8), steps=6)
    broken = Until(process, 4)
    x, t = torch.rand(3, 1, 8, 8), torch.tensor([1, 2, 4])
    assert broken.steps == 4
    assert torch.equal(broken.corrupt(x, t, x), process.corrupt(x, t))
    assert broken.noise(x) is x
    assert not hasattr(broken, "prior")


@pytest.mark.parametrize("steps", [0, 7])
def test_it_ends_within_the_process(steps):
    with pytest.raises(ValueError, match="choose 1 to 6"):
        Until(Pixelate(1, (8, 8), steps=6), steps)

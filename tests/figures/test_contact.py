import pytest
import torch

from diffstn.figures.contact import contact_sheet


def test_images_stand_in_rows_with_gaps_between():
    images = torch.arange(1, 6).float().view(5, 1, 1, 1).expand(5, 1, 2, 3) / 5
    page = contact_sheet(images, columns=3, scale=2, gap=1)
    assert page.shape == (1, 2 * 4 + 1, 3 * 6 + 2)
    assert (page[0, :4, :6] == 0.2).all()
    assert (page[0, 5:, 7:13] == 1.0).all()  # the fifth
    assert (page[0, 4] == 0).all()
    assert (page[0, :, 6] == 0).all()
    assert (page[0, 5:, 14:] == 0).all()  # nothing there


@pytest.mark.parametrize(("channels", "paper"), [(1, 0.0), (3, 1.0)])
def test_rows_that_end_early_leave_paper(channels: int, paper: float):
    page = contact_sheet(torch.full((3, channels, 2, 2), 0.5), columns=2, scale=1, gap=1)
    assert (page[:, 3:, 3:] == paper).all()
    assert (page[:, 2] == paper).all()


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="images"):
        contact_sheet(torch.zeros(0, 1, 2, 2), 3)

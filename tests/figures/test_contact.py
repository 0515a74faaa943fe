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


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="images"):
        contact_sheet(torch.zeros(0, 1, 2, 2), 3)

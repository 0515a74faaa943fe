import torch

from diffstn.networks.digest import digest_of


def test_it_tells_weights_names_and_words_apart_and_not_memory_formats():
    weight = torch.randn(2, 3, 4, 4)
    one = digest_of({"weight": weight}, "V")
    assert one.shape == (16,)
    same = digest_of({"weight": weight.to(memory_format=torch.channels_last)}, "V")
    assert torch.equal(one, same)
    changed = weight.clone()
    changed[0, 0, 0, 0] += 1e-6
    for other in (
        digest_of({"weight": changed}, "V"),
        digest_of({"bias": weight}, "V"),
        digest_of({"weight": weight}, "Eps"),
    ):
        assert not torch.equal(one, other)

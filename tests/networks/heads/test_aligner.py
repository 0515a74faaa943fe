import torch

from diffstn.networks.heads.aligner import Aligner
from diffstn.spatial import Affine


def test_it_starts_at_the_identity_and_stays_near_it():
    aligner, embedding = Aligner(5), 1e6 * torch.randn(3, 5)
    identity = Affine().identity().expand(3, -1)
    assert torch.equal(aligner(embedding), identity)
    torch.nn.init.normal_(aligner.head.weight)
    assert ((aligner(embedding) - identity).abs() <= 1).all()
    with torch.autocast("cpu", torch.bfloat16):
        assert aligner(embedding.bfloat16()).dtype == torch.float32

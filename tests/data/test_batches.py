import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffstn.data.batches import IndexLoader, keyed_generator


@given(
    st.integers(0, 200),
    st.integers(1, 50),
    st.integers(1, 5),
    st.booleans(),
)
def test_shards_are_disjoint_and_cover_everything(size, batch_size, world_size, shuffle):
    loaders = [
        IndexLoader(size, batch_size, shuffle=shuffle, rank=rank, world_size=world_size)
        for rank in range(world_size)
    ]
    batches = [batch for loader in loaders for batch in loader]
    assert sorted(i for batch in batches for i in batch.tolist()) == list(range(size))
    assert all(len(list(loader)) == len(loader) for loader in loaders)
    assert all(len(batch) <= batch_size for batch in batches)


@given(st.integers(0, 200), st.integers(1, 50), st.integers(1, 5))
def test_training_batches_are_full_and_equally_many(size, batch_size, world_size):
    loaders = [
        IndexLoader(
            size, batch_size, shuffle=True, drop_last=True, rank=rank, world_size=world_size
        )
        for rank in range(world_size)
    ]
    batches = [list(loader) for loader in loaders]
    full = min(batch_size, size // world_size)
    assert {len(b) for b in batches} == {len(loaders[0])}
    assert all(len(batch) == full for shard in batches for batch in shard)
    seen = [i for shard in batches for batch in shard for i in batch.tolist()]
    assert len(set(seen)) == len(seen)
    assert size // world_size - len(batches[0]) * full < max(full, 1)


def test_order():
    loader = IndexLoader(100, 30, shuffle=True, seed=3)

    def order():
        return torch.cat(list(loader)).tolist()

    first = order()
    assert first == order() != list(range(100))
    loader.sampler.set_epoch(1)
    second = order()
    assert second not in (first, list(range(100)))
    loader.set_epoch(0)
    assert order() == first
    assert torch.cat(list(IndexLoader(100, 30, shuffle=True, seed=4))).tolist() != first
    assert torch.cat(list(IndexLoader(100, 30))).tolist() == list(range(100))


def test_a_tiny_set_still_trains():
    batches = list(IndexLoader(10, 256, shuffle=True, drop_last=True))
    assert [len(batch) for batch in batches] == [10]


def test_bad_arguments():
    with pytest.raises(ValueError, match="batch_size is 0"):
        IndexLoader(10, 0)
    with pytest.raises(ValueError, match="rank 2"):
        IndexLoader(10, 5, rank=2, world_size=2)


def test_keys_give_unrelated_streams():
    keys = [(seed, epoch) for seed in range(20) for epoch in range(20)]
    draws = {torch.rand(1, generator=keyed_generator(*key)).item() for key in keys}
    assert len(draws) == len(keys)
    again = [torch.rand(1, generator=keyed_generator(7, 3)) for _ in range(2)]
    assert torch.equal(*again)

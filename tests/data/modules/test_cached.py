"""Decoded images on disk are those of the files, whatever happens to the disk."""

import logging
import multiprocessing
import os
import time
from pathlib import Path

import pytest
import torch

from diffstn.data.modules import cached as cache
from diffstn.data.modules.cached import ENDING, HEAD, cached
from diffstn.data.modules.streamed import StreamedImages
from diffstn.data.sources.image_folder import ImageFolder
from diffstn.data.sources.stored import StoredImages
from diffstn.errors import UserError

from ..conftest import configured


def source(folder: Path, **settings) -> ImageFolder:
    return ImageFolder(str(folder), (28, 28), 1, val=0.2, test=0.2, **settings)


def streamed(folder: Path, kept: Path | None, **options) -> StreamedImages:
    return StreamedImages(source(folder), workers=0, cache=kept and str(kept), **options)


def items(data: StreamedImages, split: str = "train") -> torch.Tensor:
    return torch.cat([batch.image for batch in data.batches(split, 7)])


@pytest.fixture
def filled(digit_folder, tmp_path):
    """A folder of images and its cache."""
    streamed(digit_folder, tmp_path / "cache").setup()
    return digit_folder, tmp_path / "cache"


def file_of(kept: Path, data: StreamedImages, split: str = "train") -> Path:
    return kept / f"{data.digest(split)}{ENDING}"


def test_the_second_run_decodes_nothing_and_sees_the_same(filled, monkeypatch):
    folder, kept = filled
    plain = streamed(folder, None)
    expected = {split: items(plain, split) for split in ("train", "val", "test")}
    assert len(list(kept.glob(f"*{ENDING}"))) == 3
    assert not list(kept.glob("*.part"))
    again = streamed(folder, kept)
    again.setup()
    monkeypatch.setattr(StoredImages, "at", lambda *_: pytest.fail("decodes"))
    for split, images in expected.items():
        assert torch.equal(items(again, split), images)
        assert again.digest(split) == plain.digest(split)
    rows = torch.tensor([4, 0, 0])
    assert torch.equal(again.batch("train", rows).image, expected["train"][rows])


def test_workers_fill_it_and_read_from_it(digit_folder, tmp_path):
    data = StreamedImages(source(digit_folder), workers=2, cache=str(tmp_path / "cache"))
    assert torch.equal(items(data), items(streamed(digit_folder, None)))


@pytest.mark.parametrize("damage", ["cut", "head", "nothing", "folder"])
def test_a_damaged_file_is_made_again(filled, damage):
    folder, kept = filled
    plain = streamed(folder, None)
    path = file_of(kept, plain)
    content = path.read_bytes()
    if damage == "folder":  # a draft that a killed process has left
        path.unlink()
        path.with_suffix(".part").write_bytes(content[:100])
    else:
        cut = {"cut": content[:-1], "head": b"x" + content[1:], "nothing": b""}
        path.write_bytes(cut[damage])
    assert torch.equal(items(streamed(folder, kept)), items(plain))
    assert path.read_bytes() == content


@pytest.mark.parametrize("where", ["pixel", "checksum"])
def test_a_damaged_image_is_read_again_and_mended(filled, where, caplog):
    folder, kept = filled
    plain = streamed(folder, None)
    path, n = file_of(kept, plain), plain.count("train")
    content = path.read_bytes()
    place = HEAD + (4 * n + 784 * 3 + 300 if where == "pixel" else 4 * 3)
    spoilt = bytearray(content)
    spoilt[place] ^= 0xFF
    path.write_bytes(spoilt)
    cache.mapped.cache_clear()
    with caplog.at_level(logging.WARNING, "diffstn"):
        assert torch.equal(items(streamed(folder, kept)), items(plain))
    assert "image 3 was damaged" in caplog.text
    assert path.read_bytes() == content


def test_what_is_stale_is_not_read(filled):
    folder, kept = filled
    before = items(streamed(folder, kept))
    path = source(folder).files[int(source(folder).index()["train"].rows[0])]
    path.write_bytes(next(p for p in folder.rglob("*.png") if p != path).read_bytes())
    os.utime(path, ns=(1, 1))
    after = items(streamed(folder, kept))
    assert torch.equal(after, items(streamed(folder, None)))
    assert not torch.equal(after, before)
    assert len(list(kept.glob(f"*{ENDING}"))) > 3


def fill(folder: Path, kept: Path, reads) -> None:
    """Decode slowly, and count what is decoded."""
    at = StoredImages.at

    def slow(self, indices):
        time.sleep(0.05)
        with reads.get_lock():
            reads.value += len(indices)
        return at(self, indices)

    StoredImages.at = slow
    streamed(folder, kept).setup()


def test_of_two_processes_one_decodes(digit_folder, tmp_path):
    fork = multiprocessing.get_context("fork")
    reads = fork.Value("i", 0)
    words = (digit_folder, tmp_path / "cache", reads)
    both = [fork.Process(target=fill, args=words) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert [one.exitcode for one in both] == [0, 0]
    assert reads.value == 60 + 2 * 3  # each looks at one image of a split for its shape
    assert torch.equal(
        items(streamed(digit_folder, tmp_path / "cache")), items(streamed(digit_folder, None))
    )


def test_unreadable_images_are_named_and_leave_no_file(digit_folder, tmp_path):
    for path in sorted(digit_folder.rglob("*.png"))[::5]:
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UserError, match=r"\.png: unreadable .*mend or remove it"):
        streamed(digit_folder, tmp_path / "cache").setup()
    assert not [p for p in (tmp_path / "cache").glob("*") if p.suffix != ".lock"]


def test_folders_that_cannot_be_written_are_refused_at_once(digit_folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"data\.cache=.*is no folder that can be written"):
        streamed(digit_folder, tmp_path / "file" / "below")


def test_a_full_disk_is_a_line(digit_folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(UserError, match=r"cannot be written \(No space left on device\)"):
        streamed(digit_folder, tmp_path / "cache").setup()
    assert not list((tmp_path / "cache").glob("*.part"))


def test_too_little_room_is_said_before_anything_is_decoded(digit_folder, tmp_path, monkeypatch):
    usage = cache.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match=r"train split take .* GB .* are free"):
        streamed(digit_folder, tmp_path / "cache").setup()


def test_the_configuration(digit_folder, tmp_path):
    words = [f"data.root={digit_folder}", "data.workers=0", f"data.cache={tmp_path / 'kept'}"]
    data = configured("+data=streamed_image_folder", *words)
    assert next(data.batches("val")).items.shape[1:] == (3, 32, 32)
    held = cached(source(digit_folder).index()["val"], tmp_path / "other", 0, "val")
    assert held.shape == (1, 28, 28)
    assert len(list((tmp_path / "kept").glob(f"*{ENDING}"))) == 3

"""A folder of clouds: every format, and one bad file among good ones."""

import logging
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from diffstn.data.modules.cloud_folder import CloudFolder
from diffstn.errors import UserError

CUBE = """OFF
8 12 0
0 0 0
1 0 0
1 1 0
0 1 0
0 0 1
1 0 1
1 1 1
0 1 1
3 0 2 1
3 0 3 2
3 4 5 6
3 4 6 7
3 0 1 5
3 0 5 4
3 1 2 6
3 1 6 5
3 2 3 7
3 2 7 6
3 3 0 4
3 3 4 7
"""


def ply(points: np.ndarray) -> str:
    head = ["ply", "format ascii 1.0", f"element vertex {len(points)}"]
    head += [f"property float {axis}" for axis in "xyz"]
    return "\n".join([*head, "end_header", *(" ".join(map(str, p)) for p in points)]) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of ten clouds of 40 points each, in five formats."""
    generator = np.random.default_rng(0)
    for name in ("chairs", "tables"):
        sub = tmp_path / "clouds" / name
        sub.mkdir(parents=True)
        for i in range(2):
            cloud = generator.normal(size=(40, 3))
            np.save(sub / f"a{i}.npy", cloud)
            np.savez(sub / f"b{i}.npz", points=cloud, other=np.zeros(3))
            np.savetxt(sub / f"c{i}.xyz", cloud)
            (sub / f"d{i}.ply").write_text(ply(cloud))
            (sub / f"e{i}.off").write_text(CUBE)
    return tmp_path / "clouds"


def test_every_format_is_read_and_classes_are_folders(folder: Path):
    data = CloudFolder(str(folder), points=32)
    assert data.classes == ["chairs", "tables"]
    assert data.dim == 3
    data.setup()
    sizes = {split: len(data.split(split).labels) for split in ("train", "val", "test")}
    assert sum(sizes.values()) == 20
    assert data.split("train").items.shape == (sizes["train"], 32, 3)
    assert data.split("train").items.dtype == torch.float32
    assert len(data.split("train").labels.unique()) == 2
    every = torch.cat([data.split(split).items for split in sizes])
    torch.testing.assert_close(every.mean(dim=1), torch.zeros(20, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(every.norm(dim=-1).amax(dim=1), torch.ones(20))


def test_meshes_are_sampled_on_their_surface(folder: Path):
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".off":
            path.unlink()
    data = CloudFolder(str(folder), points=500, normalise="none", val=0.3, test=0.3)
    cloud = data.split("train").items[0]
    on_a_face = ((cloud.abs() < 1e-6) | ((cloud - 1).abs() < 1e-6)).any(dim=1)
    assert on_a_face.all()


def test_one_bad_file_of_each_kind_is_named_and_the_rest_is_used(
    folder: Path, caplog: pytest.LogCaptureFixture
):
    bad = folder / "chairs"
    np.save(bad / "z_empty.npy", np.zeros((0, 3)))
    np.save(bad / "z_nan.npy", np.full((40, 3), np.nan))
    np.save(bad / "z_flat.npy", np.zeros((40, 2)))
    np.save(bad / "z_few.npy", np.zeros((5, 3)))
    np.save(bad / "z_cube.npy", np.zeros((4, 4, 4)))
    np.save(bad / "z_colour.npy", np.zeros((40, 6)))
    np.savez(bad / "z_which.npz", a=np.zeros((40, 3)), b=np.zeros((40, 3)))
    os.mkfifo(bad / "z_pipe.npy")
    (bad / "z_broken.ply").write_text("ply\nnonsense\n")
    (bad / "z_words.xyz").write_text("one two three\n")
    with caplog.at_level(logging.WARNING, "diffstn"):
        data = CloudFolder(str(folder), points=32)
        data.setup()
        assert sum(len(data.split(split).labels) for split in ("train", "val", "test")) == 20
    said = caplog.text
    for name, reason in [
        ("z_empty.npy", "empty; remove it"),
        ("z_nan.npy", "40 of its 40 points are not finite"),
        ("z_flat.npy", "have 2 coordinates, most have 3"),
        ("z_few.npy", "only 5 points; lower data.points=32"),
        ("z_cube.npy", "an array (4, 4, 4)"),
        ("z_colour.npy", "6 numbers a point; keep its 2 or 3 coordinates alone"),
        ("z_which.npz", "name one 'points'"),
        ("z_pipe.npy", "no file but a pipe or a device"),
        ("z_broken.ply", "unreadable"),
        ("z_words.xyz", "unreadable"),
    ]:
        [line] = [line for line in said.splitlines() if name in line]
        assert reason in line


def test_folders_of_no_use_are_refused(folder: Path, tmp_path: Path):
    with pytest.raises(UserError, match=r"data\.root=None.*\.npy"):
        CloudFolder()
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match="holds no"):
        CloudFolder(str(empty))
    (empty / "bad.xyz").write_text("words")
    with pytest.raises(UserError, match=r"no file in .* fits.*unreadable"):
        CloudFolder(str(empty))
    (empty / "bad.xyz").write_text("1 2 3\n4 5 6\n")
    with pytest.raises(UserError, match=r"no file in .* fits.*only 2 points; lower"):
        CloudFolder(str(empty))
    with pytest.raises(UserError, match="each, all or none"):
        CloudFolder(str(folder), normalise="unit")


def test_one_scale_for_all_keeps_sizes_apart(tmp_path: Path):
    generator = np.random.default_rng(0)
    for i in range(10):
        np.save(tmp_path / f"{i}.npy", (1 + i) * generator.normal(size=(50, 2)))
    data = CloudFolder(str(tmp_path), points=50, normalise="all")
    assert data.classes == ["."]
    assert data.dim == 2
    radii = data.split("train").items.norm(dim=-1).amax(dim=1)
    assert float(radii.max()) == pytest.approx(1, abs=1e-5)
    assert float(radii.min()) < 0.6


def test_a_new_file_moves_no_other_from_one_split_to_another(tmp_path: Path):
    generator = np.random.default_rng(0)
    for i in range(60):
        np.save(tmp_path / f"{i:03}.npy", generator.normal(size=(40, 2)))

    def members(split: str) -> set[bytes]:
        data = CloudFolder(str(tmp_path), points=40)
        return {cloud.sort(dim=0).values.numpy().tobytes() for cloud in data.split(split).items}

    before = {split: members(split) for split in ("train", "val", "test")}
    np.save(tmp_path / "0005.npy", generator.normal(size=(40, 2)))
    after = {split: members(split) for split in before}
    assert all(before[split] <= after[split] for split in before)
    assert sum(map(len, after.values())) == 61


def test_far_away_clouds_keep_their_shape(tmp_path: Path):
    phi = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    for i in range(30):
        np.save(tmp_path / f"{i}.npy", np.stack([np.cos(phi), np.sin(phi)], 1) + 4e6)
    radii = CloudFolder(str(tmp_path), points=64).split("train").items.norm(dim=-1)
    torch.testing.assert_close(radii, torch.ones_like(radii), atol=1e-5, rtol=0)


def test_the_commonest_dimension_is_counted_over_all_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    for i in range(36):
        np.save(tmp_path / f"{i:02}.npy", np.random.default_rng(i).normal(size=(40, 2 + (i > 5))))
    with caplog.at_level(logging.WARNING, "diffstn"):
        assert CloudFolder(str(tmp_path), points=40).dim == 3
    assert caplog.text.count("have 2 coordinates, most have 3") == 6


def test_clouds_of_another_scale_are_warned_about_when_they_are_left_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    for index in range(30):
        np.save(tmp_path / f"{index}.npy", 100 * np.random.default_rng(index).random((60, 3)))
    with caplog.at_level(logging.WARNING):
        CloudFolder(str(tmp_path), points=50, val=0.3, test=0.3).setup()
        assert not caplog.messages
        CloudFolder(str(tmp_path), points=50, normalise="none", val=0.3, test=0.3).setup()
    [warning] = caplog.messages
    assert "standard deviation is 29.3" in warning
    assert "data.normalise=all" in warning


def test_a_mesh_reads_no_other_file(tmp_path):
    from diffstn.data.modules.cloud_folder import read_cloud

    path = tmp_path / "a.ply"
    points = "0 0 0\n1 0 0\n0 1 0\n"
    path.write_text(
        f"ply\nformat ascii 1.0\ncomment TextureFile {tmp_path}/pipe\nelement vertex 3\n"
        "property float x\nproperty float y\nproperty float z\nelement face 1\n"
        f"property list uchar int vertex_indices\nend_header\n{points}3 0 1 2\n"
    )
    os.mkfifo(tmp_path / "pipe")  # whoever opened it would wait
    assert len(read_cloud(path, 5, torch.Generator().manual_seed(0))) == 5

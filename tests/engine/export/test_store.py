"""Tests of `engine.export.store`."""

import errno
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from dask.distributed import Client, LocalCluster

import engine
from engine import blocks, catalogue, progress
from engine.errors import CancelledError, FileError, InputError
from engine.export import store, streaming
from engine.export.store import open_result, write_result
from engine.objects import Calibration, Rules, describe_objects
from engine.recipe import Recipe
from engine.schema import labels_dtype
from engine.simulate.mosaic import CLASSES
from engine.statistics import describe


def computed(tree: xr.DataTree) -> xr.DataTree:
    tree = streaming.in_memory(tree)
    tree.attrs.pop(store.STORE, None)
    return tree


def small(value: int = 1, *, chunks: int = 64) -> xr.DataTree:
    """A lazy result of 16 tiles."""
    labels = da.full((256, 256), value, chunks=chunks, dtype="u1").map_blocks(lambda tile: tile)
    classes = xr.Dataset({"count": ("label", labels.sum(dtype=int)[None])}, {"label": [value]})
    return xr.DataTree.from_dict({"/": xr.Dataset({"labels": (("y", "x"), labels)}), "/classes": classes})


def test_a_stored_result_is_the_result(result: xr.DataTree, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = write_result(result, tmp_path / "a b.zarr")
        again = open_result(path)
    assert again["labels"].chunks is not None
    xr.testing.assert_identical(computed(again), computed(result))
    assert again["classes/name"].values.tolist() == result["classes/name"].values.tolist()
    assert again["classes/name"].dtype.kind == "U"
    assert zarr.open_group(path, mode="r").metadata.zarr_format == 3
    assert [p.name for p in tmp_path.iterdir()] == ["a b.zarr"]


def test_a_stored_result_can_be_stored_again_over_itself(result: xr.DataTree, tmp_path: Path) -> None:
    path = write_result(result, tmp_path / "a.zarr")
    write_result(open_result(path), path, overwrite=True)
    xr.testing.assert_identical(computed(open_result(path)), computed(result))


def test_metadata_is_consolidated_as_zarr_reads_it(result: xr.DataTree, tmp_path: Path) -> None:
    path = write_result(result, tmp_path / "a.zarr")
    group = zarr.open_consolidated(path)
    assert {"labels", "confidence", "classes", "spectra"} <= set(group.keys())
    np.testing.assert_array_equal(group["labels"][:], np.asarray(result["labels"]))


def test_maps_and_tables_share_one_pass_over_the_data(tmp_path: Path) -> None:
    loads = []

    def load(block_id: tuple[int, ...]) -> np.ndarray:
        loads.append(block_id)
        return np.full((2, 32, 32), block_id[1] + 1.0)

    images = da.map_blocks(load, chunks=((2,), (32,) * 3, (32,) * 3), dtype=float, meta=np.empty((0, 0, 0)))
    labels = blocks.map_tiles(lambda tile: tile[0].astype("u1"), images, dtype="u1")
    total = blocks.reduce_tiles(lambda tile, part: (tile[0] * part).sum(), sum, images, labels)
    root = xr.Dataset({"labels": (("y", "x"), labels)})
    classes = xr.Dataset({"total": ("label", da.from_delayed(total, (), float)[None])}, {"label": [1]})
    path = write_result(xr.DataTree.from_dict({"/": root, "/classes": classes}), tmp_path / "a.zarr")
    assert len(loads) == 9
    assert float(open_result(path)["classes/total"].item()) == 3 * 1024 * (1 + 4 + 9)


def test_progress_is_reported_up_to_the_end(tmp_path: Path) -> None:
    shares: list[float] = []
    with progress.reporting(lambda share, _: shares.append(share)):
        write_result(small(), tmp_path / "a.zarr")
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 16


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), CancelledError("cancelled")])
def test_an_interrupted_write_leaves_nothing_behind(interruption: BaseException, tmp_path: Path) -> None:
    def stop(share: float, _: str) -> None:
        if share > 0.3:
            raise interruption

    with pytest.raises(type(interruption)), progress.reporting(stop):
        write_result(small(), tmp_path / "a.zarr")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_sentence_and_leaves_the_old_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_result(small(1), tmp_path / "a.zarr")
    put = zarr.storage._local._put
    written = []

    def full(*arguments: Any, **options: Any) -> Any:
        written.append(arguments)
        if len(written) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        return put(*arguments, **options)

    monkeypatch.setattr(zarr.storage._local, "_put", full)
    with pytest.raises(FileError, match=r"a\.zarr could not be written: the disk is full; free some space"):
        write_result(small(2), path, overwrite=True)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]
    assert set(np.unique(open_result(path)["labels"])) == {1}


@pytest.mark.parametrize("stage", ["write_layout", "write_maps", "_write_tables", "_consolidate"])
def test_a_failure_at_any_stage_leaves_the_old_result(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_result(small(1), tmp_path / "a.zarr")

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(store, stage, fail)
    with pytest.raises(RuntimeError, match="broken"):
        write_result(small(2), path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]
    assert set(np.unique(open_result(path)["labels"])) == {1}


def test_a_failing_last_check_undoes_the_write(tmp_path: Path) -> None:
    def changed() -> None:
        raise InputError("the source changed")

    with pytest.raises(InputError, match="the source changed"):
        write_result(small(), tmp_path / "a.zarr", before_rename=changed)
    assert not list(tmp_path.iterdir())


def test_a_failing_rename_puts_the_old_result_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_result(small(1), tmp_path / "a.zarr")
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(errno.EACCES, "Permission denied", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(FileError, match="no permission to write here"):
        write_result(small(2), path, overwrite=True)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]
    assert set(np.unique(open_result(path)["labels"])) == {1}


def test_a_source_that_disappears_is_named_not_the_target(tmp_path: Path) -> None:
    def load(tile: np.ndarray) -> np.ndarray:
        (tmp_path / "source.bin").read_bytes()
        return tile

    labels = da.zeros((8, 8), dtype="u1").map_blocks(load, meta=np.empty((0, 0), "u1"))
    tree = xr.DataTree(xr.Dataset({"labels": (("y", "x"), labels)}))
    with pytest.raises(FileError, match=r"source\.bin could not be read: No such file"):
        write_result(tree, tmp_path / "a.zarr")


def test_an_existing_result_is_only_replaced_when_asked(tmp_path: Path) -> None:
    path = write_result(small(1), tmp_path / "a.zarr")
    with pytest.raises(FileError, match="exists already; choose another name, or overwrite it"):
        write_result(small(2), path)
    write_result(small(2), path, overwrite=True)
    assert set(np.unique(open_result(path)["labels"])) == {2}


def test_what_is_no_result_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "map.png").touch()
    (tmp_path / "file.zarr").touch()
    for name in ("raw", "file.zarr"):
        with pytest.raises(FileError, match="is no Mapstack result, so it is not overwritten"):
            write_result(small(), tmp_path / name, overwrite=True)
    assert (tmp_path / "raw" / "map.png").exists()


def test_worker_processes_write_the_same_store(tmp_path: Path) -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        path = write_result(small(5), tmp_path / "a.zarr")
    again = open_result(path)
    assert set(np.unique(again["labels"])) == {5}
    assert again["classes/count"].item() == 5 * 256 * 256


def test_large_maps_in_memory_are_streamed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "TILE_BYTES", 1000)
    values = np.arange(64 * 64, dtype=labels_dtype(5000)).reshape(64, 64)
    path = write_result(xr.DataTree(xr.Dataset({"labels": (("y", "x"), values)})), tmp_path / "a.zarr")
    np.testing.assert_array_equal(open_result(path)["labels"], values)


def test_a_store_of_another_kind_or_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone\.zarr is not there"):
        open_result(tmp_path / "gone.zarr")
    xr.Dataset({"a": ("x", [1.0])}).to_zarr(tmp_path / "foreign.zarr", zarr_format=3, consolidated=False)
    for name in ("foreign.zarr", "."):
        with pytest.raises(InputError, match="not a Mapstack result; give the folder of a stored result"):
            open_result(tmp_path / name)
    path = write_result(small(), tmp_path / "a.zarr")
    root = path / "zarr.json"
    root.write_text(
        root.read_text().replace(f'"{store.STORE}": {store.STORE_VERSION}', f'"{store.STORE}": 99')
    )
    with pytest.raises(
        InputError, match=f"store version 99, this Mapstack reads version {store.STORE_VERSION}"
    ):
        open_result(path)


def test_a_damaged_store_is_one_sentence(tmp_path: Path) -> None:
    path = write_result(small(), tmp_path / "a.zarr")
    root = path / "zarr.json"
    root.write_text(root.read_text().replace('"uint8"', '"what8"'))
    with pytest.raises(FileError, match=r"a\.zarr is damaged .*; run it again"):
        open_result(path)


@pytest.mark.parametrize("lost", ["labels/c/0/0", "classes/count/c/0", "spectra/psi_mean/c/0/0"])
def test_a_store_that_lost_a_chunk_is_refused_and_not_read_as_0(
    result: xr.DataTree, tmp_path: Path, lost: str
) -> None:
    store = write_result(result, tmp_path / "a.zarr")
    open_result(store)
    (store / lost).unlink()
    with pytest.raises(
        FileError, match=rf"1 of \d+ chunks of {lost.split('/c/')[0]} are missing; run it again"
    ):
        open_result(store)


@pytest.mark.parametrize("zeros", [np.zeros, da.zeros])
def test_a_map_of_zeros_is_whole(zeros: Callable[..., Any], tmp_path: Path) -> None:
    maps = {"labels": (("y", "x"), zeros((8, 8), dtype=np.uint8))}
    store = write_result(xr.DataTree.from_dict({"/": xr.Dataset(maps)}), tmp_path / "a.zarr")
    assert not np.asarray(open_result(store)["labels"]).any()


NAMES = dict(enumerate(CLASSES, start=1))


def segmented(values: np.ndarray, recipe: Recipe) -> xr.DataTree:
    """Result of a frame with these classes, laid out as a U-Net's; pixels of 2 µm."""
    coords = {
        dim: (dim, 2.0 * np.arange(n), {"units": "µm"}) for dim, n in zip("yx", values.shape, strict=True)
    }
    labels = xr.DataArray(values.astype(np.uint8), coords, ("y", "x")).chunk(16)
    charge = xr.full_like(labels, 5, dtype="f4").assign_attrs(units="adu")
    confidence = xr.full_like(labels, 0.75, dtype="f4")
    found = describe_objects(
        labels, charge, confidence, names=NAMES, calibration=Calibration(1.0), rules=Rules()
    )
    tree = describe(xr.Dataset({"values": charge}), found.labels, confidence, names=NAMES)
    entropy = confidence.assign_attrs(units="1")
    tree.dataset = tree.to_dataset().assign(entropy=entropy, objects=found.objects)
    tree["object_table"], tree["audit"] = xr.DataTree(found.table), xr.DataTree(found.audit)
    tree.attrs.update(recipe=recipe.to_json(), title="frame")
    return tree


@pytest.fixture(params=["some", "none"])
def frame(request: pytest.FixtureRequest, recipe: Recipe) -> xr.DataTree:
    """A line, a tilted track, a hot block that becomes a cluster, and glow at the edge; or nothing at all."""
    values = np.ones((40, 50), np.uint8)
    if request.param == "some":
        values[5, 10:30] = 3
        values[np.arange(12, 20), np.arange(30, 38)] = 4
        values[30:33, 20:23] = 3
        values[:, :3] = 2
    return segmented(values, recipe)


def test_a_result_with_objects_is_saved_and_loaded_as_it_is(frame: xr.DataTree, tmp_path: Path) -> None:
    engine.save(frame, tmp_path / "a.zarr")
    again = engine.load(tmp_path / "a.zarr")
    for group in ("object_table", "audit", "classes"):
        xr.testing.assert_identical(
            again[group].to_dataset(inherit=False).load(), frame[group].to_dataset(inherit=False).compute()
        )
    for name in ("labels", "objects", "entropy", "confidence"):
        np.testing.assert_array_equal(again[name], frame[name])
        assert again[name].dtype == frame[name].dtype


def test_netcdf_holds_the_tables_of_objects_and_changes(frame: xr.DataTree, tmp_path: Path) -> None:
    (path,) = store.write_netcdf(frame, tmp_path)
    with xr.open_datatree(path, engine="h5netcdf") as again:
        for group in ("object_table", "audit"):
            expected = frame[group].to_dataset(inherit=False).compute()
            found = again[group].to_dataset(inherit=False).load()
            assert found.sizes == expected.sizes
            for name, column in expected.variables.items():
                assert found[name].values.tolist() == pytest.approx(column.values.tolist(), nan_ok=True)
                assert found[name].attrs == column.attrs


@pytest.fixture
def population(stored: Path) -> xr.DataTree:
    return engine.load(stored)


def test_what_a_class_is_called_leads_nowhere_but_into_the_folder(stored: Path, tmp_path: Path):
    renamed = engine.edit(engine.load(stored), "rename", label=1, name="../../=twin <b>&")
    images = engine.pipeline.images_of(renamed)
    for name in ("crops", "html", "geojson", "figure", "csv"):
        paths = catalogue.find("exporters", name)(renamed, tmp_path / "in" / name, images=images)
        assert all(path.resolve().is_relative_to(tmp_path / "in" / name) for path in paths)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert (tmp_path / "in" / "crops" / "twin_b").is_dir()
    assert (
        "<b>" not in next((tmp_path / "in" / "html").iterdir()).read_text(encoding="utf-8").split("<h1>")[1]
    )
    features = json.loads(next((tmp_path / "in" / "geojson").iterdir()).read_text())["features"]
    assert {f["properties"]["name"] for f in features if f["properties"]["class"] == 1} == {
        "../../=twin <b>&"
    }

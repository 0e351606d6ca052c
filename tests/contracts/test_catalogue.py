"""Whatever the catalogue lists keeps the promises that every reader, analysis, simulator, exporter makes."""

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import param
import pytest
import xarray as xr

import engine
from engine import catalogue
from engine.analysis import LABELLED, Analysis, Settings, load_model, model_from_dict
from engine.errors import InputError, MapstackError, UnknownNameError
from engine.readers import open_images
from engine.readers.labels.label_files import labels_of
from engine.schema.kinds import KINDS, has, kind_of, maps_of, tables_of

ROOT = Path(__file__).parents[2]


def entries(*kinds: str) -> list[Any]:
    return [
        pytest.param(kind, name, id=f"{kind}-{name}") for kind in kinds for name in catalogue.ENTRIES[kind]
    ]


EXAMPLES: dict[str, tuple[str, dict[str, Any], str]] = {
    "kmeans": ("maps", {"n_regions": 3, "size": 64, "n_wavelengths": 5, "seed": 3}, ""),
    "profile": ("spectra", {"n_regions": 3, "size": 64, "n_channels": 24, "seed": 3}, "map.nc"),
    "unet": ("mosaic", {"size": 128, "n_frames": 2, "seed": 3}, "frame_000.fits"),
    "particles": (
        "hrtem",
        {"size": 320, "n_frames": 1, "pixel_size": 0.05, "empty": 0.0, "seed": 8},
        "frame_000.tif",
    ),
    "micrographs": ("sem", {"n_images": 40, "size": 64, "images_per_parent": 1, "seed": 3}, ""),
}
"""For each analysis the simulator of what it is for, its settings, and the file in the folder to run on."""

QUICK: dict[str, dict[str, Any]] = {
    "kmeans": {},
    "profile": {},
    "unet": {"n_steps": 2, "n_crops": 1, "crop": 64},
    "particles": {},
    "micrographs": {"n_steps": 2, "edge": 32},
}
"""Settings with which a fit takes no time."""


MAIN = {
    "class_map": ("labels", "confidence"),
    "population": ("labels", "confidence"),
    "sorted_images": ("image_table/class", "image_table/confidence"),
    "value_map": ("values/position", "values/height"),
}
"""For each kind of result, what must be exactly equal and what nearly, when it is made again."""


def main_values(result: xr.DataTree) -> np.ndarray:
    """Return the class of each pixel or image, or the first value of each pixel."""
    return np.asarray(result[MAIN[kind_of(result).name][0]])


def margins(result: xr.DataTree) -> np.ndarray:
    """Return the confidence in that, or another value of each pixel."""
    return np.asarray(result[MAIN[kind_of(result).name][1]])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        name: catalogue.find("simulators", kind)(**settings).write(tmp_path_factory.mktemp(kind))
        for name, (kind, settings, _) in EXAMPLES.items()
    }


@pytest.fixture
def source(name: str, folders: dict[str, Path]) -> Path:
    """What to run the analysis `name` on."""
    return folders[name] / EXAMPLES[name][2]


@pytest.fixture
def images(source: Path) -> xr.Dataset:
    return engine.open(source)


@pytest.mark.parametrize(("kind", "name"), entries(*catalogue.ENTRIES))
def test_every_entry_imports_and_says_what_it_is(kind: str, name: str) -> None:
    assert catalogue.summarise(kind, name)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="no analyses entry 'kmeens'; there are: kmeans"):
        catalogue.find("analyses", "kmeens")


@pytest.mark.parametrize("folder", ["readers", "simulate"])
def test_every_module_with_the_shape_of_an_entry_is_listed(folder: str) -> None:
    kind = {"readers": "readers", "simulate": "simulators"}[folder]
    listed = {dotted.partition(":")[0] for dotted in catalogue.ENTRIES[kind].values()}
    for file in (ROOT / "engine" / folder).rglob("*.py"):
        if file.stem != "__init__":
            module = catalogue.load(".".join(file.relative_to(ROOT).with_suffix("").parts))
            if _looks_like_an_entry(module, kind):
                assert module.__name__ in listed


def _looks_like_an_entry(module: ModuleType, kind: str) -> bool:
    if kind == "readers":
        return hasattr(module, "accepts") and hasattr(module, "read")
    own = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__
    ]
    return any(issubclass(value, Settings) for value in own)


@pytest.mark.parametrize(("_kind", "name"), entries("readers"))
def test_a_reader_refuses_garbage_with_a_sentence(_kind: str, name: str, tmp_path: Path) -> None:
    for suffix in (".dat", ".h5", ".tif", ".npy", ".zarr", ".mat"):
        path = tmp_path / f"garbage{suffix}"
        path.write_bytes(b"\x00garbage\xff" * 50)
        with pytest.raises(MapstackError, match="garbage"):
            open_images(path, reader=name)


@pytest.mark.parametrize(("kind", "name"), entries("analyses", "simulators"))
def test_every_setting_is_documented_bounded_and_named_as_an_option(kind: str, name: str) -> None:
    entry = catalogue.find(kind, name)
    for setting in entry.setting_names():
        parameter = entry.param[setting]
        assert parameter.doc, setting
        if isinstance(parameter, param.Number) and not isinstance(parameter, param.Boolean):
            assert parameter.bounds is not None, setting
    assert "seed" in entry.setting_names()
    with pytest.raises(InputError, match="no setting 'no_such'"):
        entry(no_such=1)


@pytest.mark.parametrize(("_kind", "name"), entries("analyses"))
def test_an_analysis_is_lazy_seeded_and_does_not_depend_on_the_chunking(
    _kind: str, name: str, images: xr.Dataset
) -> None:
    whole = engine.run(name, images, seed=1)
    assert all(whole[part].chunks is not None for part in maps_of(whole))
    assert kind_of(whole) is catalogue.find("analyses", name).kind
    again = engine.run(name, images.chunk({"y": 17, "x": 23}), seed=1)
    np.testing.assert_array_equal(main_values(whole), main_values(again))
    np.testing.assert_allclose(margins(whole), margins(again), atol=1e-5)


@pytest.mark.parametrize(("_kind", "name"), entries("analyses"))
def test_a_model_survives_a_folder_and_a_recipe(
    _kind: str, name: str, images: xr.Dataset, tmp_path: Path
) -> None:
    source, analysis = images.attrs["source"], catalogue.find("analyses", name)
    labels = labels_of(source) if analysis.needs_labels and analysis.takes != LABELLED else None
    model = engine.fit(name, images, labels, **QUICK[name])
    expected = main_values(model.predict(images))
    for again in (load_model(model.save(tmp_path / "model")), model_from_dict(model.to_dict())):
        assert type(again) is catalogue.find("analyses", name).model_class
        np.testing.assert_array_equal(main_values(again.predict(images)), expected)


@pytest.mark.parametrize(("_kind", "name"), entries("analyses"))
def test_a_stored_result_holds_what_the_contract_names_and_runs_again(
    _kind: str, name: str, source: Path, tmp_path: Path
) -> None:
    assert issubclass(catalogue.find("analyses", name), Analysis)
    result = engine.run(name, engine.open(source), seed=2)
    engine.save(result, tmp_path / "out.zarr")
    stored = engine.load(tmp_path / "out.zarr")
    assert isinstance(stored, xr.DataTree)
    for part in kind_of(stored).parts:
        assert has(stored, part) or part in kind_of(stored).optional, part
    for table in tables_of(stored):
        table.check(stored[table.group].to_dataset(inherit=False))
    for part in maps_of(stored):
        assert stored[part].dims[-2:] == ("y", "x")
    if has(stored, "labels"):
        assert main_values(stored).dtype.kind == "u"
        assert len(np.atleast_1d(stored["labels"].attrs["flag_values"])) == stored["classes"].sizes["label"]
        assert "area" in stored["classes"].data_vars
    assert {"kind", "recipe", "source", "source_digest", "created", "mapstack_version"} <= set(stored.attrs)
    assert len(stored.attrs["recipe"]) < 100_000
    again = engine.run(recipe=stored)
    np.testing.assert_array_equal(main_values(again), main_values(stored))


@pytest.mark.parametrize(("_kind", "name"), entries("exporters"))
def test_every_export_carries_a_recipe_that_gives_the_same_result(
    _kind: str, name: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    write = catalogue.find("exporters", name)
    analysis = next(a for a in EXAMPLES if catalogue.find("analyses", a).kind.name in write.kinds)
    images = engine.open(folders[analysis] / EXAMPLES[analysis][2])
    result = engine.run(analysis, images, seed=2)
    files = write(result, tmp_path / name, images=images if write.needs_images else None)
    assert files
    again = engine.run(recipe=files[0])
    np.testing.assert_array_equal(main_values(again), main_values(result))


@pytest.mark.parametrize(("entries_of", "name"), entries("exporters", "edits"))
def test_an_export_or_edit_says_for_which_kinds_it_is_and_refuses_the_others(
    entries_of: str, name: str, tmp_path: Path
) -> None:
    entry = catalogue.find(entries_of, name)
    assert set(entry.kinds) <= set(KINDS)
    for kind in set(KINDS) - set(entry.kinds):
        result = xr.DataTree(xr.Dataset(attrs={"kind": kind}))
        with pytest.raises(InputError, match=f"{name} is for .*, and the result is one of"):
            entry(result, tmp_path)

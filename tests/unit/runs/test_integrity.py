"""Checksums, verification, locks, and run directories made by somebody hostile."""

import io
import json
import os
import pickle
import re
import shutil
import zipfile

import numpy as np
import pytest

import relaxon as rx
from relaxon.cli import run_tokens
from relaxon.runs import files
from relaxon.runs.lock import locked
from relaxon.runs.seals import BLANK, Seal, seal_archive, sealed_json


@pytest.fixture(scope="module")
def original(problem, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    rx.solve(problem, 1.0, rx.Record(n=4), out=path)
    return path


@pytest.fixture
def run(original, tmp_path):
    return shutil.copytree(original, tmp_path / "run")


def unfinished(path):
    shutil.rmtree(path / "solution.zarr")
    return path


def refused(call):
    with pytest.raises(rx.InputError) as error:
        call()
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def test_a_whole_run_is_intact(run, capsys):
    assert rx.verify(run).ok
    assert run_tokens(["verify", str(run)]) == 0
    assert "every file is intact; records up to t = 1 are intact" in capsys.readouterr().out


def test_every_file_is_under_a_checksum(run, capsys):
    for file in sorted(p for p in run.rglob("*") if p.is_file() and p.name != "lock"):
        whole = file.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            changed = bytearray(whole)
            changed[place] ^= 1
            file.write_bytes(changed)
            found = rx.verify(run)
            name = str(file.relative_to(run))
            assert len(found.damaged) == 1 and found.damaged[0].startswith(name), name
        file.write_bytes(whole)
    assert rx.verify(run).ok
    (run / "checkpoint.npz").unlink()
    assert run_tokens(["verify", str(run)]) == 1
    assert "checkpoint.npz: it is missing" in capsys.readouterr().out


def test_a_damaged_record_is_named_with_what_is_left(run):
    file = unfinished(run) / "records" / "000002.npz"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    sentence = refused(lambda: rx.open(run))
    assert "records/000002.npz: its checksum is wrong; records up to t = 0.0001" in sentence
    (run / "checkpoint.npz").unlink()
    assert rx.resume(run).ok and rx.verify(run).ok


def test_a_damaged_store_is_written_again_from_the_records(run):
    whole = rx.open(run)
    chunk = next(p for p in (run / "solution.zarr" / "f" / "c").rglob("*") if p.is_file())
    chunk.write_bytes(chunk.read_bytes()[::-1])
    assert "remove solution.zarr, and resume writes it again" in refused(lambda: rx.open(run))
    shutil.rmtree(run / "solution.zarr")
    np.testing.assert_array_equal(rx.resume(run).f, whole.f)
    assert rx.verify(run).ok


def test_a_file_of_another_run_is_found(run, problem, tmp_path):
    rx.solve(problem, 1.0, rx.Record(n=4), rtol=1e-5, out=tmp_path / "other")
    for name in ("checkpoint.npz", "records/000001.npz", "initial.npz"):
        copy = shutil.copytree(unfinished_copy(run, tmp_path / name[:3]), tmp_path / name[:4])
        shutil.copy(tmp_path / "other" / name, copy / name)
        assert f"{name}: its checksum is wrong" in refused(lambda c=copy: rx.resume(c))


def unfinished_copy(run, path):
    return unfinished(shutil.copytree(run, path))


def test_a_second_writer_is_refused_and_a_dead_one_is_not_in_the_way(run):
    with locked(run):
        assert "Another process is writing to" in refused(lambda: rx.resume(run))
    assert (run / "lock").exists()
    assert rx.resume(run, t_end=2.0).ok


def test_other_versions_are_named(run):
    settings = files.read_settings(run)
    seal = files.seal_of(settings)
    provenance = {**settings["provenance"], "numpy": "1.0"}
    files.write_settings(run, {**settings, "provenance": provenance}, seal)
    assert rx.resume(run, t_end=2.0).provenance["begun_with"] == {"numpy": "1.0"}


def test_a_vanished_directory_is_one_sentence(problem, tmp_path, monkeypatch):
    from relaxon.runs import directory as storage

    path, write = tmp_path / "run", storage.write_record

    def vanish(out, index, *rest):
        if index == 2:
            shutil.rmtree(out)
        write(out, index, *rest)

    monkeypatch.setattr(storage, "write_record", vanish)
    with pytest.raises(rx.StorageError, match="the directory has vanished") as error:
        rx.solve(problem, 1.0, rx.Record(n=4), out=path)
    assert len(error.value.solution.t) == 2


def test_a_disk_that_is_full_from_the_start(problem, tmp_path, monkeypatch):
    from relaxon.runs import directory as storage

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "write_record", full)
    with pytest.raises(rx.StorageError, match="No space left on device") as error:
        rx.solve(problem, 1.0, rx.Record(n=4), out=tmp_path / "run")
    assert error.value.solution is None


def test_nobody_elses_directory_is_in_the_way(problem, tmp_path):
    mine = tmp_path / "run.partial"
    mine.mkdir()
    (mine / "notes.txt").write_text("kept")
    rx.solve(problem, 1e-3, rx.Record(n=2), out=tmp_path / "run")
    assert (mine / "notes.txt").read_text() == "kept"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "run.partial"]


# Somebody hostile: whoever makes a directory also makes its checksums.


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("executed",))


def rewritten(path, **changes):
    settings = json.loads((path / "run.json").read_text())
    settings.update(changes)
    settings.pop("checksum")
    value = {**settings, "checksum": BLANK.decode()}
    (path / "run.json").write_bytes(sealed_json(value, Seal(), "run.json"))


def archive(path, members, compression=zipfile.ZIP_STORED):
    """Another first record, with a right checksum."""
    name = "records/000000.npz"
    with open(path / name, "w+b") as stream:
        with zipfile.ZipFile(stream, "w", compression) as z:
            for key, content in members.items():
                z.writestr(key, content)
        seal_archive(stream, files.seal_of(files.read_settings(path)), name)


def header(shape, descr="<f8"):
    stream = io.BytesIO()
    fields = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue()


def pickled():
    stream = io.BytesIO()
    np.save(stream, np.array([Evil()], object), allow_pickle=True)
    return stream.getvalue()


HOSTILE = {
    "pickle": lambda p: archive(p, {"t.npy": pickled()}),
    "no archive": lambda p: (p / "records" / "000000.npz").write_bytes(pickle.dumps(Evil())),
    "header": lambda p: archive(p, {"t.npy": header((10**14,))}),
    "negative": lambda p: archive(p, {"t.npy": header((-1,))}),
    "bomb": lambda p: archive(p, {"t.npy": header((10**6,)) + bytes(8 * 10**6)}, 8),
    "twice": lambda p: archive(p, {"t.npy": header(()) + bytes(8), "t": header(()) + bytes(8)}),
    "deep": lambda p: (p / "run.json").write_text("[" * 100_000),
    "list": lambda p: (p / "run.json").write_text("[]"),
    "digits": lambda p: (p / "run.json").write_text('{"format": 1' + "0" * 10_000 + "}"),
    "class": lambda p: rewritten(p, equation={"class": "os.system", "settings": {"x": "id"}}),
    "no name": lambda p: rewritten(p, equation={"class": ["x"]}),
    "settings": lambda p: rewritten(p, equation={"class": "Landau", "settings": []}),
    "unknown": lambda p: rewritten(p, equation={"class": "Landau", "settings": {"bogus": 1}}),
    "kind": lambda p: rewritten(p, grid={"class": "Landau", "settings": {"gamma": -3.0}}),
    "cells": lambda p: rewritten(
        p,
        grid={"class": "RadialGrid", "settings": {"d": 3, "n": 10**9, "r_max": 9.0, "r_min": 0.1}},
    ),
    "rtol": lambda p: rewritten(p, rtol="x"),
    "times": lambda p: rewritten(p, times=[0.5, 0.1]),
    "fields": lambda p: rewritten(p, fields=["nothing"]),
    "functionals": lambda p: rewritten(p, functionals=[]),
    "provenance": lambda p: rewritten(p, provenance=[]),
    "link": lambda p: linked(p / "records" / "000000.npz"),
    "folder": lambda p: linked(p / "records"),
    "checkpoint": lambda p: linked(p / "checkpoint.npz"),
    "run.json": lambda p: linked(p / "run.json"),
    "fifo": lambda p: ((p / "checkpoint.npz").unlink(), os.mkfifo(p / "checkpoint.npz")),
}


SENTENCES = {
    "pickle": "not numbers",
    "no archive": "not a zip file",
    "header": "claims more than it holds",
    "negative": "claims more|negative",
    "bomb": "compressed",
    "twice": "two arrays of one name",
    "deep": "nested too deeply",
    "list": "holds no settings",
    "digits": "digits|format",
    "class": "Unknown class .os.system",
    "no name": "Unknown class",
    "settings": "run.json",
    "unknown": "bogus",
    "kind": "",
    "cells": "not that of the initial data",
    "rtol": "rtol",
    "times": "do not increase",
    "fields": "Unknown field",
    "functionals": "run.json",
    "provenance": "no table",
    "link": "is a link",
    "folder": "is a link",
    "checkpoint": "is a link",
    "run.json": "is a link",
    "fifo": "no plain file",
}
"""What the refusal says: the attack, and not the way of making it, is what is refused."""


def linked(path):
    """Put what is there elsewhere and a link in its place."""
    aside = path.parent.parent / f"aside-{path.name}"
    path.rename(aside)
    path.symlink_to(aside)


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_run_is_refused(attack, run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    HOSTILE[attack](unfinished(run))
    assert re.search(SENTENCES[attack], refused(lambda: rx.resume(run)))
    assert not (tmp_path / "executed").exists()


def described(path, name, **changes):
    """Change the description of an array of a store of a format without checksums."""
    settings = json.loads((path / "run.json").read_text())
    settings = {k: v for k, v in settings.items() if k != "checksum"} | {"format": 2}
    (path / "run.json").write_text(json.dumps(settings))
    root = path / "solution.zarr" / "zarr.json"
    found = json.loads(root.read_text())
    found["attributes"].pop("checksum", None)
    root.write_text(json.dumps(found))
    file = path / "solution.zarr" / name / "zarr.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


STORES = {
    "pickle": {"codecs": [{"name": "numcodecs.pickle", "configuration": {}}]},
    "codec": {"codecs": [{"name": "bytes"}, {"name": "os.system"}]},
    "shape": {"shape": [10**15]},
    "chunk": {
        "shape": [10**15],
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [10**15]}},
    },
    "zero": {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [0]}}},
    "string": {"data_type": "string"},
    "object": {"data_type": {"name": "object"}},
    "format": {"zarr_format": 2},
}


@pytest.mark.parametrize("attack", STORES)
def test_a_hostile_store_is_refused(attack, run):
    described(run, "time")
    assert rx.open(run).ok  # the attack, and not the way of making it, is what is refused
    described(run, "time", **STORES[attack])
    refused(lambda: rx.open(run))


def test_a_packed_bomb_is_refused_before_it_is_unpacked(run):
    described(run, "time")
    chunk = run / "solution.zarr" / "time" / "c" / "0"
    frame = bytearray(chunk.read_bytes())
    assert frame[:4] == b"\x28\xb5\x2f\xfd"
    chunk.write_bytes(bytes(frame[:4]) + b"\xe0" + (1 << 50).to_bytes(8, "little") + bytes(20))
    assert "not as large as its array says" in refused(lambda: rx.open(run))


@pytest.mark.parametrize("name", ["", "zarr.json", "f", "f/c", "f/zarr.json"])
def test_a_store_with_a_link_is_refused(name, run):
    linked(run / "solution.zarr" / name)
    refused(lambda: rx.open(run))

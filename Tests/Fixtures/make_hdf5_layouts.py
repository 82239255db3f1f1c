"""Writes the small HDF5 files in Tests/Fixtures/hdf5: layouts that other programs use.

Run with h5py 3.16 and numpy: python Tests/Fixtures/make_hdf5_layouts.py
Pixel j of image i, in the order height, width, channel, is (31 * i + 7 * j) % 251; labels are i % 3.
"""

import os

import h5py
import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hdf5")


def images(count, height=4, width=5, channels=3, first=0):
    pixels = np.arange(height * width * channels)
    rows = [(31 * (first + i) + 7 * pixels) % 251 for i in range(count)]
    return np.array(rows, np.uint8).reshape(count, height, width, channels)


def labels(count, kind="i8", first=0):
    return ((np.arange(count) + first) % 3).astype(kind)


def create(name):
    return h5py.File(os.path.join(FOLDER, name), "w", libver="earliest")


def fixed_arrays():
    with create("xy_splits.h5") as file:
        for split, count, first in (("train", 6, 0), ("test", 4, 6)):
            file[f"x_{split}"] = images(count, first=first)
            file[f"y_{split}"] = labels(count, "u1", first)
    with create("img_splits.h5") as file:
        for split, count, first in (("train", 6, 0), ("val", 4, 6)):
            file[f"{split}_img"] = images(count, first=first)
            file[f"{split}_labels"] = labels(count, "i4", first)
    with create("groups.h5") as file:
        for split, count, first in (("train", 6, 0), ("valid", 4, 6)):
            file[f"{split}/images"] = images(count, first=first)
            file[f"{split}/labels"] = labels(count, "i2", first)
    with create("planes.h5") as file:
        file["data"] = images(6).transpose(0, 3, 1, 2)
        file["label"] = labels(6, "u2").reshape(6, 1)
        file.attrs["classes"] = ["ant", "bee", "cat"]
    with create("grey.h5") as file:
        file["images"] = images(6, channels=1)[..., 0]
        file["targets"] = labels(6, "u4")
    with create("gzip.h5") as file:
        file.create_dataset("images", data=images(6), chunks=(4, 4, 5, 3), compression="gzip")
        file["labels"] = labels(6)
    with create("chunks.h5") as file:
        file.create_dataset("images", data=images(6), chunks=(4, 4, 5, 3))
        file["labels"] = labels(6)


def fuel_split(file, entries):
    kind = np.dtype([
        ("split", "S5"), ("source", "S14"), ("start", np.int64), ("stop", np.int64),
        ("indices", h5py.special_dtype(ref=h5py.Reference)), ("available", np.bool_),
        ("comment", "S1"),
    ])
    rows = np.empty(len(entries), kind)
    for row, (split, source, start, stop, available) in zip(rows, entries):
        row["split"], row["source"], row["start"], row["stop"] = split, source, start, stop
        row["indices"], row["available"], row["comment"] = h5py.Reference(), available, b"."
    file.attrs["split"] = rows


def fuel():
    with create("fuel_ilsvrc2012.h5") as file:
        streams = file.create_dataset("encoded_images", (9,), h5py.special_dtype(vlen=np.uint8))
        for i in range(9):
            streams[i] = np.array([(i + j) % 256 for j in range(3 + i)], np.uint8)
        file["targets"] = labels(7, "i2").reshape(7, 1)
        file["filenames"] = np.array([[f"n{i}.JPEG".encode()] for i in range(9)], "S32")
        fuel_split(file, [
            (b"train", b"encoded_images", 0, 5, True), (b"train", b"targets", 0, 5, True),
            (b"valid", b"encoded_images", 5, 7, True), (b"valid", b"targets", 5, 7, True),
            (b"test", b"encoded_images", 7, 9, True), (b"test", b"targets", 0, 0, False),
        ])
    with create("fuel_cifar10.h5") as file:
        file["features"] = images(6).transpose(0, 3, 1, 2)
        file["targets"] = labels(6, "u1").reshape(6, 1)
        fuel_split(file, [
            (b"train", b"features", 0, 4, True), (b"train", b"targets", 0, 4, True),
            (b"test", b"features", 4, 6, True), (b"test", b"targets", 4, 6, True),
        ])


def odd():
    with create("float_images.h5") as file:
        file["images"] = images(2).astype("f4")
        file["labels"] = labels(2)
    with create("one_hot.h5") as file:
        file["images"] = images(3)
        file["labels"] = np.eye(3, dtype="i4")
    with create("counts_differ.h5") as file:
        file["images"] = images(3)
        file["labels"] = labels(2)
    with create("no_labels.h5") as file:
        file["images"] = images(3)
    with create("one_based.h5") as file:
        file["images"] = images(3)
        file["labels"] = labels(3) + 1
        file.attrs["classes"] = ["ant", "bee", "cat"]


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    fixed_arrays()
    fuel()
    odd()

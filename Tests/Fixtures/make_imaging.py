"""Makes Tests/Fixtures/Imaging: small procedural pictures, and what Pillow and timm make of them.

    python Tests/Fixtures/make_imaging.py

Made with Pillow 13.0.0 (libjpeg-turbo 3.2.0), NumPy 2.4.6, timm 1.0.31. The pictures are sums of
waves, edges and seeded noise; nothing in them is photographed.
"""

import io
import json
import pathlib

import numpy as np
import torch
from PIL import Image, features
import PIL

try:
    from timm.data import auto_augment
except RuntimeError:  # a torchvision built for another torch: its box operators are missing
    LIBRARY = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        LIBRARY.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from timm.data import auto_augment

FOLDER = pathlib.Path(__file__).parent / "Imaging"
BICUBIC, BILINEAR = Image.Resampling.BICUBIC, Image.Resampling.BILINEAR
FILL = (124, 116, 104)
# Order and spelling of timm's _RAND_INCREASING_TRANSFORMS.
OPERATIONS = [
    "AutoContrast", "Equalize", "Invert", "Rotate", "PosterizeIncreasing",
    "SolarizeIncreasing", "SolarizeAdd", "ColorIncreasing", "ContrastIncreasing",
    "BrightnessIncreasing", "SharpnessIncreasing", "ShearX", "ShearY", "TranslateXRel",
    "TranslateYRel",
]  # fmt: skip


def picture(width, height, channels, seed=0):
    """Waves, a hard-edged disc and noise in every channel, with full-range extremes."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    noise = np.random.default_rng(seed)
    planes = []
    for c in range(channels):
        wave = 110 + 70 * np.sin(x / (3 + c) + c) * np.cos(y / (4 - c))
        disc = (x - width * (0.3 + 0.2 * c)) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2
        planes.append(wave + 90 * disc + noise.normal(0, 12, (height, width)))
    array = np.clip(np.stack(planes, -1), 8, 240).astype(np.uint8)
    return Image.fromarray(array[:, :, 0] if channels == 1 else array)


def resizes(source, tag):
    cases = []
    for size, box, kernel in [
        ((20, 17), None, BICUBIC), ((20, 17), None, BILINEAR), ((71, 55), None, BICUBIC),
        ((5, 3), None, BICUBIC), ((45, 16), None, BICUBIC), ((16, 34), None, BILINEAR),
        ((24, 24), (3.25, 2.5, 40.75, 30.125), BICUBIC), ((1, 1), None, BICUBIC),
    ]:  # fmt: skip
        name = f"resize-{tag}-{len(cases)}.png"
        source.resize(size, kernel, box).save(FOLDER / name)
        kind = "bicubic" if kernel == BICUBIC else "bilinear"
        cases.append({"file": name, "source": f"source-{tag}.png", "size": list(size),
                      "box": list(box or (0, 0) + source.size), "kernel": kind})  # fmt: skip
    return cases


def randaugment(source):
    """One sheet: for every operation, magnitudes 9 and 8.3, each as it is and negated."""
    tiles, options = [], {"fillcolor": FILL, "resample": BICUBIC}
    for name in OPERATIONS:
        for magnitude in (9.0, 8.3):
            for negated in (False, True):
                auto_augment._randomly_negate = lambda v, n=negated: -v if n else v
                to_arguments = auto_augment.LEVEL_TO_ARG[name]
                hparams = {"translate_pct": 0.45}
                arguments = to_arguments(magnitude, hparams) if to_arguments else ()
                operation = auto_augment.NAME_TO_OP[name]
                tiles.append(operation(source, *arguments, **options))
    sheet = Image.new("RGB", (4 * source.width, len(OPERATIONS) * source.height))
    for i, tile in enumerate(tiles):
        sheet.paste(tile, (i % 4 * source.width, i // 4 * source.height))
    sheet.save(FOLDER / "randaugment.png", optimize=True)


def jpegs():
    color, grey = picture(83, 61, 3, 1), picture(83, 61, 1, 2)
    streams = {
        "420": (color, {"subsampling": 2}),
        "422": (color, {"subsampling": 1}),
        "444": (color, {"subsampling": 0}),
        "progressive": (color, {"subsampling": 2, "progressive": True}),
        "restart": (color, {"subsampling": 2, "restart_marker_rows": 1}),
        "grey": (grey, {}),
    }
    for name, (image, options) in streams.items():
        image.save(FOLDER / f"{name}.jpg", quality=88, **options)
        Image.open(FOLDER / f"{name}.jpg").save(FOLDER / f"decoded-{name}.png", optimize=True)
    color.convert("CMYK").save(FOLDER / "cmyk.jpg", quality=40)
    small = picture(24, 16, 3, 3)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x010F] = "a maker"
        exif[0x0112] = orientation
        small.save(FOLDER / f"turned-{orientation}.jpg", quality=95, subsampling=0, exif=exif)
    from PIL import ImageOps

    sheet = Image.new("RGB", (24 * 8, 24))
    for orientation in range(1, 9):
        turned = ImageOps.exif_transpose(Image.open(FOLDER / f"turned-{orientation}.jpg"))
        sheet.paste(turned, ((orientation - 1) * 24, 0))
    sheet.save(FOLDER / "turned.png", optimize=True)


def pngs():
    color, grey = picture(19, 13, 3, 4), picture(19, 13, 1, 5)
    color.save(FOLDER / "png-rgb.png")
    grey.save(FOLDER / "png-grey.png")
    alpha = color.copy()
    alpha.putalpha(Image.fromarray((np.arange(19 * 13) % 256).astype(np.uint8).reshape(13, 19)))
    alpha.save(FOLDER / "png-rgba.png")
    palette = color.quantize(16)
    palette.save(FOLDER / "png-palette.png")
    palette.convert("RGB").save(FOLDER / "png-palette-expected.png")
    deep = np.asarray(grey).astype(np.uint16) * 257
    Image.fromarray(deep).save(FOLDER / "png-grey16.png")
    grey.point(lambda v: 255 * (v > 128)).convert("1").save(FOLDER / "png-bits.png")


def main():
    FOLDER.mkdir(exist_ok=True)
    color, grey = picture(45, 34, 3), picture(45, 34, 1)
    color.save(FOLDER / "source-rgb.png")
    grey.save(FOLDER / "source-grey.png")
    cases = resizes(color, "rgb") + resizes(grey, "grey")
    (FOLDER / "resize.json").write_text(json.dumps(cases, indent=1) + "\n")
    small = picture(30, 23, 3, 6)
    small.save(FOLDER / "source-small.png")
    randaugment(small)
    jpegs()
    pngs()
    print(f"Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}")


if __name__ == "__main__":
    main()

"""The other side of `vitdist bench data`: training pipelines that Python has, on one core.

Started by peers.py, which pins it to a core. Reads how many passes over the images to make, or
`end`.

    python Tests/Peers/loader_peer.py --loader pillow --recipe crop --data FOLDER_OR_TAR

The compressed files are read beforehand. A pass brings every image to float32 planes of 224 x 224:
random resized crop (bicubic), flip, and for `randaugment` timm's `rand-m9-mstd0.5-inc1` before the
conversion. `simplejpeg` (libjpeg-turbo) decodes at the least scale that still holds the crop.
`opencv` interpolates without antialiasing, so it does less. `h5py` and `h5py-slices` read a raw
shard instead, image by image in random order, or 32 neighbours at once.
"""

import argparse
import io
import json
import math
import pathlib
import random
import resource
import sys
import tarfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Fixtures"))

import numpy as np  # noqa: E402

SIDE, BATCH = 224, 32


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loader", choices=sorted(LOADERS), default="pillow")
    parser.add_argument("--recipe", choices=["crop", "randaugment"], default="crop")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    return parser.parse_args()


def streams(path):
    """Every JPEG of a folder or a tar, in memory."""
    if path.is_dir():
        return [file.read_bytes() for file in sorted(path.rglob("*"))
                if file.suffix.lower() in (".jpg", ".jpeg")]
    with tarfile.open(path) as tar:
        return [tar.extractfile(member).read() for member in tar
                if member.name.lower().endswith((".jpg", ".jpeg"))]


def crop(width, height):
    """torchvision's RandomResizedCrop: left, top, width and height."""
    for _ in range(10):
        area = width * height * random.uniform(0.08, 1)
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return random.randint(0, width - w), random.randint(0, height - h), w, h
    side = min(width, height)
    return (width - side) // 2, (height - side) // 2, side, side


def randaugment(recipe):
    """A function of Pillow images."""
    if recipe == "crop":
        return lambda image: image
    import timm_oracle  # noqa: F401
    from PIL import Image, ImageOps
    from timm.data.auto_augment import rand_augment_transform

    posterize = ImageOps.posterize
    # timm asks for no bit at all at the largest magnitude, which Pillow 13 refuses.
    ImageOps.posterize = lambda image, bits: posterize(image, max(bits, 1))
    return rand_augment_transform(
        "rand-m9-mstd0.5-inc1", dict(img_mean=(124, 116, 104), interpolation=Image.BICUBIC))


def pillow(options):
    import timm_oracle  # noqa: F401
    from PIL import Image
    from torchvision import transforms

    transform = transforms.Compose([
        transforms.RandomResizedCrop(
            SIDE, interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.RandomHorizontalFlip(),
        transforms.Lambda(randaugment(options.recipe)),
        transforms.ToTensor()])
    files = streams(options.data)

    def work():
        for stream in files:
            transform(Image.open(io.BytesIO(stream)).convert("RGB"))

    return work, len(files)


def planes(pixels):
    """float32 [3, side, side] in 0...1 of bytes [side, side, 3]."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32) / np.float32(255)


def simplejpeg(options):
    import simplejpeg as library
    from PIL import Image

    augment, files = randaugment(options.recipe), streams(options.data)

    def work():
        for stream in files:
            height, width, _, _ = library.decode_jpeg_header(stream)
            left, top, w, h = crop(width, height)
            factor = min(1, SIDE / min(w, h))
            pixels = library.decode_jpeg(
                stream, "RGB", min_height=math.ceil(height * factor),
                min_width=math.ceil(width * factor), min_factor=1)
            x, y = pixels.shape[1] / width, pixels.shape[0] / height
            box = left * x, top * y, (left + w) * x, (top + h) * y
            image = Image.fromarray(pixels).resize((SIDE, SIDE), Image.BICUBIC, box)
            if random.random() < 0.5:
                image = image.transpose(Image.FLIP_LEFT_RIGHT)
            planes(np.asarray(augment(image)))

    return work, len(files)


def opencv(options):
    import cv2
    from PIL import Image

    cv2.setNumThreads(1)
    augment, files = randaugment(options.recipe), streams(options.data)

    def work():
        for stream in files:
            pixels = cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_COLOR_RGB)
            left, top, w, h = crop(pixels.shape[1], pixels.shape[0])
            pixels = cv2.resize(
                pixels[top:top + h, left:left + w], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            if random.random() < 0.5:
                pixels = cv2.flip(pixels, 1)
            if options.recipe != "crop":
                pixels = np.asarray(augment(Image.fromarray(pixels)))
            planes(pixels)

    return work, len(files)


def dali(options):
    """NVIDIA's loader without a graphics card; only the crop, as its RandAugment is another."""
    from nvidia.dali import fn, pipeline_def, types

    files = [np.frombuffer(stream, np.uint8) for stream in streams(options.data)]
    if options.recipe != "crop":
        raise ValueError("DALI's RandAugment is not timm's")
    position = iter(())

    def batch():
        return [next(position) for _ in range(BATCH)]

    @pipeline_def(batch_size=BATCH, num_threads=1, device_id=None, prefetch_queue_depth=2)
    def pipeline():
        encoded = fn.external_source(source=batch, batch=True, dtype=types.UINT8)
        pixels = fn.decoders.image_random_crop(
            encoded, device="cpu", output_type=types.RGB, random_area=[0.08, 1],
            random_aspect_ratio=[3 / 4, 4 / 3])
        pixels = fn.resize(pixels, size=[SIDE, SIDE], interp_type=types.INTERP_CUBIC)
        return fn.crop_mirror_normalize(
            pixels, dtype=types.FLOAT, output_layout="CHW", mean=[0.0], std=[255.0],
            mirror=fn.random.coin_flip())

    def endless():
        while True:
            yield from files

    position, built = endless(), pipeline()
    built.build()
    batches = len(files) // BATCH

    def work():
        for _ in range(batches):
            built.run()

    return work, batches * BATCH


def shard(options):
    import h5py

    return h5py.File(options.data)["images"]


def h5py(options):
    images = shard(options)
    order = np.random.default_rng(0).permutation(len(images))
    batch = np.empty((BATCH, 3, *images.shape[1:3]), np.float32)

    def work():
        for place, index in enumerate(order):
            np.multiply(images[index].transpose(2, 0, 1), np.float32(1 / 255),
                        out=batch[place % BATCH])

    return work, len(images)


def h5py_slices(options):
    images = shard(options)
    batch = np.empty((BATCH, 3, *images.shape[1:3]), np.float32)

    def work():
        for start in range(0, len(images), BATCH):
            pixels = images[start:start + BATCH].transpose(0, 3, 1, 2)
            np.multiply(pixels, np.float32(1 / 255), out=batch[:len(pixels)])

    return work, len(images)


LOADERS = {"pillow": pillow, "simplejpeg": simplejpeg, "opencv": opencv, "dali": dali,
           "h5py": h5py, "h5py-slices": h5py_slices}


def main():
    options = parse()
    random.seed(0)
    work, count = LOADERS[options.loader](options)
    work()
    print(json.dumps({"ready": True}), flush=True)
    while (line := sys.stdin.readline().strip() or "end") != "end":
        seconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
        print(json.dumps({"seconds": seconds, "images": count}), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peakRssBytes": peak}), flush=True)


if __name__ == "__main__":
    main()

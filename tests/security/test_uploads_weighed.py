"""P12: what each of four hundred files costs the child that draws pictures: less than 300 MB and 10 s, says the kernel.

All traps are weighed in every build (`test_uploads`); of the largest pictures of each sort, and of the files that their
first bytes turn away, a part, another one after every commit. At night all.
"""

from __future__ import annotations

import io
import struct
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from zlib import crc32

import pytest
from PIL import Image

from mendline.kernel.errors import Invalid
from mendline.orders import attachments
from mendline.orders.attachment_child import MAX_MEGAPIXELS, REFUSED_MEMORY, REFUSED_PIXELS, UNREADABLE
from mendline.orders.attachments import checked
from tests.security.test_uploads import DANGEROUS, OTHERS, a_chunk, a_picture, pretenders, traps
from tests.security.weighing import MOST_BYTES, WHOLE, Scale
from tests.security.weighing import scale as scale
from tests.security.weighing import weighed as weighed
from tests.sim.faults.turns import a_turn

SHARES = 12
GREY, RGB, PALETTE, GREY_SEE_THROUGH, SEE_THROUGH = 0, 2, 3, 4, 6  # as PNG numbers them
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_SEE_THROUGH: 2, SEE_THROUGH: 4}


def a_dark_png(width: int, height: int, colour: int, depth: int = 8, more: bytes = b"") -> bytes:
    """A PNG of so many pixels, all zero and all there. Packed block by block: packing the whole takes seconds."""
    row = 1 + width * SAMPLES[colour] * depth // 8
    block = bytes(row * max(1, 1_000_000 // row))
    whole, rest = divmod(row * height, len(block))
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (row * height % 65521) << 16 | 1  # Adler's of zeros
    last = zlib.compressobj(1, zlib.DEFLATED, -15)
    data = b"\x78\x01" + packed * whole + last.compress(bytes(rest)) + last.flush() + struct.pack(">I", checksum)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + a_chunk(b"IHDR", head) + more + a_chunk(b"IDAT", data) + a_chunk(b"IEND", b"")
    )  # fmt: skip


def noise(mode: str, kind: str, size: tuple[int, int], **saved: object) -> bytes:
    """A picture in which no pixel is like its neighbour, the worst for whoever has to pack it."""
    grey = Image.effect_noise(size, 90)
    drawn = io.BytesIO()
    Image.merge(mode, [grey] * len(mode)).save(drawn, kind, **saved)
    return drawn.getvalue()


# The largest of each sort that is taken, and what is a little larger.
LARGEST = {
    "png": partial(a_dark_png, 8000, 5000, RGB),
    "png of 16 bits": partial(a_dark_png, 8000, 5000, RGB, 16),
    "png with a colour that is see-through": partial(a_dark_png, 8000, 5000, RGB, 8, a_chunk(b"tRNS", bytes(6))),
    "png of a palette": partial(a_dark_png, 8000, 5000, PALETTE, 8, a_chunk(b"PLTE", bytes(768))),
    "png, see-through": partial(a_dark_png, 5000, 4000, SEE_THROUGH),
    "png, grey and see-through": partial(a_dark_png, 5000, 4000, GREY_SEE_THROUGH),
    "png a million high": partial(a_dark_png, 40, 1_000_000, RGB),
    "png a million wide": partial(a_dark_png, 1_000_000, 20, SEE_THROUGH),
    "jpeg": partial(a_picture, "JPEG", (8000, 5000)),
    "jpeg of four colours": partial(a_picture, "JPEG", (8000, 5000), "CMYK"),
    "jpeg, progressive": partial(a_picture, "JPEG", (5000, 4000), progressive=True, subsampling=0),
    "jpeg, progressive, of four colours": partial(a_picture, "JPEG", (5000, 4000), "CMYK", progressive=True),
    "webp": partial(noise, "RGB", "WEBP", (3600, 2500), method=0, quality=50),
    "webp, see-through": partial(noise, "RGBA", "WEBP", (3600, 2500), method=0, quality=30, alpha_quality=0),
}  # fmt: skip
TOO_LARGE = {
    "png, see-through": partial(a_dark_png, 5000, 4001, SEE_THROUGH),
    "jpeg, progressive": partial(a_picture, "JPEG", (5000, 4001), progressive=True),
    "webp": partial(a_picture, "WEBP", (3600, 2501), method=0),
}
OF_THIS_TIME = [name for number, name in enumerate(LARGEST) if WHOLE or number == a_turn() % len(LARGEST)]


@pytest.mark.usefixtures("weighed")
@pytest.mark.parametrize("name", OF_THIS_TIME)
def test_the_largest_picture_of_a_sort_is_taken_within_300_megabytes(name: str) -> None:
    content = LARGEST[name]()
    assert len(content) <= attachments.MAX_BYTES

    kept = checked(content, "a")

    assert max(Image.open(io.BytesIO(kept.content)).size) <= 4096


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_little_larger_is_refused_before_it_is_decoded_and_told_what_to_do(name: str, weighed: Scale) -> None:
    content = TOO_LARGE[name]()
    with pytest.raises(Invalid) as refused:
        checked(content, "a")

    told = refused.value.fields["file"]
    assert "JPEG" in told.zh and "9 megapixels" in told.en
    assert weighed.weights[0].most_bytes < MOST_BYTES // 2


def test_control_with_its_limits_lifted_a_picture_weighs_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = a_dark_png(9000, 9000, RGB)
    with Scale(tmp_path, attachments.CHILD) as scale:
        assert scale.run([], input=bomb).returncode != 0
        assert not scale.weights[0].is_too_much
        lifted = {"MAX_MEGAPIXELS": 2 * MAX_MEGAPIXELS + 1, "MEMORY_BYTES": 2**31, "LONGEST_SIDE": 64}
        assert scale.run([], input=bomb, lifted=lifted).returncode == 0
        assert scale.weights[1].is_too_much


@cache
def whole_corpus() -> Mapping[str, bytes]:
    """Return every content of the corpus, also what its first bytes turn away before a child is started."""
    plain = {f"a.{ending}": a_picture("PNG") for ending in DANGEROUS}
    return {**OTHERS, **pretenders(), **traps(), **plain}


def test_none_of_four_hundred_files_costs_much_even_past_the_first_door(
    scale: Scale, record_property: Callable[[str, object], None]
) -> None:
    scale.weights.clear()
    files = {n: one for n, one in whole_corpus().items() if WHOLE or crc32(n.encode()) % SHARES == a_turn() % SHARES}
    record_property("files past the first door / 个绕过第一道的文件", len(files))
    for name, content in files.items():
        done = scale.run([sys.executable, "-I", str(attachments.CHILD)], input=content)
        assert done.returncode in (0, UNREADABLE, REFUSED_MEMORY, REFUSED_PIXELS), name
    assert not [weight for weight in scale.weights if weight.is_too_much]
    assert len(scale.weights) == len(files) > 0

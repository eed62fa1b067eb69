"""The child that decodes and encodes one picture. Run as a file of its own; knows nothing of the system.

Bytes come in on standard input and go out on standard output. What a picture carries besides its
pixels (position, camera, comments, colour profiles) does not go out. The limits hold for this
process alone, so a picture that is a trap costs one refusal.
"""

from __future__ import annotations

import io
import resource
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_MEGAPIXELS = 40
# Some pictures take two to four times the memory of others while they are decoded: a progressive JPEG keeps its
# coefficients, what is see-through is multiplied out before it is made smaller, a WebP is held four times over. With
# these limits no picture takes 300 MB (40 plain megapixels: 290).
MAX_PROGRESSIVE, MAX_SEE_THROUGH, MAX_WEBP = 20, 20, 9  # megapixels
LONGEST_SIDE = 4096  # pixels; larger ones are made smaller
MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 10
FORMATS = ("JPEG", "PNG", "WEBP")
# The quickest way to encode a WebP is also the one that takes little memory: 255 MB instead of 405.
SAVED: dict[str, dict[str, int]] = {"JPEG": {"quality": 85}, "PNG": {}, "WEBP": {"quality": 85, "method": 0}}
REFUSED_PIXELS = 3
UNREADABLE = 4
REFUSED_MEMORY = 5


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file, a pipe is none
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # checked below, before anything is decoded
    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=FORMATS) as picture:
            kind = picture.format or "JPEG"
            if picture.width * picture.height > MAX_MEGAPIXELS * 1_000_000:
                return REFUSED_PIXELS
            if picture.width * picture.height > _most_megapixels(picture) * 1_000_000:
                return REFUSED_MEMORY
            # A see-through WebP takes the most to encode, 60 bytes a pixel.
            side = LONGEST_SIDE // 2 if kind == "WEBP" and picture.mode == "RGBA" else LONGEST_SIDE
            picture.thumbnail((side, side))
            upright = ImageOps.exif_transpose(picture)
            see_through = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
            plain = upright.convert("RGBA" if see_through and kind != "JPEG" else "RGB")
            plain.info.clear()
            drawn = io.BytesIO()
            plain.save(drawn, kind, **SAVED[kind])
    except MemoryError:
        return REFUSED_MEMORY
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError):
        return UNREADABLE
    sys.stdout.buffer.write(drawn.getvalue())
    return 0


def _most_megapixels(picture: Image) -> int:
    """Return how many megapixels a picture of this sort may have."""
    if picture.format == "WEBP":
        return MAX_WEBP
    if "progressive" in picture.info:
        return MAX_PROGRESSIVE
    return MAX_SEE_THROUGH if picture.mode in ("RGBA", "LA", "PA") else MAX_MEGAPIXELS


if __name__ == "__main__":
    sys.exit(main())

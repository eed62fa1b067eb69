"""The child that decodes and encodes one picture. Run as a file of its own; knows nothing of the system.

Bytes come in on standard input and go out on standard output. What a picture carries besides its
pixels (position, camera, comments, colour profiles) does not go out. The limits hold for this
process alone, so a picture that is a trap costs one refusal.
"""

from __future__ import annotations

import io
import resource
import sys

MAX_MEGAPIXELS = 40
LONGEST_SIDE = 4096  # pixels; larger ones are made smaller
MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 10
FORMATS = ("JPEG", "PNG", "WEBP")
REFUSED_PIXELS = 3
UNREADABLE = 4


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
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(picture)
            see_through = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
            plain = upright.convert("RGBA" if see_through and kind != "JPEG" else "RGB")
            plain.info.clear()
            drawn = io.BytesIO()
            plain.save(drawn, kind, **({"quality": 85} if kind != "PNG" else {}))
    except (OSError, ValueError, SyntaxError, MemoryError, EOFError, KeyError, IndexError, TypeError, OverflowError):
        return UNREADABLE
    sys.stdout.buffer.write(drawn.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The child process that decodes one picture: `python -m guardian.duties.decoder FORMAT`, the file as its input.

It has little memory and little time, may write and open nothing, and says in one line of JSON what it saw. It is the
only place that hands a stranger's bytes to a decoder; if one of those is broken, this process breaks, and no other.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import resource
import signal
import sys
import time
import warnings
from typing import TYPE_CHECKING

from guardian.duties.picture_ends import end_of

if TYPE_CHECKING:
    from types import ModuleType

    from PIL.Image import Image

MOST_PIXELS = 40_000_000  # more than Mastodon takes; decoded, a WebP of that size has 700 MiB in memory for a moment
MEMORY = 1 << 30  # of address space
SECONDS = 20  # of processor time
MOST_FRAMES = 1000
LOOKS_FOR = 8.0  # seconds of processor time for the frames of a moving picture; the others are not looked at then
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
NICE = 10


def main(kind: str) -> int:
    """Look, and say."""
    confine()
    pillow = _prepared()
    data = mmap.mmap(0, 0, access=mmap.ACCESS_READ)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))  # from here on no file and no socket can be opened
    try:
        said = look(kind, data)
    except (pillow.DecompressionBombWarning, pillow.DecompressionBombError):
        said = {"why": f"it has more than {MOST_PIXELS} pixels"}
    except MemoryError:
        said = {"why": "it needs more memory than a picture may"}
    except pillow.UnidentifiedImageError:
        said = {"why": "it could not be read as a picture"}
    except Exception as error:  # noqa: BLE001 (whatever a decoder raises, it could not read it)
        said = {"why": f"it could not be read as a picture ({str(error)[:200] or type(error).__name__})"}
    print(json.dumps(said))  # noqa: T201 (this is how it speaks)
    return 0


def confine() -> None:
    """Little of everything, an end with the parent, and the first to go where memory is short."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:  # noqa: PTH123
        score.write("1000")
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    with contextlib.suppress(OSError):  # a courtesy, and none of the calls that the unit lets through
        os.nice(NICE)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _prepared() -> ModuleType:
    """Pillow, with everything that it would import while it decodes: later it cannot."""
    import copy  # noqa: F401 (the reader of GIF asks for it)
    import encodings.utf_8  # noqa: F401 (texts inside of pictures)

    from PIL import Image, ImageChops, ImageColor, ImageFile, ImagePalette, TiffImagePlugin  # noqa: F401 (the same)

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    Image.init()
    return Image


def look(kind: str, data: mmap.mmap) -> dict[str, object]:
    """Decode every frame, up to a bound. Raises what decoders raise."""
    from PIL.Image import open as open_picture

    end = end_of(kind, data)
    if end is None:
        return {"why": "it is cut off or damaged"}
    formats = ("JPEG", "MPO") if kind == "JPEG" else (kind,)
    os.lseek(0, 0, os.SEEK_SET)
    with os.fdopen(0, "rb", closefd=False) as file, open_picture(file, formats=formats) as image:
        width, height = image.size
        frames, whole = _load_all(image, moves=image.format not in ("JPEG", "MPO"))
    return {"width": width, "height": height, "frames": frames, "whole": whole, "after": len(data) - end}


def _load_all(image: Image, *, moves: bool) -> tuple[int, bool]:
    """How many frames were decoded, and whether those were all. The pictures in the tail of an MPO are not shown."""
    frames = 0
    while True:
        try:
            image.seek(frames)
        except EOFError:
            return frames, True
        image.load()
        frames += 1
        if not moves:
            return frames, True
        if frames >= MOST_FRAMES or time.process_time() > LOOKS_FOR:
            return frames, False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

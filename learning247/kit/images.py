"""Images that people send: believed by their content alone, and made anew before anybody else sees them.

What is stored is never what was sent. The pixels are decoded and encoded again, so that no metadata (where a photo was
taken), no second file hidden behind the first, and no quirk of some program's encoder reaches a browser.
"""

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import IO, Final

from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from learning247.kit.errors import Malformed, RequestTooLarge, Unavailable, Unprocessable

IMAGE_MAX_BYTES: Final = 5 * 1024 * 1024
# A phone's usual 24 megapixels pass: a JPEG that large is decoded at half its scale. The others, and a JPEG in several
# scans, are held whole while they are decoded, WebP twice. What is allowed here takes about 120 MB at its peak.
# MPO: a JPEG with more images behind the first, as phones take them.
IMAGE_MAX_PIXELS: Final = {"JPEG": 25_000_000, "MPO": 25_000_000, "PNG": 12_000_000, "WEBP": 6_000_000}
IMAGE_MAX_PIXELS_IN_SCANS: Final = 12_000_000
# Width and height of what is stored.
IMAGE_LONGEST_SIDE: Final = 1600
IMAGE_CONTENT_TYPE: Final = "image/webp"
IMAGE_SUFFIX: Final = ".webp"

# A few bytes each, and time for every one: a JPEG is decoded once per scan, a PNG's profiles and texts are unpacked.
# Images have a dozen.
_MOST_SCANS: Final = 100
_MOST_SEGMENTS: Final = 5_000
_MOST_CHUNKS: Final = 20_000
_MOST_EXTRAS: Final = 100
_PIXEL_CHUNKS: Final = frozenset((b"IDAT", b"fdAT", b"fcTL"))
_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_JPEG_HEAD: Final = b"\xff\xd8"
_JPEG_SCAN: Final = b"\xff\xda"
_JPEG_SEGMENTS: Final = tuple(bytes((0xFF, marker)) for marker in (*range(0xC0, 0xD0), 0xDB, 0xDD, *range(0xE0, 0x100)))
_READ: Final = ("JPEG", "PNG", "WEBP")
_ORIENTATION: Final = 0x0112  # EXIF's tag
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow raises over bytes that only look like an image.
_BROKEN: Final = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, AttributeError,
    struct.error, zlib.error,
)  # fmt: skip
# Where Pillow itself would only warn of the size that a header declares.
warnings.simplefilter("error", Image.DecompressionBombWarning)
_QUALITY: Final = 82
# One at a time in a process, or a handful of large images sent together would take all its memory; and in one thread,
# as the allocator keeps for each what it once needed. Half a second for a phone's image.
_studio = ThreadPoolExecutor(1, thread_name_prefix="images")
_turn = Lock()
_LONGEST_WAIT: Final = 20.0  # seconds
# The one in work and those that wait for it: the other web threads stay free for everybody else.
_seats = BoundedSemaphore(4)


class ImageTooLarge(RequestTooLarge):
    code = "image_too_large"
    detail = f"The image is larger than {IMAGE_MAX_BYTES // 1024 // 1024} MB. Send a smaller one."


class ImageInvalid(Malformed):
    code = "invalid_image"
    detail = "This is not a whole JPEG, PNG or WebP image. Open it in an image program, save it again and send that."


class ImageTooManyPixels(Unprocessable):
    code = "image_too_many_pixels"
    detail = "The image has too many pixels. Scale it down and send it again."


class ImageTooComplex(Unprocessable):
    code = "image_too_complex"
    detail = "The image consists of too many parts. Open it in an image program, save it again and send that."


class ImagesBusy(Unavailable):
    code = "images_busy"
    detail = "Many images are being sent right now. Try again in a moment."


@dataclass(frozen=True, slots=True)
class NormalisedImage:
    """An image fit to be shown: WebP, upright, in sRGB, at most IMAGE_LONGEST_SIDE wide and high, no metadata."""

    content: bytes
    width: int
    height: int
    content_type: str


def image_normalise(file: IO[bytes], *, attr: str = "image") -> NormalisedImage:
    """The image in `file`, made anew; equal bytes in give equal bytes out. Of an animation, the first frame.

    `attr`: the request's field that it came in. Raises ImageTooLarge, ImageInvalid, ImageTooManyPixels,
    ImageTooComplex, and ImagesBusy at once where three wait already, or after twenty seconds of waiting.
    """
    if file.seek(0, io.SEEK_END) > IMAGE_MAX_BYTES:
        raise ImageTooLarge(attr=attr, extra={"max_bytes": IMAGE_MAX_BYTES})
    if not _seats.acquire(blocking=False):
        raise ImagesBusy
    try:
        # The turn is taken before the bytes are: who is refused leaves nothing behind.
        if not _turn.acquire(timeout=_LONGEST_WAIT):
            raise ImagesBusy
        try:
            file.seek(0)
            return _studio.submit(_made_anew, file.read(), attr).result()
        finally:
            _turn.release()
    finally:
        _seats.release()


def _made_anew(sent: bytes, attr: str) -> NormalisedImage:
    image = _encodable(sent, attr)
    encoded = io.BytesIO()
    image.save(encoded, "WEBP", quality=_QUALITY, method=4)
    return NormalisedImage(encoded.getvalue(), image.width, image.height, IMAGE_CONTENT_TYPE)


def _encodable(sent: bytes, attr: str) -> Image.Image:
    """Pixels alone, RGB or RGBA: whatever else the file had stays behind."""
    if sent.startswith(_JPEG_HEAD):
        _refuse_too_many_segments(sent, attr)
    elif sent.startswith(_PNG_HEAD):
        _refuse_too_many_chunks(sent, attr)
    try:
        with Image.open(io.BytesIO(sent), formats=_READ) as opened:
            _refuse_too_many_pixels(opened, sent, attr)  # declared, and not decoded yet
            turn = _UPRIGHT.get(_orientation(opened))
            profile = opened.info.get("icc_profile")
            _decode_scaled(opened)
            image = _plain(opened)
            image.thumbnail((IMAGE_LONGEST_SIDE, IMAGE_LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
            image = _in_srgb(image, profile)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageTooManyPixels(attr=attr) from None
    except _BROKEN:
        raise ImageInvalid(attr=attr) from None
    if turn is not None:
        image = image.transpose(turn)
    # The encoder would not ask for these; a newer one might.
    image.info = {}
    return image


def _refuse_too_many_segments(sent: bytes, attr: str) -> None:
    """Where a marker stands by chance in other data, it is counted too: once in 65,536 bytes."""
    if sent.count(_JPEG_SCAN) > _MOST_SCANS or sum(map(sent.count, _JPEG_SEGMENTS)) > _MOST_SEGMENTS:
        raise ImageTooComplex(attr=attr)


def _refuse_too_many_chunks(sent: bytes, attr: str) -> None:
    at, chunks, extras = len(_PNG_HEAD), 0, 0
    while at + 8 <= len(sent):
        length, name = struct.unpack_from(">I4s", sent, at)
        chunks, extras = chunks + 1, extras + (name not in _PIXEL_CHUNKS)
        if chunks > _MOST_CHUNKS or extras > _MOST_EXTRAS:
            raise ImageTooComplex(attr=attr)
        at += 12 + length


def _refuse_too_many_pixels(image: ImageFile, sent: bytes, attr: str) -> None:
    most = IMAGE_MAX_PIXELS[image.format or ""]
    if isinstance(image, JpegImageFile) and _comes_in_scans(image, sent):
        most = IMAGE_MAX_PIXELS_IN_SCANS
    if image.width * image.height > most:
        raise ImageTooManyPixels(
            f"The image is {image.width} by {image.height}, and {most // 1_000_000} megapixels are the most. "
            "Scale it down and send it again.",
            attr=attr,
            extra={"max_pixels": most, "width": image.width, "height": image.height},
        )


def _comes_in_scans(image: JpegImageFile, sent: bytes) -> bool:
    """Whether the decoder has to hold the whole image: it is progressive, or its colours come one after the other."""
    assert image.fp is not None
    # Pillow has read up to the end of the first scan's header; its fifth byte counts the colours.
    in_first_scan = sent[sent.rfind(_JPEG_SCAN, 0, image.fp.tell()) + 4]
    return "progressive" in image.info or in_first_scan < image.layers


def _decode_scaled(image: ImageFile) -> None:
    """A JPEG at half, a quarter or an eighth of its size, while that leaves half as much again as is kept."""
    excess = max(image.size) / (1.5 * IMAGE_LONGEST_SIDE)
    if excess > 1:
        image.draft(None, (max(1, int(image.width / excess)), max(1, int(image.height / excess))))


def _orientation(image: Image.Image) -> int:
    """How the camera was held. Broken EXIF says nothing, and is no reason to refuse what can be seen."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _BROKEN:
        return 1


def _plain(image: Image.Image) -> Image.Image:
    """In a mode that can be scaled smoothly; those that a JPEG comes in stay, so that it is decoded at its scale."""
    if image.mode in {"RGB", "RGBA", "L", "CMYK"} and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # grey of 16 bits
        return image.point(lambda level: level * (1 / 256)).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours that its own profile means, since the profile itself is left behind."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        try:
            meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, meant, ImageCms.createProfile("sRGB"), outputMode=mode)
        except (ImageCms.PyCMSError, *_BROKEN):
            converted = None  # a broken profile, or one for other pixels than these
        if converted is not None:
            return converted
    return image.convert(mode)

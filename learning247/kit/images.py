"""Pictures that people send: believed by their content alone, and made anew before anybody else sees them.

What is stored is never what was sent. The pixels are decoded and encoded again, so that no metadata (where a photo was
taken), no second file hidden behind the first, and no quirk of some program's encoder reaches a browser.
"""

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Final

from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from learning247.kit.errors import Malformed, RequestTooLarge, Unavailable, Unprocessable

IMAGE_MAX_BYTES: Final = 5 * 1024 * 1024
# A phone's usual 24 megapixels pass. WebP takes 16 bytes for each while it is decoded, the others no more than eight.
# MPO: a JPEG with more pictures behind the first, as phones take them.
IMAGE_MAX_PIXELS: Final = {"JPEG": 25_000_000, "MPO": 25_000_000, "PNG": 25_000_000, "WEBP": 12_000_000}
# Width and height of what is stored.
IMAGE_LONGEST_SIDE: Final = 1600
IMAGE_CONTENT_TYPE: Final = "image/webp"
IMAGE_SUFFIX: Final = ".webp"

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
# What Pillow raises over bytes that only look like a picture.
_BROKEN: Final = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, AttributeError,
    struct.error, zlib.error,
)  # fmt: skip
# Where Pillow itself would only warn of the size that a header declares.
warnings.simplefilter("error", Image.DecompressionBombWarning)
_QUALITY: Final = 82
# One at a time in a process, or a handful of large pictures sent together would take all its memory; and in one thread,
# as the allocator keeps for each what it once needed. Half a second for a phone's picture.
_studio = ThreadPoolExecutor(1, thread_name_prefix="pictures")
_LONGEST_WAIT: Final = 20.0  # seconds


class ImageTooLarge(RequestTooLarge):
    code = "image_too_large"
    detail = f"The picture is larger than {IMAGE_MAX_BYTES // 1024 // 1024} MB. Send a smaller one."


class ImageInvalid(Malformed):
    code = "invalid_image"
    detail = "This is not a whole JPEG, PNG or WebP picture. Open it in a picture program, save it again and send that."


class ImageTooManyPixels(Unprocessable):
    code = "image_too_many_pixels"
    detail = "The picture has too many pixels. Scale it down and send it again."


class ImagesBusy(Unavailable):
    code = "images_busy"
    detail = "Many pictures are being sent right now. Try again in a moment."


@dataclass(frozen=True, slots=True)
class NormalisedPicture:
    """A picture fit to be shown: WebP, upright, in sRGB, at most IMAGE_LONGEST_SIDE wide and high, no metadata."""

    content: bytes
    width: int
    height: int
    content_type: str


def picture_normalise(file: IO[bytes], *, attr: str = "image") -> NormalisedPicture:
    """The picture in `file`, made anew; equal bytes in give equal bytes out. Of an animation, the first frame.

    `attr`: the request's field that it came in. Raises ImageTooLarge, ImageInvalid, ImageTooManyPixels, ImagesBusy.
    """
    file.seek(0)
    sent = file.read(IMAGE_MAX_BYTES + 1)
    if len(sent) > IMAGE_MAX_BYTES:
        raise ImageTooLarge(attr=attr, extra={"max_bytes": IMAGE_MAX_BYTES})
    made = _studio.submit(_made_anew, sent, attr)
    try:
        return made.result(timeout=_LONGEST_WAIT)
    except TimeoutError:
        made.cancel()
        raise ImagesBusy from None


def _made_anew(sent: bytes, attr: str) -> NormalisedPicture:
    image = _encodable(sent, attr)
    encoded = io.BytesIO()
    image.save(encoded, "WEBP", quality=_QUALITY, method=4)
    return NormalisedPicture(encoded.getvalue(), image.width, image.height, IMAGE_CONTENT_TYPE)


def _encodable(sent: bytes, attr: str) -> Image.Image:
    """Pixels alone, RGB or RGBA: whatever else the file had stays behind."""
    try:
        with Image.open(io.BytesIO(sent), formats=_READ) as opened:
            _refuse_too_many(opened, attr)  # declared, and not decoded yet
            turn = _UPRIGHT.get(_orientation(opened))
            profile = opened.info.get("icc_profile")
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


def _refuse_too_many(image: ImageFile, attr: str) -> None:
    most = IMAGE_MAX_PIXELS[image.format or ""]
    if image.width * image.height > most:
        raise ImageTooManyPixels(
            f"The picture is {image.width} by {image.height}, and {most // 1_000_000} megapixels are the most. "
            "Scale it down and send it again.",
            attr=attr,
            extra={"max_pixels": most, "width": image.width, "height": image.height},
        )


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

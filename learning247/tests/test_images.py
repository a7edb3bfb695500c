"""Images that people send: what is taken, what is made of it, and what is refused."""

import io
import random
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from django.test import RequestFactory
from PIL import Image, ImageCms

from learning247.kit import images
from learning247.kit.api.uploads import ImageFormParser
from learning247.kit.errors import DomainError
from learning247.kit.images import (
    IMAGE_MAX_BYTES,
    ImageInvalid,
    ImagesBusy,
    ImageTooComplex,
    ImageTooLarge,
    ImageTooManyPixels,
    NormalisedImage,
    image_normalise,
)

RED, GREEN, BLUE = (230, 20, 20), (20, 200, 20), (20, 20, 230)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def normalised(sent: bytes) -> NormalisedImage:
    return image_normalise(io.BytesIO(sent))


def shown(made: NormalisedImage) -> Image.Image:
    """The image as a browser would open it, checked against what is said of it."""
    image = Image.open(io.BytesIO(made.content))
    assert (image.format, image.size) == ("WEBP", (made.width, made.height))
    assert made.content_type == "image/webp"
    return image


def halves(left: tuple[int, ...], right: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, (200, 100), left)
    image.paste(right, (100, 0, 200, 100))
    return image


def alike(one: Any, other: Any, by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_keeps_what_it_shows(kind: str) -> None:
    made = normalised(encoded(halves(RED, BLUE), kind))

    image = shown(made)
    assert (image.mode, image.size) == ("RGB", (200, 100))
    assert alike(image.getpixel((50, 50)), RED)
    assert alike(image.getpixel((150, 50)), BLUE)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [((3200, 1000), (1600, 500)), ((1000, 3200), (500, 1600)), ((1600, 1600), (1600, 1600)), ((1, 1), (1, 1)),
     ((20_000, 1), (1600, 1)), ((1, 20_000), (1, 1600))],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_neither_side_is_longer_than_1600(kind: str, sent: tuple[int, int], kept: tuple[int, int]) -> None:
    made = normalised(encoded(Image.new("RGB", sent, GREEN), kind))

    assert shown(made).size == kept


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_way_to_write_white_down_is_white(mode: str) -> None:
    white: dict[str, Any] = {"1": 1, "LA": (255, 255), "RGB": (255,) * 3, "RGBA": (255,) * 4, "I;16": 65_535,
                             "CMYK": (0, 0, 0, 0)}  # fmt: skip
    image = Image.new(mode, (40, 30), white.get(mode, 255))
    if mode == "P":
        image.putpalette([255] * 768)

    made = normalised(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))

    assert alike(shown(made).convert("RGB").getpixel((20, 15)), (255, 255, 255), by=2)


def test_grey_of_16_bits_stays_grey() -> None:
    made = normalised(encoded(Image.new("I;16", (40, 30), 128 * 256), "PNG"))

    assert alike(shown(made).convert("RGB").getpixel((20, 15)), (128, 128, 128), by=2)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_was_transparent_stays_so(mode: str) -> None:
    image = halves((255, 255, 255, 0), (255, 255, 255, 255), "RGBA").convert("RGBA" if mode == "P" else mode)
    if mode == "P":
        image = image.quantize(4)

    kept = shown(normalised(encoded(image, "PNG")))

    assert kept.mode == "RGBA"
    alpha = kept.getchannel("A")
    assert (alpha.getpixel((50, 50)), alpha.getpixel((150, 50))) == (0, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "red_is_at"),
    [(1, "left"), (2, "right"), (3, "right"), (4, "left"), (5, "top"), (6, "top"), (7, "bottom"), (8, "bottom")],
)
def test_an_image_stands_as_the_camera_was_held(kind: str, orientation: int, red_is_at: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    image = shown(normalised(encoded(halves(RED, BLUE), kind, exif=exif)))

    places = {"left": (10, 50), "right": (190, 50), "top": (50, 10), "bottom": (50, 190)}
    assert image.size == ((100, 200) if orientation >= 5 else (200, 100))
    assert alike(image.getpixel(places[red_is_at]), RED)


def test_a_quarter_turn_is_made_after_scaling() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    made = normalised(encoded(Image.new("RGB", (3200, 1600), RED), "JPEG", exif=exif))

    assert (made.width, made.height) == (800, 1600)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_where_a_photo_was_taken_stays_with_its_maker(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif.get_ifd(0x8825).update({1: "N", 2: (6.0, 27.0, 14.0), 29: "SECRET:date"})
    options: dict[str, Any] = {"exif": exif, "xmp": b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>SECRET</x:xmpmeta>"}
    if kind == "JPEG":
        options["comment"] = b"SECRET comment"
    sent = encoded(halves(RED, BLUE), kind, **options) + b"SECRET tail"
    assert sent.count(b"SECRET") >= 3

    made = normalised(sent)

    assert b"SECRET" not in made.content
    assert {"exif", "xmp", "icc_profile", "comment"}.isdisjoint(shown(made).info)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_colours_are_those_that_the_profile_means() -> None:
    """In this profile the numbers of red mean what those of blue mean in sRGB, and the reverse."""
    swapped = srgb_profile().replace(b"rXYZ", b"?XYZ", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"?XYZ", b"bXYZ", 1)

    image = shown(normalised(encoded(halves((255, 0, 0), (0, 0, 255)), "PNG", icc_profile=swapped)))

    assert alike(image.getpixel((50, 50)), (0, 0, 255))
    assert alike(image.getpixel((150, 50)), (255, 0, 0))


@pytest.mark.parametrize("profile", [b"no profile at all", srgb_profile()[:200], srgb_profile()])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_profile_that_is_broken_or_for_other_pixels_is_left_out(profile: bytes, mode: str) -> None:
    grey = Image.new("RGB", (40, 30), (90, 90, 90)).convert(mode)

    image = shown(normalised(encoded(grey, "PNG", icc_profile=profile)))

    assert alike(image.convert("RGB").getpixel((20, 15)), (90, 90, 90), by=2)


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_of_an_animation_the_first_image_stays(kind: str) -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in (GREEN, RED, BLUE)]

    image = shown(normalised(encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)))

    assert not getattr(image, "is_animated", False)
    assert alike(image.getpixel((30, 20)), GREEN)


def test_a_phones_image_with_another_behind_it_is_an_image() -> None:
    sent = encoded(
        Image.new("RGB", (60, 40), GREEN), "MPO", save_all=True, append_images=[Image.new("RGB", (60, 40), RED)]
    )

    assert alike(shown(normalised(sent)).getpixel((30, 20)), GREEN)


def test_equal_images_are_equal_bytes() -> None:
    sent = encoded(halves(RED, BLUE), "JPEG")

    assert normalised(sent) == normalised(sent)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        b"\x89PNG\r\n\x1a\n<script>alert(1)</script>" * 50,
        encoded(halves(RED, BLUE), "GIF"),
        encoded(halves(RED, BLUE), "BMP"),
        encoded(halves(RED, BLUE), "TIFF"),
        encoded(halves(RED, BLUE), "PDF"),
        encoded(Image.new("RGB", (64, 64)), "ICO"),
    ],
    ids=["empty", "nuls", "svg", "html", "jpeg head", "png head", "webp head", "html after a head", "gif", "bmp",
         "tiff", "pdf", "ico"],
)  # fmt: skip
def test_what_is_no_image_of_ours_is_refused(sent: bytes) -> None:
    with pytest.raises(ImageInvalid, match="This is not a whole JPEG, PNG or WebP image"):
        normalised(sent)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_half_an_image_is_refused(kind: str) -> None:
    whole = encoded(Image.effect_noise((300, 200), 80).convert("RGB"), kind)

    with pytest.raises(ImageInvalid):
        normalised(whole[: len(whole) // 2])


def test_a_page_hidden_in_an_image_does_not_come_out_again() -> None:
    script = b"<script>alert(document.domain)</script>"
    sent = encoded(halves(RED, BLUE), "JPEG", comment=script) + script + b"PK\x03\x04"

    made = normalised(sent)

    assert made.content.startswith(b"RIFF")
    assert b"script" not in made.content
    assert b"PK\x03\x04" not in made.content


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that says that it is so large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\x00" * 4_000_000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("width", "height"), [(4001, 3000), (12_000, 12_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)]
)
def test_a_bomb_is_refused_by_what_it_declares(width: int, height: int) -> None:
    with pytest.raises(ImageTooManyPixels):
        normalised(bomb(width, height))


def test_the_refusal_names_both_sizes() -> None:
    with pytest.raises(ImageTooManyPixels) as refused:
        normalised(bomb(6000, 5000))

    assert refused.value.detail == (
        "The image is 6000 by 5000, and 12 megapixels are the most. Scale it down and send it again."
    )
    assert refused.value.extra == {"max_pixels": 12_000_000, "width": 6000, "height": 5000}


@pytest.mark.parametrize(
    ("kind", "size", "options"),
    [
        ("JPEG", (6000, 4100), {}),
        ("JPEG", (4000, 3000), {"progressive": True}),
        ("PNG", (4000, 3000), {}),
        ("WEBP", (3000, 2000), {"method": 0}),
    ],
)
def test_what_a_camera_or_a_screen_makes_passes(kind: str, size: tuple[int, int], options: dict[str, Any]) -> None:
    assert max(shown(normalised(encoded(Image.new("RGB", size, GREEN), kind, **options))).size) == 1600


@pytest.mark.parametrize(
    ("kind", "size", "options"),
    [
        ("JPEG", (6100, 4100), {}),
        ("JPEG", (4001, 3000), {"progressive": True}),
        ("WEBP", (3001, 2000), {"method": 0}),
    ],
)
def test_each_kind_has_as_many_pixels_as_its_decoder_holds(
    kind: str, size: tuple[int, int], options: dict[str, Any]
) -> None:
    with pytest.raises(ImageTooManyPixels):
        normalised(encoded(Image.new("RGB", size, GREEN), kind, **options))


def test_colours_that_come_one_after_the_other_are_held_like_a_progressive_image() -> None:
    jpeg = encoded(Image.new("RGB", (4001, 3000), GREEN), "JPEG")
    at = jpeg.index(b"\xff\xda")
    one_by_one = jpeg[:at] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + jpeg[at + 14 :]

    with pytest.raises(ImageTooManyPixels) as refused:
        normalised(one_by_one)

    assert refused.value.extra == {"max_pixels": 12_000_000, "width": 4001, "height": 3000}


def many_scans(scans: int) -> bytes:
    """A JPEG of the largest size whose every scan after the first is decoded, and changes nothing."""
    side, blocks = 3400, 425 * 425
    jpeg = b"\xff\xd8\xff\xdb" + struct.pack(">HB", 67, 0) + bytes([1] * 64)
    jpeg += b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, side, side, 1) + b"\x01\x11\x00"
    for table, symbol in ((0x00, 0x00), (0x10, 0xE0)):
        jpeg += b"\xff\xc4" + struct.pack(">HB", 20, table) + bytes([1] + [0] * 15 + [symbol])
    jpeg += b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00" + bytes(blocks // 8 + 1)
    runs = -(-blocks // 32_767)
    bits = ("0" + "1" * 14) * runs
    bits += "1" * (-len(bits) % 8)
    ended = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    return jpeg + (b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00" + ended) * scans + b"\xff\xd9"


def test_a_jpeg_that_would_be_decoded_for_minutes_is_refused() -> None:
    assert max(shown(normalised(many_scans(20))).size) == 1600
    endless = many_scans(118_000)
    assert len(endless) < IMAGE_MAX_BYTES

    with pytest.raises(ImageTooComplex):
        normalised(endless)


@pytest.mark.parametrize("segment", [b"\xff\xfe\x00\x02", b"\xff\xe1\x00\x08Exif\x00\x00", b"\xff" * 8])
def test_a_jpeg_of_countless_segments_is_refused(segment: bytes) -> None:
    jpeg = encoded(halves(RED, BLUE), "JPEG")
    normalised(jpeg[:2] + segment * 1000 + jpeg[2:])

    with pytest.raises(ImageTooComplex):
        normalised(jpeg[:2] + segment * 6000 + jpeg[2:])


@pytest.mark.parametrize(
    "part",
    [chunk(b"iCCP", b"p\x00\x00" + zlib.compress(bytes(1000))), chunk(b"iTXt", b"k\x00\x00\x00\x00\x00x"),
     chunk(b"abCd", b"")],
    ids=["profile", "text", "unknown"],
)  # fmt: skip
@pytest.mark.parametrize("behind", [False, True])
def test_a_png_of_countless_extras_is_refused(part: bytes, behind: bool) -> None:
    png = encoded(halves(RED, BLUE), "PNG")
    at = png.index(b"IEND") - 4 if behind else 33
    normalised(png[:at] + part * 90 + png[at:])

    with pytest.raises(ImageTooComplex):
        normalised(png[:at] + part * 101 + png[at:])


def test_a_png_in_countless_pieces_is_refused() -> None:
    png = encoded(halves(RED, BLUE), "PNG")
    at = png.index(b"IEND") - 4

    with pytest.raises(ImageTooComplex):
        normalised(png[:at] + chunk(b"IDAT", b"") * 20_000 + png[at:])


@contextmanager
def studio_occupied() -> Iterator[None]:
    """An image is in work, and stays so until the block ends."""
    begun, done = Event(), Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            begun.set()
            assert done.wait(30)
            return super().read(size)

    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(image_normalise, Slow(encoded(halves(RED, BLUE), "PNG")))
        assert begun.wait(30)
        try:
            yield
        finally:
            done.set()
        assert made.result().width == 200


def test_who_has_waited_too_long_is_refused_and_nothing_of_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_LONGEST_WAIT", 0.01)
    bodies = [Counted(encoded(halves(RED, BLUE), "PNG")) for _ in range(40)]

    with studio_occupied():
        for body in bodies:
            with pytest.raises(ImagesBusy) as refused:
                image_normalise(body)

    assert refused.value.retry_after == 5
    assert [body.taken for body in bodies] == [0] * 40
    assert normalised(bodies[0].getvalue()).width == 200


def test_three_wait_for_their_turn_and_the_next_is_refused_at_once() -> None:
    sent = encoded(halves(RED, BLUE), "PNG")
    with ThreadPoolExecutor(4) as pool:
        with studio_occupied():
            asked = [pool.submit(normalised, sent) for _ in range(4)]
            refused, waiting = wait(asked, timeout=10, return_when=FIRST_COMPLETED)
            assert [type(answer.exception()) for answer in refused] == [ImagesBusy]
        assert [answer.result().width for answer in waiting] == [200, 200, 200]


def test_a_text_that_unpacks_without_end_is_refused() -> None:
    png = encoded(halves(RED, BLUE), "PNG")
    text = b"note\x00\x00" + zlib.compress(b"\x00" * 200_000_000, 9)
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))

    with pytest.raises(ImageInvalid):
        normalised(png[:33] + chunk + png[33:])


def test_five_megabytes_are_the_most() -> None:
    jpeg = encoded(halves(RED, BLUE), "JPEG")

    normalised(jpeg + b"\x00" * (IMAGE_MAX_BYTES - len(jpeg)))
    with pytest.raises(ImageTooLarge, match="larger than 5 MB") as refused:
        normalised(jpeg + b"\x00" * (IMAGE_MAX_BYTES - len(jpeg) + 1))

    assert refused.value.extra == {"max_bytes": 5_242_880}


class Counted(io.BytesIO):
    """A body that knows how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(size)
        self.taken = max(self.taken, self.tell())
        return part


@pytest.mark.parametrize(("length", "most_read"), [(5_500_000, IMAGE_MAX_BYTES + 200_000), (20_000_000, 0)])
def test_a_body_is_not_read_past_the_cap(length: int, most_read: int) -> None:
    form = b'--a\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n' + b"x" * length
    body = Counted(form + b"\r\n--a--\r\n")
    content_type = "multipart/form-data; boundary=a"
    request = RequestFactory().put("/", b"", content_type=content_type)
    request.META["CONTENT_LENGTH"] = str(len(body.getvalue()))

    with pytest.raises(ImageTooLarge, match="larger than 5 MB"):
        ImageFormParser().parse(body, content_type, {"request": request})

    assert body.taken <= most_read


@pytest.mark.property
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whatever_the_bytes_it_is_an_image_or_a_refusal() -> None:
    """Two thousand damaged files, the same in every run."""
    chance = random.Random(247)
    exif = Image.Exif()
    exif[0x0112] = 6
    noise = Image.effect_noise((60, 40), 80).convert("RGB")
    whole = [encoded(noise, kind, exif=exif, icc_profile=srgb_profile()) for kind in ("JPEG", "PNG", "WEBP")]
    whole += [encoded(noise, kind, save_all=True, append_images=[halves(RED, BLUE).resize((60, 40))])
              for kind in ("MPO", "PNG", "WEBP")]  # fmt: skip
    outcomes = set()

    for _ in range(2000):
        damaged = bytearray(chance.choice(whole))
        for _ in range(chance.choice([1, 1, 2, 5, 20])):
            at = chance.randrange(min(len(damaged), chance.choice([700, 100_000])))
            damaged[at : at + chance.choice([0, 1, 1, 20])] = chance.randbytes(chance.choice([0, 1, 1, 20]))
        try:
            normalised(bytes(damaged))
            outcomes.add("image")
        except DomainError as refusal:
            outcomes.add(refusal.code)

    assert outcomes == {"image", "invalid_image", "image_too_many_pixels"}

"""A course's image: sent over the API, kept in a bucket or a directory, read by everybody."""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
import yaml
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from moto.server import ThreadedMotoServer
from PIL import Image
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.builders import build_creator, build_user, sign_in
from courses.enums import CourseStatus
from courses.models import Course
from courses.selectors.catalogue import catalogue_version
from courses.services.courses import course_update
from courses.tests.builders import build_course, build_department, build_enrollment
from learning247.settings.storage import bucket_storage
from payments.models import Price, Product


def photo(size: tuple[int, int] = (320, 200), kind: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (20, 200, 20)).save(file, kind, **options)
    return file.getvalue()


def upload(content: bytes | None = None, name: str = "photo.jpg", content_type: str = "image/jpeg") -> Any:
    return SimpleUploadedFile(name, photo() if content is None else content, content_type)


@pytest.fixture
def files(tmp_path: Path, settings: Any) -> Path:
    """The directory that images are kept in."""
    settings.MEDIA_ROOT = tmp_path
    settings.MEDIA_URL = "http://testserver/files/"
    return tmp_path


def stored(files: Path) -> list[str]:
    return sorted(str(path.relative_to(files)) for path in files.rglob("*") if path.is_file())


@pytest.fixture
def creator(db: None) -> User:
    return build_creator()


@pytest.fixture
def client(creator: User, files: Path) -> APIClient:
    client = APIClient()
    sign_in(client, creator)
    return client


@pytest.fixture
def course(creator: User) -> Course:
    return build_course(creator=creator, image_url="https://pictures.example.com/old.jpg")


def put(client: APIClient, course: Course, *images: Any, **others: Any) -> Any:
    return client.put(f"/api/courses/{course.id}/image", {"image": list(images), **others}, format="multipart")


def refused(answer: Any, course: Course, files: Path) -> tuple[int, str, str | None]:
    """What was refused, and that nothing came of it."""
    course.refresh_from_db()
    assert course.image_url == "https://pictures.example.com/old.jpg"
    assert stored(files) == []
    error = answer.json()["errors"][0]
    return answer.status_code, error["code"], error["attr"]


def test_an_image_is_kept_under_its_content_and_shown_to_everybody(
    client: APIClient, course: Course, files: Path
) -> None:
    answer = put(client, course, upload(photo((3200, 2000))))

    assert answer.status_code == 200, answer.json()
    (name,) = stored(files)
    content = (files / name).read_bytes()
    assert name == f"courses/{course.id}/{hashlib.sha256(content).hexdigest()}.webp"
    assert answer.json()["image_url"] == f"http://testserver/files/{name}"
    assert APIClient().get(f"/api/courses/{course.id}").json()["image_url"] == answer.json()["image_url"]
    fetched = APIClient().get(answer.json()["image_url"])
    assert fetched.getvalue() == content
    assert fetched["Content-Type"] == "image/webp"
    assert fetched["Cache-Control"] == "public, max-age=31536000, immutable"
    assert fetched["X-Content-Type-Options"] == "nosniff"
    assert Image.open(io.BytesIO(content)).size == (1600, 1000)


def test_the_same_image_twice_is_one_file(client: APIClient, course: Course, files: Path) -> None:
    first = put(client, course, upload()).json()["image_url"]
    second = put(client, course, upload(name="other.png", content_type="image/png")).json()["image_url"]

    assert first == second
    assert len(stored(files)) == 1


def test_a_replaced_image_stays_where_pages_still_show_it(client: APIClient, course: Course, files: Path) -> None:
    first = put(client, course, upload()).json()["image_url"]
    second = put(client, course, upload(photo((100, 100)))).json()["image_url"]

    assert first != second
    assert [APIClient().get(address).status_code for address in (first, second)] == [200, 200]


def test_a_new_image_changes_the_catalogue(committed_db: str, files: Path) -> None:
    creator = build_creator()
    client = APIClient()
    sign_in(client, creator)
    course = build_course(creator=creator)
    before = catalogue_version()

    assert put(client, course, upload()).status_code == 200
    with_image = catalogue_version()
    assert put(client, course, upload()).status_code == 200
    assert client.delete(f"/api/courses/{course.id}/image").status_code == 204

    assert len({before, with_image, catalogue_version()}) == 3


def test_an_image_is_taken_away_and_once_more(client: APIClient, course: Course) -> None:
    put(client, course, upload())

    assert [client.delete(f"/api/courses/{course.id}/image").status_code for _ in range(2)] == [204, 204]

    course.refresh_from_db()
    assert course.image_url == ""


@pytest.mark.parametrize("status", CourseStatus)
def test_a_course_takes_an_image_in_every_state(
    client: APIClient, creator: User, files: Path, status: CourseStatus
) -> None:
    course = build_course(creator=creator, status=status)

    answer = put(client, course, upload())

    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert answer.json()["image_url"].endswith(".webp")


def test_a_sold_course_takes_an_image_and_its_buyer_sees_it(client: APIClient, creator: User) -> None:
    course = build_course(creator=creator)
    buyer = APIClient()
    sign_in(buyer, build_enrollment(course).user)
    client.delete(f"/api/courses/{course.id}")

    address = put(client, course, upload()).json()["image_url"]

    assert buyer.get(f"/api/courses/{course.id}").json()["image_url"] == address


@pytest.mark.parametrize("platform_owned", [True, False])
def test_only_the_creator_changes_the_image(client: APIClient, files: Path, platform_owned: bool) -> None:
    course = build_course(
        creator=None if platform_owned else build_creator(), image_url="https://pictures.example.com/old.jpg"
    )

    assert refused(put(client, course, upload()), course, files) == (404, "course_not_found", None)
    assert refused(client.delete(f"/api/courses/{course.id}/image"), course, files) == (404, "course_not_found", None)
    assert refused(put(APIClient(), course, upload()), course, files)[0] == 401
    assert refused(APIClient().delete(f"/api/courses/{course.id}/image"), course, files)[0] == 401


@pytest.mark.parametrize("reference", ["nowhere", "0190aaaa-0000-7000-8000-000000000000", "a%00b"])
def test_there_is_no_image_without_a_course(client: APIClient, files: Path, reference: str) -> None:
    answer = client.put(f"/api/courses/{reference}/image", {"image": upload()}, format="multipart")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "course_not_found")
    assert stored(files) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", (400, "empty", "image")),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", (400, "invalid_image", "image")),
        (b"<!doctype html><script>alert(1)</script>", (400, "invalid_image", "image")),
        (b"\x00" * 1000, (400, "invalid_image", "image")),
        (photo(kind="GIF"), (400, "invalid_image", "image")),
        (photo()[:500], (400, "invalid_image", "image")),
        (photo((9000, 3000), "PNG"), (422, "image_too_many_pixels", "image")),
        (photo() + b"\x00" * 5_242_880, (413, "image_too_large", "image")),
        (b"\x00" * 20_000_000, (413, "image_too_large", None)),
    ],
    ids=["empty", "svg", "html", "nuls", "gif", "truncated", "pixels", "5 MB and a little", "20 MB"],
)
def test_what_only_calls_itself_an_image_changes_nothing(
    client: APIClient, course: Course, files: Path, content: bytes, said: tuple[int, str, str | None]
) -> None:
    assert refused(put(client, course, upload(content)), course, files) == said


def test_the_refusal_of_a_large_image_names_the_cap(client: APIClient, course: Course) -> None:
    body = put(client, course, upload(b"\x00" * 6_000_000)).json()

    assert body["errors"][0]["detail"] == "The image is larger than 5 MB. Send a smaller one."
    assert body["extra"] == {"max_bytes": 5_242_880}


def test_a_name_and_a_claimed_type_count_for_nothing(client: APIClient, course: Course, files: Path) -> None:
    answer = put(client, course, upload(photo(kind="PNG"), "../../../etc/cron.d/a.html", "text/html"))

    assert answer.status_code == 200
    assert [name.startswith(f"courses/{course.id}/") and name.endswith(".webp") for name in stored(files)] == [True]


def test_one_image_is_sent_and_no_other(client: APIClient, course: Course, files: Path) -> None:
    assert refused(put(client, course, upload(), upload()), course, files) == (400, "repeated", "image")
    assert refused(put(client, course), course, files) == (400, "required", "image")
    assert refused(put(client, course, "https://a.example.com/b.jpg"), course, files) == (400, "invalid", "image")
    other = client.put(f"/api/courses/{course.id}/image", {"picture": upload()}, format="multipart")
    assert refused(other, course, files) == (400, "required", "image")


@pytest.mark.parametrize("content_type", ["application/json", "image/jpeg", "application/x-www-form-urlencoded"])
def test_an_image_comes_in_a_form(client: APIClient, course: Course, files: Path, content_type: str) -> None:
    answer = client.put(f"/api/courses/{course.id}/image", b"{}", content_type=content_type)

    assert refused(answer, course, files)[:2] == (415, "unsupported_media_type")


PART = b'\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--a\r\n"),
        ("multipart/form-data; boundary=", b"--a\r\n"),
        ("multipart/form-data; boundary=\xff", b"--a\r\n"),
        ("multipart/form-data; boundary=a", b"no part at all"),
        ("multipart/form-data; boundary=a", b"--a" + PART % (b'image"; filename="a', b"x")),
        ("multipart/form-data; boundary=a", b"--a--\r\n"),
        ("multipart/form-data; boundary=a", b""),
        (
            "multipart/form-data; boundary=a",
            b'--a\r\nContent-Disposition: form-data; name="image"; filename="a\x00.jpg"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!!\r\n--a--\r\n",
        ),
        (
            "multipart/form-data; boundary=a",
            b"--a" + b"\r\n--a".join(PART % (b"f%d" % at, b"x") for at in range(2000)) + b"\r\n--a--",
        ),
        (
            "multipart/form-data; boundary=a",
            b'--a\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"x" * 2_000_000 + b"\r\n--a--",
        ),
    ],
    ids=["no boundary", "empty boundary", "odd boundary", "no part", "no end", "no field", "no body", "base64",
         "2000 fields", "2 MB of text"],
)  # fmt: skip
def test_a_broken_form_is_refused(
    client: APIClient, course: Course, files: Path, content_type: str, body: bytes
) -> None:
    answer = client.put(f"/api/courses/{course.id}/image", body, content_type=content_type)

    assert refused(answer, course, files)[0] in {400, 413}


# --- In the forms of the course itself --------------------------------------------------------------------------------

FORM = {"title": "Torts", "department": "law", "prices": '[{"currency": "NGN", "amount": "15000"}]'}


def test_a_course_is_written_with_its_image_in_one_form(client: APIClient, files: Path) -> None:
    build_department("Law")

    answer = client.post("/api/courses", {**FORM, "image": upload()}, format="multipart")

    assert answer.status_code == 201, answer.json()
    course = Course.objects.get()
    assert (course.title, course.department.slug) == ("Torts", "law")
    assert answer.json()["prices"] == [{"currency": "NGN", "amount": "15000.00"}]
    assert [f"http://testserver/files/{name}" for name in stored(files)] == [course.image_url]
    assert stored(files)[0].startswith(f"courses/{course.id}/")


def test_a_form_takes_an_address_too_and_prices_as_a_part_of_their_own(client: APIClient, files: Path) -> None:
    build_department("Law")
    prices = SimpleUploadedFile("blob", FORM["prices"].encode(), "application/json")

    answer = client.post(
        "/api/courses",
        {**FORM, "prices": prices, "image": "https://pictures.example.com/a.jpg"},
        format="multipart",
    )

    assert (answer.status_code, answer.json()["image_url"]) == (201, "https://pictures.example.com/a.jpg")
    assert answer.json()["prices"] == [{"currency": "NGN", "amount": "15000.00"}]
    assert stored(files) == []


def test_a_course_is_changed_by_a_form(client: APIClient, course: Course, files: Path) -> None:
    answer = client.patch(f"/api/courses/{course.id}", {"image": upload(), "title": "Delicts"}, format="multipart")

    assert answer.status_code == 200, answer.json()
    assert answer.json()["title"] == "Delicts"
    assert [f"http://testserver/files/{name}" for name in stored(files)] == [answer.json()["image_url"]]
    assert Price.objects.filter(product__kind="course").count() == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"image": upload(b"<svg/>")}, (400, "invalid_image", "image")),
        ({"image": upload(b"")}, (400, "empty", "image")),
        ({"image": "javascript:alert(1)"}, (400, "invalid", "image")),
        ({"image": upload(), "title": ""}, (400, "blank", "title")),
        ({"image": upload(), "title": "a\x00b"}, (400, "not_one_line", "title")),
        ({"image": upload(), "title": ["one", "two"]}, (400, "repeated", "title")),
        ({"image": upload(), "department": "nowhere"}, (400, "department_not_found", "department")),
        ({"image": upload(), "prices": "cheap"}, (400, "invalid", "prices")),
        ({"image": upload(), "prices": "[" * 70 + "]" * 70}, (400, "invalid", "prices")),
        ({"image": upload(), "prices": '[{"currency": "NGN", "amount": 5}]'}, (400, "not_a_string", "prices.0.amount")),
        ({"title": upload()}, (400, "invalid", "title")),
        ({"link": upload()}, (400, "invalid", "link")),
        ({"department": upload()}, (400, "invalid", "department")),
    ],
)
def test_a_form_that_is_refused_stores_nothing(
    client: APIClient, course: Course, files: Path, fields: dict[str, Any], said: tuple[int, str, str]
) -> None:
    build_department("Law")
    for value in fields.values():
        if hasattr(value, "seek"):
            value.seek(0)

    written = client.post("/api/courses", {**FORM, **fields}, format="multipart")
    for value in fields.values():
        if hasattr(value, "seek"):
            value.seek(0)
    changed = client.patch(f"/api/courses/{course.id}", fields, format="multipart")

    assert refused(written, course, files) == said
    assert refused(changed, course, files) == said
    assert (Course.objects.count(), Product.objects.filter(kind="course").count()) == (1, 1)


def test_without_a_verified_email_nothing_is_stored(files: Path, db: None) -> None:
    person = build_user()
    client = APIClient()
    sign_in(client, person)
    build_department("Law")

    answer = client.post("/api/courses", {**FORM, "image": upload()}, format="multipart")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "email_not_verified")
    assert stored(files) == []
    assert not Course.objects.exists()


def test_the_document_tells_both_ways_to_send_a_course() -> None:
    paths = yaml.safe_load(APIClient().get("/api/schema").content)["paths"]

    written = paths["/api/courses"]["post"]["requestBody"]["content"]
    assert {kind: body["schema"]["$ref"].rpartition("/")[2] for kind, body in written.items()} == {
        "application/json": "CourseInputRequest",
        "multipart/form-data": "CourseFormRequest",
    }
    assert written["multipart/form-data"]["encoding"] == {"prices": {"contentType": "application/json"}}
    assert list(paths["/api/courses/{course}"]["patch"]["requestBody"]["content"]) == list(written)
    assert list(paths["/api/courses/{course}/image"]["put"]["requestBody"]["content"]) == ["multipart/form-data"]
    assert list(paths["/api/courses/{course}/purchase"]["post"]["requestBody"]["content"]) == ["application/json"]


# --- The bucket -------------------------------------------------------------------------------------------------------


EVERYBODY_READS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::pictures/courses/*",
        }
    ],
}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server that speaks S3. Yields its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def storage_at(endpoint: str, bucket: str = "pictures") -> dict[str, Any]:
    return bucket_storage(bucket=bucket, region="eu-west-1", access_key="key", secret_key="secret", endpoint=endpoint)


@pytest.fixture
def bucket(s3: str, settings: Any) -> Iterator[Any]:
    """An empty bucket that images go to, as in production. Yields its client."""
    region = "eu-west-1"
    client = boto3.client(
        "s3", endpoint_url=s3, region_name=region, aws_access_key_id="key", aws_secret_access_key="secret"
    )
    client.create_bucket(Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": region})
    client.put_bucket_policy(Bucket="pictures", Policy=json.dumps(EVERYBODY_READS))
    settings.STORAGES = {**settings.STORAGES, "default": storage_at(s3)}
    yield client
    for thing in client.list_objects_v2(Bucket="pictures").get("Contents", []):
        client.delete_object(Bucket="pictures", Key=thing["Key"])
    client.delete_bucket(Bucket="pictures")


def keys(bucket: Any) -> list[str]:
    return [thing["Key"] for thing in bucket.list_objects_v2(Bucket="pictures").get("Contents", [])]


def test_in_the_bucket_an_image_has_its_type_and_may_be_kept_for_good(
    client: APIClient, course: Course, bucket: Any, s3: str
) -> None:
    answer = put(client, course, upload())

    assert answer.status_code == 200, answer.json()
    (key,) = keys(bucket)
    assert answer.json()["image_url"] == f"{s3}/pictures/{key}"
    head = bucket.head_object(Bucket="pictures", Key=key)
    assert (head["ContentType"], head["CacheControl"]) == ("image/webp", "public, max-age=31536000, immutable")
    content = requests.get(answer.json()["image_url"], timeout=10).content
    assert key == f"courses/{course.id}/{hashlib.sha256(content).hexdigest()}.webp"
    assert Image.open(io.BytesIO(content)).size == (320, 200)


def test_the_same_image_twice_is_one_object(client: APIClient, course: Course, bucket: Any) -> None:
    assert [put(client, course, upload()).status_code for _ in range(2)] == [200, 200]

    assert len(keys(bucket)) == 1


def test_without_the_bucket_the_course_stays_as_it_is(
    client: APIClient, course: Course, bucket: Any, settings: Any, s3: str
) -> None:
    client.raise_request_exception = False
    settings.STORAGES = {**settings.STORAGES, "default": storage_at(s3, bucket="none")}

    changed = put(client, course, upload())
    written = client.post(
        "/api/courses", {**FORM, "department": course.department.slug, "image": upload()}, format="multipart"
    )

    for refusal in (changed, written):
        assert (refusal.status_code, refusal.json()["errors"][0]["code"]) == (503, "storage_unavailable")
        assert refusal["Retry-After"] == "5"
        assert "bucket" not in refusal.content.decode().lower()
    course.refresh_from_db()
    assert course.image_url == "https://pictures.example.com/old.jpg"
    assert Course.objects.count() == 1


def test_nobody_at_the_storages_address_is_a_503(client: APIClient, course: Course, settings: Any) -> None:
    client.raise_request_exception = False
    settings.STORAGES = {**settings.STORAGES, "default": storage_at("http://127.0.0.1:1")}

    answer = put(client, course, upload())

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "storage_unavailable")
    course.refresh_from_db()
    assert course.image_url == "https://pictures.example.com/old.jpg"


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ({}, "https://pictures.s3.eu-west-1.amazonaws.com/courses/1/a.webp"),
        ({"domain": "cdn.example.com"}, "https://cdn.example.com/courses/1/a.webp"),
        ({"endpoint": "https://s3.example.com"}, "https://s3.example.com/pictures/courses/1/a.webp"),
    ],
)
def test_an_address_is_signed_by_nobody_and_never_expires(settings: Any, options: dict[str, str], address: str) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": bucket_storage(
            bucket="pictures", region="eu-west-1", access_key="key", secret_key="secret", **options
        ),
    }

    assert default_storage.url("courses/1/a.webp") == address


@pytest.mark.parametrize("path", ["nothing.webp", "../secret", "%2e%2e/secret", "a%00b", "courses"])
def test_only_files_are_served(client: APIClient, files: Path, path: str) -> None:
    (files / "courses").mkdir()
    (files.parent / "secret").write_text("secret")

    assert client.get(f"/files/{path}").status_code in {400, 404}
    assert client.post("/files/nothing.webp").status_code == 405


def test_the_old_way_still_holds_an_address(client: APIClient, course: Course) -> None:
    course_update(course_id=course.id, changes={"image_url": ""})

    answer = client.patch(f"/api/courses/{course.id}", {"image": "https://a.example.com/b.png"}, format="json")

    assert (answer.status_code, answer.json()["image_url"]) == (200, "https://a.example.com/b.png")

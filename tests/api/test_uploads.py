"""P12: what is uploaded is checked, drawn anew, and given back only to those who see the order."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from mendline.kernel.errors import Invalid
from mendline.orders import attachments
from mendline.orders.models import Attachment
from tests.api.conftest import Machines

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@pytest.fixture(autouse=True)
def files(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def a_photo(kind: str = "JPEG", size: tuple[int, int] = (40, 30), *, mode: str = "RGB", **saved: object) -> bytes:
    content = io.BytesIO()
    Image.new(mode, size, (200, 30, 30, 128)[: len(mode)]).save(content, kind, **saved)
    return content.getvalue()


def with_position(orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "SECRET CAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    return a_photo(exif=exif, comment=b"SECRET COMMENT")


def stored(files: Path) -> list[Path]:
    return [path for path in files.rglob("*") if path.is_file()]


def test_a_photo_comes_back_without_position_camera_and_comment(machine: Machines, files: Path) -> None:
    station, ref = machine("station1"), machine("cc").report().json()["ref"]

    kept = station.upload(ref, with_position(), "现场.jpg", fact="site_photo")
    back = station.get(f"/attachments/{kept.json()['stored_as']}")

    assert (kept.status_code, kept.json()["name"], kept.json()["fact"]) == (201, "现场.jpg", "site_photo")
    picture = Image.open(io.BytesIO(back.content))
    assert not picture.getexif() and b"SECRET" not in back.content
    assert picture.size == (30, 40)  # turned upright, since nothing says any more how it was held
    assert stored(files)[0].read_bytes() == back.content


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_looked_at_in_place_and_cannot_run_anything(machine: Machines, kind: str) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    back = cc.get(f"/attachments/{cc.upload(ref, a_photo(kind), 'photo').json()['stored_as']}")

    assert back["Content-Type"] == f"image/{kind.lower()}"
    assert back["Content-Disposition"].startswith("inline")
    assert back["X-Content-Type-Options"] == "nosniff" and "sandbox" in back["Content-Security-Policy"]


def test_a_pdf_is_kept_as_it_is_and_only_downloaded(machine: Machines) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    back = cc.get(f"/attachments/{cc.upload(ref, PDF, '说明.pdf').json()['stored_as']}")

    assert back.content == PDF
    assert back["Content-Disposition"].startswith("attachment") and back["X-Content-Type-Options"] == "nosniff"


def test_a_neighbour_finds_neither_the_file_nor_the_list(machine: Machines) -> None:
    ref = machine("cc").report().json()["ref"]
    name = machine("station1").upload(ref, a_photo(), "a.jpg").json()["stored_as"]
    stranger = machine("station2")

    assert stranger.get(f"/attachments/{name}").status_code == 404
    assert stranger.get(f"/attachments/{name}").content == stranger.get("/attachments/00/" + "A" * 32).content
    assert stranger.upload(ref, a_photo(), "a.jpg").status_code == 404
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "00/../../settings.py", "%2e%2e/x", "00/.", "x" * 500]
)
def test_a_name_is_never_a_path(machine: Machines, name: str) -> None:
    assert machine("cc").get(f"/attachments/{name}").status_code == 404


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.jpg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "a.svg"),
        (b"<html><script>x()</script>", "a.jpg"),
        (b"GIF89a" + b"\x00" * 50, "a.gif"),
        (b"\xff\xd8\xff" + b"\x00" * 200, "a.jpg"),
        (a_photo()[:200], "a.jpg"),
        (a_photo("PNG"), "a.php"),
        (a_photo("PNG"), "a.jpg"),
        (a_photo("PNG"), "a.png\u200b.html"),
        (PDF, "a.jpg"),
        (b"MZ" + b"\x00" * 100, "a.exe"),
    ],
)
def test_what_is_no_photo_and_no_pdf_leaves_nothing(machine: Machines, files: Path, content: bytes, name: str) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    answer = cc.upload(ref, content, name)

    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["file"])
    assert stored(files) == [] and not Attachment.objects.exists()


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    bomb = a_photo("PNG", (8000, 5001), mode="L")
    assert len(bomb) < attachments.MAX_BYTES

    with pytest.raises(Invalid, match="megapixels"):
        attachments.checked(bomb, "a.png")


def test_a_picture_of_just_few_enough_pixels_is_taken_and_made_smaller() -> None:
    taken = attachments.checked(a_photo("PNG", (8000, 5000), mode="L"), "a.png")

    assert max(Image.open(io.BytesIO(taken.content)).size) == 4096


def test_a_file_over_ten_megabytes_is_413(machine: Machines, files: Path) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    assert cc.upload(ref, b"\xff\xd8\xff" + b"\x00" * attachments.MAX_BYTES, "a.jpg").status_code == 413
    assert stored(files) == []


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("..\\..\\evil.jpg", "evil.jpg"),
        ("../../evil.jpg", "evil.jpg"),
        (".htaccess", "htaccess"),
        ("a\u200b\u202egpj.exe", "agpj.exe"),
        ("a\x00b\r\n.jpg", "ab.jpg"),
        ("ｅｖｉｌ．ＪＰＧ", "evil.JPG"),
        ("😀照片 1.jpg", "😀照片 1.jpg"),
        ("", "file"),
        ("...", "file"),
        ("x" * 300 + ".jpg", "x" * 116 + ".jpg"),
    ],
)
def test_a_name_is_cleaned_before_it_is_checked(given: str, clean: str) -> None:
    assert attachments.clean_name(given) == clean


def test_the_same_upload_twice_is_kept_once(machine: Machines, files: Path) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    first = cc.upload(ref, a_photo(), "a.jpg", key="one")
    again = cc.upload(ref, a_photo(), "a.jpg", key="one")
    other = cc.upload(ref, a_photo("PNG"), "a.png", key="one")

    assert again.content == first.content and len(stored(files)) == 1
    assert other.json()["code"] == "idempotency_key_reused"


def test_an_upload_is_in_the_history(machine: Machines) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]
    kept = cc.upload(ref, a_photo(), "a.jpg").json()

    last = cc.get(f"/orders/{ref}/history").json()["items"][-1]

    assert (last["kind"], last["by"]["name"]) == ("order.attach", "cc")
    assert last["data"]["stored_as"] == kept["stored_as"]


def test_a_fact_that_holds_no_file_is_refused(machine: Machines) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    assert list(cc.upload(ref, a_photo(), "a.jpg", fact="fault").json()["fields"]) == ["fact"]


def test_files_that_no_row_names_are_found_after_a_day(machine: Machines, files: Path) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]
    cc.upload(ref, a_photo(), "a.jpg")
    cc.upload(ref, a_photo(), "b.jpg")
    lost = Attachment.objects.order_by("id")[0].stored_as
    Attachment.objects.filter(stored_as=lost).delete()

    assert list(attachments.strays(timezone.now())) == []
    assert list(attachments.strays(timezone.now() + timedelta(days=2))) == [files / lost]


def test_files_that_no_row_names_are_put_aside_and_forgotten_after_thirty_days(machine: Machines, files: Path) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]
    kept_as, lost_as = (cc.upload(ref, a_photo(), name).json()["stored_as"] for name in ("a.jpg", "b.jpg"))
    Attachment.objects.filter(stored_as=lost_as).delete()
    later = timezone.now() + timedelta(days=2)

    assert attachments.put_strays_aside(later) == 1
    assert (files / kept_as).exists() and not (files / lost_as).exists()
    assert [path.name for path in (files / "lost").iterdir()] == [lost_as.replace("/", "-")]

    assert attachments.put_strays_aside(later + timedelta(days=30, minutes=-1)) == 0
    assert list((files / "lost").iterdir())
    attachments.put_strays_aside(later + timedelta(days=30))
    assert not list((files / "lost").iterdir()) and (files / kept_as).exists()

"""Tests of a finished report."""

import base64
from datetime import UTC, datetime

from tidegate.model.document import Document, Picture


def document(html: str, *pictures: Picture) -> Document:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    return Document("pings", "Pings", now, now, "", html, pictures, ())


def test_a_page_by_itself_has_its_pictures_inside() -> None:
    png = b"\x89PNG not really"
    page = document('<img src="cid:bars.png" alt="Bars">', Picture("bars.png", png, "Bars")).standalone()
    assert page == f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="Bars">'


def test_what_is_no_picture_stays() -> None:
    html = '<img src="cid:other.png"> cid:bars.png'
    assert document(html, Picture("bars.png", b"x", "")).standalone() == html

"""The tables of video services are what the code says of them."""

from __future__ import annotations

from docs.capabilities import tables, with_tables


def test_the_tables_of_video_services_are_up_to_date() -> None:
    for path, found in tables().items():
        text = path.read_text("utf-8")
        assert with_tables(text, found) == text, f"run make backends: {path.name} is out of date"
        assert all(table in text for table in found.values())

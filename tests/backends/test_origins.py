from __future__ import annotations

import pytest

from bot.backends.transport.origins import InvalidUrlError, joined, origin_of, sendable

LINKS = (
    "https://cdn.example/v.mp4?X-Amz-Signature=a%2Fb%20c+d&e=f%3D%3d&g",
    "https://cdn.example/a%2Fb/%7Eme/~you/x@y:z;1,2(3)*!$'",
    "http://10.0.0.2:9000/v.mp4",
)


@pytest.mark.parametrize("link", LINKS)
def test_a_signed_link_is_sent_as_it_is(link: str) -> None:
    assert str(sendable(link)) == link


@pytest.mark.parametrize(
    ("link", "sent"),
    [
        ("https://cdn.example", "https://cdn.example/"),
        ("https://cdn.example/ä b?c d=ü#part", "https://cdn.example/%C3%A4%20b?c%20d=%C3%BC"),
        ("https://cdn.example/100%", "https://cdn.example/100%25"),
        ("https://bücher.example/v", "https://xn--bcher-kva.example/v"),
        ("HTTPS://CDN.example:443/v", "https://cdn.example/v"),
    ],
)
def test_what_cannot_be_sent_is_quoted(link: str, sent: str) -> None:
    assert str(sendable(link)) == sent


@pytest.mark.parametrize(
    "link",
    ["", "v.mp4", "ftp://cdn.example/v", "http://", "http://[::1", "https://a b/", "http://h:x/"],
)
def test_what_is_no_url_is_refused(link: str) -> None:
    with pytest.raises(InvalidUrlError):
        origin_of(link)


def test_an_origin_is_the_same_in_every_notation() -> None:
    assert origin_of("https://CDN.example/a") == origin_of("https://user@cdn.example:443/b?c")
    assert origin_of("http://[::1]:80/") == ("http", "::1", 80)
    assert origin_of("http://cdn.example/") != origin_of("https://cdn.example/")


def test_a_link_may_be_a_path_at_the_server() -> None:
    assert joined("https://cdn.example/v1", "/a?b=c%20d") == "https://cdn.example/a?b=c%20d"

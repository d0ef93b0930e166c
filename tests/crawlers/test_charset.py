import pytest

from crawlers.charset import garbled, proven_charset

PAGE = "<p>햇감자 5kg, 방금 캔 국내산 수미감자</p>"


@pytest.mark.parametrize("declared", ["utf-8", "cp949", "cp1252", "iso8859-1", "ascii", None])
@pytest.mark.parametrize("real", ["utf-8", "cp949"])
def test_the_bytes_prove_the_charset_of_a_korean_page(real: str, declared: str | None) -> None:
    assert proven_charset(PAGE.encode(real), declared) == real


@pytest.mark.parametrize(
    ("body", "declared", "charset"),
    [
        (b"<p>plain</p>", "euc-jp", "euc-jp"),
        ("café!".encode("cp1252"), "cp1252", "cp1252"),
        ("café!".encode("cp1252"), "utf-8", None),
        ("café!".encode("cp1252"), None, None),
        (PAGE.encode() + b"\xff\xfe!", "utf-8", None),
        (PAGE.encode()[:20], "utf-8", "utf-8"),  # cut within a letter: another check says that
        (PAGE.encode(), "no-such-charset", "utf-8"),
    ],
)
def test_other_bodies_are_as_declared_or_unreadable(body: bytes, declared: str | None, charset: str | None) -> None:
    assert proven_charset(body, declared) == charset


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("감\ufffd\ufffd 5kg", "lost characters"),
        ("포기김치 5kg".encode().decode("latin-1"), "UTF-8 that was read as Latin-1"),
        ("포기김치 5kg".encode().decode("cp1252", "ignore"), "UTF-8 that was read as Latin-1"),
        ("포기김치 5kg".encode("cp949").decode("latin-1"), "CP949 that was read as Latin-1"),
        ("포기김치 총각김치 5kg".encode().decode("cp949", "ignore"), "UTF-8 that was read as CP949"),
    ],
)
def test_text_that_was_read_wrong_is_recognised(text: str, why: str) -> None:
    assert why in str(garbled(text))


@pytest.mark.parametrize(
    "text",
    [
        "[농심] 辛라면 120g x 5",
        "안동 名品韓牛 1등급++",
        "Café Brûlée 크렘 브륄레 85°C",
        "①② 1⅔컵 · ½개 ★특가★ ~30℃",
        "ê à la crème",
        "명란젓 500g (大)",
        "日本 味噌 된장",
    ],
)
def test_real_titles_are_not_taken_for_garbled_ones(text: str) -> None:
    assert garbled(text) is None

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.decode import (
    _CODEC_LABELS,
    SAMPLE_BYTES,
    Decoded,
    UnencodableError,
    _sample,
    decode,
    encode,
    looks_binary,
    round_trips,
)

MULTI_BYTE = {"gb18030", "big5hkscs", "cp932", "cp949", "euc_jis_2004", "iso2022_jp"}
CODECS = sorted(_CODEC_LABELS)
ONE_TO_ONE = [codec for codec in CODECS if codec not in MULTI_BYTE]

CHINESE = "清明之前，茶农天不亮就上山了。雾很大，鞋子都湿了。今年的叶子比去年好，卖得也快。"
TRADITIONAL = "清明之前，茶農天不亮就上山了。霧很大，鞋子都濕了。今年的葉子比去年好，賣得也快。"
JAPANESE = "夜明け前に茶畑へ登る。霧が深くて靴が濡れてしまった。今年の葉は去年よりもよいと言う。"
KOREAN = "해가 뜨기 전에 차밭으로 올라간다. 안개가 짙어 신발이 젖었다. 올해 잎은 작년보다 좋다고 한다."
RUSSIAN = "До рассвета мы поднимаемся на чайные поля. Туман густой, и обувь промокла насквозь."
FOREIGN = {
    "gb18030": CHINESE,
    "big5hkscs": TRADITIONAL,
    "cp932": JAPANESE,
    "euc_jis_2004": JAPANESE,
    "cp949": KOREAN,
    "cp1251": RUSSIAN,
    "koi8-r": RUSSIAN,
    "cp1250": "Przed świtem wchodzimy na pola herbaty. Mgła jest gęsta, a buty całkiem przemokły.",
    "cp1252": "Vor Tagesanbruch gehen wir über die Hügel. Der Nebel ist dicht, die Schuhe sind völlig naß.",
    "cp1253": "Πριν ξημερώσει ανεβαίνουμε στα χωράφια με το τσάι. Η ομίχλη είναι πυκνή.",
    "cp1254": "Şafaktan önce çay tarlalarına çıkıyoruz. Sis yoğun, ayakkabılar ıslandı, işçiler gülüyor.",
    "cp1255": "לפני עלות השחר אנחנו עולים אל שדות התה. הערפל סמיך והנעליים רטובות.",
    "cp1256": "قبل الفجر نصعد إلى حقول الشاي. الضباب كثيف والأحذية مبللة تماما.",
    "cp874": "ก่อนรุ่งสางเราขึ้นไปที่ไร่ชา หมอกหนาจัดและรองเท้าก็เปียกหมด",
}


@given(st.binary())
def test_any_bytes_decode_and_encode(data: bytes) -> None:
    decoded = decode(data)
    assert isinstance(encode(decoded.text, decoded.encoding, decoded.bom), bytes)
    if decoded.encoding not in MULTI_BYTE:
        assert round_trips(data, decoded)


@pytest.mark.parametrize("codec", ONE_TO_ONE)
@given(data=st.binary())
def test_any_bytes_round_trip_when_declared(codec: str, data: bytes) -> None:
    decoded = decode(data, codec)
    if decoded.encoding not in MULTI_BYTE:
        assert encode(decoded.text, decoded.encoding, decoded.bom) == data


@pytest.mark.parametrize("codec", sorted(MULTI_BYTE))
@given(data=st.binary() | st.lists(st.sampled_from([0x1B, 0x24, 0x42, 0x81, 0x8F, 0x30, 0x40, 0xFE])).map(bytes))
def test_multi_byte_codecs_never_raise(codec: str, data: bytes) -> None:
    decoded = decode(data, codec)
    encode(decoded.text, decoded.encoding, decoded.bom)
    assert round_trips(data, decoded) in (True, False)


@given(
    st.sampled_from([b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"\xef\xbb\xbf"]),
    st.binary() | st.lists(st.sampled_from([0, 0x41, 0xD8, 0xDC, 0xDB, 0xFF])).map(bytes),
)
def test_any_bytes_after_a_mark_round_trip(bom: bytes, rest: bytes) -> None:
    decoded = decode(bom + rest)
    assert decoded.encoding in MULTI_BYTE or round_trips(bom + rest, decoded)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_a_mark_decides(text: str, codec: str) -> None:
    decoded = decode(text.encode(codec), "gbk")
    # U+0000 behind the mark of UTF-16 is the mark of UTF-32.
    if not (codec == "utf-16" and text.startswith("\0")):
        assert decoded.text == text
        assert decoded.bom


@given(st.text(st.characters(exclude_categories=[])))
def test_utf8_takes_every_text(text: str) -> None:
    for codec in ("utf-8", "utf-16-le", "utf-32-be"):
        assert isinstance(encode(text, codec), bytes)


@pytest.mark.parametrize(("codec", "text"), FOREIGN.items())
def test_undeclared_text_is_detected(codec: str, text: str) -> None:
    assert decode(text.encode(codec)) == Decoded(text, codec, b"")


@pytest.mark.parametrize(("codec", "text"), FOREIGN.items())
def test_undeclared_text_is_detected_below_much_markup(codec: str, text: str) -> None:
    markup = b'<div class="menu"><a href="/a/b/c.html">home</a></div>\n' * 20_000
    assert decode(markup + text.encode(codec) + markup).encoding == codec


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("gb2312", "gb18030"),
        (" GBK ", "gb18030"),
        ("ISO-8859-1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("Shift_JIS", "cp932"),
        ("EUC-KR", "cp949"),
        ("Big5", "big5hkscs"),
        ("TIS-620", "cp874"),
        ("iso-8859-9", "cp1254"),
    ],
)
def test_labels_mean_what_browsers_take_them_for(label: str, codec: str) -> None:
    assert decode(b"plain", label).encoding == codec


@pytest.mark.parametrize(
    "head",
    [
        '<meta charset="gb2312">',
        "<META CHARSET = gb2312 >",
        '<meta http-equiv="Content-Type" content="text/html; charset=gb2312">',
        '<?xml version="1.0" encoding="GB2312"?>',
    ],
)
def test_a_declaration_in_the_bytes_is_found(head: str) -> None:
    assert decode(f"{head}<p>茶".encode("gbk")).encoding == "gb18030"


def test_the_argument_outranks_the_declaration_in_the_bytes() -> None:
    page = '<meta charset="windows-1252"><p>Туман'
    assert decode(page.encode("cp1251"), "windows-1251").text == page


def test_utf8_outranks_a_wrong_declaration() -> None:
    page = f'<meta charset="gb2312"><p>{CHINESE}'
    assert decode(page.encode()) == Decoded(page, "utf-8", b"")


def test_a_wrong_declaration_that_does_not_fit_is_ignored() -> None:
    page = f'<meta charset="utf-8"><p>{RUSSIAN}'
    assert decode(page.encode("cp1251")) == Decoded(page, "cp1251", b"")


@pytest.mark.parametrize("label", ["unicode_escape", "rot13", "hex", "utf-7", "no such thing", ""])
def test_labels_of_no_web_encoding_are_ignored(label: str) -> None:
    assert decode("é".encode(), label) == Decoded("é", "utf-8", b"")


def test_damage_does_not_make_an_encoding_false() -> None:
    damaged = (CHINESE * 5).encode("gbk") + b"\xff\xff"
    assert decode(damaged, "gbk") == Decoded(CHINESE * 5 + "\udcff\udcff", "gb18030", b"")
    cut = CHINESE.encode()[:-1]
    assert decode(cut).encoding == "utf-8"
    assert round_trips(cut, decode(cut))


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(codec: str) -> None:
    text = "Before dawn we climb to the fields.\n"
    assert decode(text.encode(codec)) == Decoded(text, codec, b"")
    assert not looks_binary(text.encode(codec))


def test_an_odd_byte_after_utf16_survives() -> None:
    data = "tea".encode("utf-16") + b"\n"
    decoded = decode(data)
    assert decoded.text.startswith("tea")
    assert round_trips(data, decoded)


def test_a_character_that_the_encoding_lacks_is_named() -> None:
    with pytest.raises(UnencodableError, match=r"cp1252 has no character '茶' \(U\+8336, at position 1\)") as caught:
        encode("a茶", "latin-1")
    assert isinstance(caught.value, ValueError)
    assert not round_trips(b"a", Decoded("a茶", "cp1252", b""))


def test_an_unknown_encoding_is_an_error() -> None:
    with pytest.raises(LookupError):
        encode("a", "no such thing")


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"%PDF-1.7\n",
        b"PK\3\4\x14\0",
        b"\x1f\x8b\x08\0",
        b"\x7fELF\2\1",
        b"RIFF\x10\0\0\0WEBPVP8 ",
        bytes(range(256)),
        b"table" + b"\0" * 100,
    ],
)
def test_binary_files_are_told(data: bytes) -> None:
    assert looks_binary(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a",
        b"PK is a name; so is ID3, BZh and II*",
        b"one stray \0 byte",
        "tea".encode("utf-16"),
        "茶".encode("utf-32"),
        "caf\x1b[1mé\x1b[0m\f".encode(),
        *(text.encode(codec) for codec, text in FOREIGN.items()),
    ],
)
def test_text_is_not_binary(data: bytes) -> None:
    assert not looks_binary(data)


@given(st.binary(min_size=0, max_size=400))
def test_a_sample_is_bounded(data: bytes) -> None:
    assert len(_sample(data * 4, 100)) <= max(100, 0)
    assert len(_sample(b"\xe9" * (2 * SAMPLE_BYTES))) == SAMPLE_BYTES


def test_utf8_does_not_import_the_detector() -> None:
    probe = (
        "import sys; from filter.decode import decode; decode('tea, thé, 茶'.encode()); print('chardet' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"

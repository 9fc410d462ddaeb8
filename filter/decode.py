r"""Bytes to text and back, so that a cleaned file can be written in the encoding it came in.

Bytes that the encoding cannot read become lone surrogates (``0x81`` becomes ``"\udc81"``, as with Python's
``surrogateescape``) and turn into the same bytes again on the way out.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from filter.errors import OutputError

HEAD_BYTES = 4096
"""Where a page may declare its encoding."""
SAMPLE_BYTES = 1 << 16
"""What the detector sees of a large input: enough for it to be sure, little enough to be quick."""
BINARY_HEAD_BYTES = 8192
"""What is looked at to tell a binary file."""
DAMAGE = 0.02
"""Share of undecodable bytes, among those beyond ASCII, up to which a declaration is believed."""
UTF8_DAMAGE = 0.2
"""The same for UTF-8: in other encodings hardly a byte fits it by chance."""

# The labels of the WHATWG Encoding Standard, by the Python codec that reads a superset of what is meant.
# Pages labelled iso-8859-1 are windows-1252, gb2312 ones are full of gbk characters, and so on.
_CODEC_LABELS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 utf-8-sig",
    "utf-16-le": "utf-16 utf-16le utf-16-le unicode ucs-2 iso-10646-ucs-2 csunicode unicodefeff",
    "utf-16-be": "utf-16be utf-16-be unicodefffe",
    "utf-32-le": "utf-32 utf-32le utf-32-le",
    "utf-32-be": "utf-32be utf-32-be",
    "gb18030": "gb18030 gbk gb2312 gb_2312 gb_2312-80 csgb2312 csiso58gb231280 chinese iso-ir-58 x-gbk cp936 936",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5 cp950 windows-950 big5-tw big5hkscs",
    "cp932": "shift_jis shift-jis sjis csshiftjis ms932 ms_kanji windows-31j x-sjis cp932 shift_jis_2004",
    "euc_jis_2004": "euc-jp cseucpkdfmtjapanese x-euc-jp eucjp euc_jp euc_jis_2004 euc-jis-2004",
    "iso2022_jp": "iso-2022-jp csiso2022jp iso2022_jp iso2022_jp_2 iso2022_jp_2004 iso2022_jp_ext",
    "cp949": "euc-kr euc_kr cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601"
    " ksc_5601 windows-949 cp949 uhc",
    "cp866": "ibm866 866 cp866 csibm866",
    "cp874": "windows-874 cp874 dos-874 tis-620 iso-8859-11 iso8859-11 iso885911",
    "cp1250": "windows-1250 cp1250 x-cp1250",
    "cp1251": "windows-1251 cp1251 x-cp1251",
    "cp1252": "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 iso88591 iso_8859-1 latin1 latin-1 l1 ascii"
    " us-ascii ansi_x3.4-1968 cp819 ibm819 iso-ir-100 csisolatin1 iso_8859-1:1987",
    "cp1253": "windows-1253 cp1253 x-cp1253",
    "cp1254": "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso88599 iso_8859-9 latin5 l5 csisolatin5",
    "cp1255": "windows-1255 cp1255 x-cp1255",
    "cp1256": "windows-1256 cp1256 x-cp1256",
    "cp1257": "windows-1257 cp1257 x-cp1257",
    "cp1258": "windows-1258 cp1258 x-cp1258",
    "iso8859-2": "iso-8859-2 iso8859-2 iso88592 iso_8859-2 latin2 l2 csisolatin2",
    "iso8859-3": "iso-8859-3 iso8859-3 iso88593 latin3 l3",
    "iso8859-4": "iso-8859-4 iso8859-4 iso88594 latin4 l4",
    "iso8859-5": "iso-8859-5 iso8859-5 iso88595 cyrillic csisolatincyrillic",
    "iso8859-6": "iso-8859-6 iso8859-6 iso88596 arabic asmo-708 ecma-114",
    "iso8859-7": "iso-8859-7 iso8859-7 iso88597 greek greek8 ecma-118 elot_928 sun_eu_greek",
    "iso8859-8": "iso-8859-8 iso8859-8 iso88598 hebrew visual iso-8859-8-i logical iso-8859-8-e",
    "iso8859-10": "iso-8859-10 iso8859-10 latin6 l6",
    "iso8859-13": "iso-8859-13 iso8859-13",
    "iso8859-14": "iso-8859-14 iso8859-14",
    "iso8859-15": "iso-8859-15 iso8859-15 latin9 latin-9 l9",
    "iso8859-16": "iso-8859-16 iso8859-16",
    "koi8-r": "koi8-r koi8 koi koi8_r cskoi8r",
    "koi8-u": "koi8-u koi8-ru",
    "mac-roman": "macintosh mac x-mac-roman csmacintosh mac-roman",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian mac-cyrillic",
}
_CODECS = {label: codec for codec, labels in _CODEC_LABELS.items() for label in labels.split()}
# Python lets bytes beyond ASCII pass there as characters that it then cannot write.
_SEVEN_BIT = frozenset({"iso2022_jp"})
_WIDE = frozenset({"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"})

# The longer mark first: UTF-16's is the beginning of UTF-32's.
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARATIONS = (
    re.compile(rb"^\s{0,64}<\?xml[^>]{0,200}?encoding\s{0,8}=\s{0,8}[\"']?([\w.:-]{2,40})"),
    re.compile(rb"<meta\s[^>]{0,400}?charset\s{0,8}=[\s\"']{0,8}([\w.:-]{2,40})", re.IGNORECASE),
)
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_RUN = re.compile(rb"[^\n<>]+")
_ESCAPED = re.compile("[\udc80-\udcff]")
# A decoder makes one character of two adjacent halves: these two, apart, can only stand for an odd last byte.
_ODD_BYTE = re.compile("\udbff([\udc00-\udcff])\\Z")
_ODD_BYTE_MARK = "\udbff"

_MAGIC = re.compile(
    rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|%PDF-|PK(?:\x03\x04|\x05\x06)|\x1f\x8b|BZh[1-9]1AY|\xfd7zXZ\0|\x28\xb5\x2f\xfd"
    rb"|7z\xbc\xaf|Rar!\x1a|\x7fELF|RIFF....(?:WEBP|WAVE|AVI )|\xd0\xcf\x11\xe0|OggS\0|ID3[\x02-\x04]"
    rb"|....ftyp|\0asm|SQLite format 3\0|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe|II\*\0|MM\0\*|wOF[F2]\0"
    rb"|\x1aE\xdf\xa3|\0\0\x01\0",
    re.DOTALL,
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b"))


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded input.

    Attributes
    ----------
    text : str
        The text, without its byte order mark.
    encoding : str
        The Python codec that read it.
    bom : bytes
        The byte order mark it began with, or nothing.
    """

    text: str
    encoding: str
    bom: bytes


class UnencodableError(OutputError, ValueError):
    """A text holds a character that the encoding to be written does not have."""


def decode(data: bytes, declared: str | None = None) -> Decoded:
    r"""Decode a text or page of unknown encoding; never raises.

    A byte order mark decides; then the declared encoding, if the bytes can be read with it; then UTF-8; then
    a detector, on a sample of the bytes that are not ASCII. Two departures from a browser: bytes that are
    valid UTF-8 and hold several characters beyond ASCII are UTF-8 whatever a page declares, as no other text
    looks like that by chance; and a few damaged bytes do not make a declaration, or UTF-8, false.

    Parameters
    ----------
    data : bytes
        The input.
    declared : str, optional
        What an HTTP header or the user says; without it, the page's ``<meta>`` or XML declaration is read.
        Labels are understood as browsers do: gb2312 means gb18030, iso-8859-1 means windows-1252.

    Returns
    -------
    Decoded
        Text, codec and byte order mark. Undecodable bytes are lone surrogates in the text.

    Examples
    --------
    >>> decode("<meta charset=gb2312><p>咖啡".encode("gbk")).encoding
    'gb18030'
    >>> decode(b"caf\xc3\xa9 d\xc3\xa9j\xc3\xa0 \xff")
    Decoded(text='café déjà \udcff', encoding='utf-8', bom=b'')
    """
    return _decode_marked(data) or _decode_unmarked(data, declared)


def encode(text: str, encoding: str, bom: bytes = b"") -> bytes:
    r"""Turn text back into bytes of the encoding it came in.

    ``encode(d.text, d.encoding, d.bom) == data`` for ``d = decode(data)`` and any bytes, if the encoding is
    UTF-8, UTF-16, UTF-32 or has one byte a character. Python's gb18030, cp932, big5hkscs, cp949, euc_jis_2004
    and iso2022_jp are not one to one: there nothing is raised, but a character with two codes may come back
    as the other one, and `round_trips` tells.

    Parameters
    ----------
    text : str
        The text. A lone surrogate ``"\udc80"`` to ``"\udcff"`` becomes the byte it stands for.
    encoding : str
        A codec, as in `Decoded.encoding`, or a label.
    bom : bytes
        Put before the rest.

    Returns
    -------
    bytes
        The encoded text.

    Raises
    ------
    UnencodableError
        If the encoding lacks a character (a repair can put one in). Nothing is replaced: a question mark
        loses it, and a character reference is noise in plain text. UTF-8 takes every text.
    LookupError
        If the encoding is not known.

    Examples
    --------
    >>> encode("caf\udce9", "utf-8")
    b'caf\xe9'
    >>> encode("naïve ☕", "iso-8859-1")
    Traceback (most recent call last):
    filter.decode.UnencodableError: cp1252 has no character '☕' (U+2615, at position 6); write it as utf-8
    """
    codec = _codec_of(encoding) or codecs.lookup(encoding).name
    if codec in _WIDE:
        return bom + _encode_wide(text, codec)
    try:
        return bom + text.encode(codec, "surrogateescape")
    except UnicodeEncodeError as error:
        if codec == "utf-8":
            return bom + _encode_utf8(text)
        raise _unencodable(text, error.start, codec) from None


def decode_as(data: bytes, encoding: str, bom: bytes = b"") -> str:
    r"""Read bytes that `encode` wrote.

    Parameters
    ----------
    data : bytes
    encoding : str
        A codec, as in `Decoded.encoding`.
    bom : bytes
        The mark that was put before the rest.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If they are not of that encoding.

    Examples
    --------
    >>> decode_as(encode("caf\udce9", "utf-8"), "utf-8")
    'caf\udce9'
    """
    text = _read(data.removeprefix(bom), encoding)
    if text is None:
        raise ValueError(f"not {encoding}")
    return text


def round_trips(data: bytes, decoded: Decoded) -> bool:
    r"""Tell whether encoding a decoded text gives the bytes back.

    Parameters
    ----------
    data : bytes
        The input.
    decoded : Decoded
        What `decode` made of it.

    Returns
    -------
    bool
        True if not a byte would change.

    Examples
    --------
    >>> round_trips(b"caf\xe9\xff", decode(b"caf\xe9\xff"))
    True
    """
    try:
        return encode(decoded.text, decoded.encoding, decoded.bom) == data
    except ValueError:
        return False


def looks_binary(data: bytes) -> bool:
    r"""Tell whether an input is something other than text: an image, an archive, a program.

    Parameters
    ----------
    data : bytes
        The input, or its first few thousand bytes.

    Returns
    -------
    bool
        True for known file types, and where NUL or other control bytes abound. UTF-16 is text.

    Examples
    --------
    >>> looks_binary(b"\x89PNG\r\n\x1a\n"), looks_binary("text".encode("utf-16")), looks_binary(b"text")
    (True, False, False)
    """
    head = data[:BINARY_HEAD_BYTES]
    if _MAGIC.match(head):
        return True
    if head.startswith(tuple(bom for bom, _ in _BOMS)) or _wide_by_nuls(head):
        return False
    controls = len(head) - len(head.translate(None, _CONTROLS))
    # One stray control byte is damage, not a file type.
    return controls > 1 and (head.count(0) > len(head) / 50 or controls > len(head) / 20)


def _decode_marked(data: bytes) -> Decoded | None:
    for bom, codec in _BOMS:
        if data.startswith(bom):
            text = _read(data[len(bom) :], codec)
            if text is not None:
                return Decoded(text, codec, bom)
    return None


def _decode_unmarked(data: bytes, declared: str | None) -> Decoded:
    utf8 = _strict(data, "utf-8")
    codec = _codec_of(declared) or _found_declaration(data)
    # Two bytes of GBK can be valid UTF-8 by chance, four characters of it hardly ever are.
    if codec and (utf8 is None or len(data) - len(utf8) < 4):
        text = _read_believably(data, codec)
        if text is not None:
            return Decoded(text, codec, b"")
    codec = _wide_by_nuls(data[:BINARY_HEAD_BYTES])
    text = _read(data, codec) if codec else None
    if codec and text is not None:
        return Decoded(text, codec, b"")
    if utf8 is None:
        return _decode_foreign(data)
    return Decoded(utf8, "utf-8", b"")


def _decode_foreign(data: bytes) -> Decoded:
    text = _read_believably(data, "utf-8", UTF8_DAMAGE)
    if text is None:
        codec = _detect(data)
        text = _read(data, codec) if codec else None
        if codec and text is not None:
            return Decoded(text, codec, b"")
    return Decoded(data.decode("utf-8", "surrogateescape") if text is None else text, "utf-8", b"")


def _codec_of(label: str | None) -> str | None:
    return _CODECS.get(label.strip().lower()) if label else None


def _found_declaration(data: bytes) -> str | None:
    head = data[:HEAD_BYTES]
    for pattern in _DECLARATIONS:
        if found := pattern.search(head):
            codec = _codec_of(found[1].decode("ascii", "replace"))
            # The declaration was read as ASCII: whoever wrote utf-16 there meant something else.
            return "utf-8" if codec in _WIDE else codec
    return None


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _read(data: bytes, codec: str) -> str | None:
    """Decode with undecodable bytes escaped; None if there is no way to escape them."""
    if codec in _WIDE:
        return _read_wide(data, codec)
    if codec in _SEVEN_BIT and not data.isascii():
        return None
    try:
        return data.decode(codec, "surrogateescape")
    except UnicodeDecodeError:
        return None


def _read_believably(data: bytes, codec: str, damage: float = DAMAGE) -> str | None:
    """Decode; None if more than a few bytes cannot be decoded."""
    text = _read(data, codec)
    if text is None or codec in _WIDE:
        return text
    high = len(data) - len(data.translate(None, bytes(range(128, 256))))
    return text if len(_ESCAPED.findall(text)) <= damage * high else None


def _read_wide(data: bytes, codec: str) -> str | None:
    # surrogateescape cannot escape bytes below 0x80; lone surrogates pass as themselves instead.
    odd = len(data) % 2 if codec.startswith("utf-16") else 0
    try:
        text = data[: len(data) - odd].decode(codec, "surrogatepass")
    except UnicodeDecodeError:
        return None
    return text + _ODD_BYTE_MARK + chr(0xDC00 + data[-1]) if odd else text


def _encode_wide(text: str, codec: str) -> bytes:
    odd = _ODD_BYTE.search(text, max(0, len(text) - 2)) if codec.startswith("utf-16") else None
    if odd is None:
        return text.encode(codec, "surrogatepass")
    return text[: odd.start()].encode(codec, "surrogatepass") + bytes([ord(odd[1]) - 0xDC00])


def _encode_utf8(text: str) -> bytes:
    """Encode a text with lone surrogates that stand for no byte (they come from UTF-16)."""
    pieces = re.split("([\udc80-\udcff]+)", text)
    handlers = ("surrogatepass", "surrogateescape")
    return b"".join(piece.encode("utf-8", handlers[index % 2]) for index, piece in enumerate(pieces))


def _unencodable(text: str, position: int, codec: str) -> UnencodableError:
    character = text[position]
    return UnencodableError(
        f"{codec} has no character {character!r} (U+{ord(character):04X}, at position {position}); write it as utf-8"
    )


def _wide_by_nuls(head: bytes) -> str | None:
    """UTF-16 without a mark: in text of the Latin blocks every second byte is NUL."""
    pairs = len(head) // 2
    if pairs < 2 or b"\0" not in head:
        return None
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if odd > 0.4 * pairs and even < 0.02 * pairs:
        return "utf-16-le"
    if even > 0.4 * pairs and odd < 0.02 * pairs:
        return "utf-16-be"
    return None


def _detect(data: bytes) -> str | None:
    # Only bytes that are not UTF-8 come here: most runs never pay for this import.
    import chardet

    found = chardet.detect(_sample(data), encoding_era=chardet.EncodingEra.MODERN_WEB, compat_names=False)
    return _codec_of(found["encoding"])


def _sample(data: bytes, limit: int = SAMPLE_BYTES) -> bytes:
    """Stretches between line ends and angle brackets that hold bytes beyond ASCII: markup says nothing.

    None of the three bytes is ever the second one of a character, so no character is cut apart.
    """
    if len(data) <= limit:
        return data
    start = _HIGH_BYTE.search(data)
    first = max(0, (start.start() if start else 0) - 256)
    pieces: list[bytes] = []
    size = 0
    for run in _RUN.finditer(data, first):
        piece = run[0]
        if not piece.isascii():
            pieces.append(piece[: limit - size])
            size += len(piece) + 1
            if size >= limit:
                break
    return b"\n".join(pieces)

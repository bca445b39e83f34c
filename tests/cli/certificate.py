"""
A certificate for 127.0.0.1, signed by itself, made of nothing but the standard library: ECDSA over P-256, in DER.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime, timedelta, timezone
from pathlib import Path

FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1  # the curve P-256 of FIPS 186-4: y^2 = x^3 - 3x + b over this field
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None  # None: the point at infinity

EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
P256 = bytes.fromhex("06082a8648ce3d030107")
ECDSA_SHA256 = bytes.fromhex("06082a8648ce3d040302")
COMMON_NAME = bytes.fromhex("0603550403")
SUBJECT_ALT_NAME = bytes.fromhex("0603551d11")
BASIC_CONSTRAINTS = bytes.fromhex("0603551d13")


def _add(first: Point, second: Point) -> Point:
    if first is None or second is None:
        return first or second
    if first[0] == second[0]:
        if (first[1] + second[1]) % FIELD == 0:
            return None
        slope = (3 * first[0] ** 2 - 3) * pow(2 * first[1], -1, FIELD)
    else:
        slope = (second[1] - first[1]) * pow(second[0] - first[0], -1, FIELD)
    x = (slope**2 - first[0] - second[0]) % FIELD
    return x, (slope * (first[0] - x) - first[1]) % FIELD


def _times(factor: int, point: Point) -> tuple[int, int]:
    product: Point = None
    while factor:
        product = _add(product, point) if factor & 1 else product
        point, factor = _add(point, point), factor >> 1
    assert product is not None
    return product


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (length if len(content) < 128 else bytes([128 + len(length)]) + length) + content


def _integer(number: int) -> bytes:
    return _der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _der(3, b"\0", content)


def _sequence(*parts: bytes) -> bytes:
    return _der(0x30, *parts)


def _moment(moment: datetime) -> bytes:
    return _der(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def _pem(name: str, content: bytes) -> str:
    return f"-----BEGIN {name}-----\n{base64.encodebytes(content).decode()}-----END {name}-----\n"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write `cert.pem` and `key.pem` into *folder*, good for a day; give their paths."""
    secret = 1 + secrets.randbelow(ORDER - 1)
    x, y = _times(secret, BASE)
    public = b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    algorithm = _sequence(ECDSA_SHA256)
    name = _sequence(_der(0x31, _sequence(COMMON_NAME, _der(0x0C, b"a test"))))
    now = datetime.now(timezone.utc)
    validity = _sequence(_moment(now - timedelta(hours=1)), _moment(now + timedelta(days=1)))
    names = _sequence(_der(0x82, b"localhost"), _der(0x87, bytes([127, 0, 0, 1])))
    extensions = _sequence(
        _sequence(BASIC_CONSTRAINTS, _der(1, b"\xff"), _der(4, _sequence(_der(1, b"\xff")))),
        _sequence(SUBJECT_ALT_NAME, _der(4, names)),
    )
    signed = _sequence(
        _der(0xA0, _integer(2)),
        _integer(1 + secrets.randbits(64)),
        algorithm,
        name,
        validity,
        name,
        _sequence(_sequence(EC_PUBLIC_KEY, P256), _bits(public)),
        _der(0xA3, extensions),
    )
    once = 1 + secrets.randbelow(ORDER - 1)
    r = _times(once, BASE)[0] % ORDER
    digest = int.from_bytes(hashlib.sha256(signed).digest(), "big")
    s = pow(once, -1, ORDER) * (digest + r * secret) % ORDER
    certificate, key = folder / "cert.pem", folder / "key.pem"
    certificate.write_text(
        _pem("CERTIFICATE", _sequence(signed, algorithm, _bits(_sequence(_integer(r), _integer(s)))))
    )
    private = _der(4, secret.to_bytes(32, "big"))
    key.write_text(_pem("EC PRIVATE KEY", _sequence(_integer(1), private, _der(0xA0, P256), _der(0xA1, _bits(public)))))
    return certificate, key

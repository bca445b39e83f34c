"""
Hiding secrets in command lines, environment variables and addresses before they are recorded.

    a name of a secret            contains one of `WORDS`, and not only as part of a harmless word (`HARMLESS`):
                                  `hf_token` is one, `tokenizer` and `max_tokens` are not
    a text that is a secret       contains the beginning of a well-known key (`TOKEN_FORMS`)

    before                                   recorded
    --token X     --token=X                  --token ***     --token=***
    db.password=X    +api_key=X              db.password=***    +api_key=***
    https://ada:pw@host/?key=X&page=2        https://***@host/?key=***&page=2
    {"password": "X", "user": "ada"}         {"password": "***", "user": "ada"}

Most command lines contain no secret, and a training should not wait for the patterns, which take 4 ms to compile. So
texts are first searched for fragments that a pattern needs (`FORM_FRAGMENTS`), and the patterns are compiled only when
one occurs.

In doubt a text is hidden. A secret without a name and without a well-known form is not recognised: `-p hunter2`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

HIDDEN = "***"
CHARACTERS_MAX = 4096  # of one variable or argument
ARGUMENTS_MAX = 256

# The first four are those of Aim 3.
WORDS = (
    "secret",
    "key",
    "token",
    "passw",
    "passphrase",
    "pwd",
    "credential",
    "auth",
    "cookie",
    "private",
    "dsn",
    "signature",
    "bearer",
)
HARMLESS = (
    r"tokeni[sz]|(?:max|min|num|n|new|total)[_-]?(?:new[_-]?)?tokens?\b|tokens?[_-](?:dim|len|length|count|per|type|size)"
    r"|author(?!i)|keypoint|keyword|key[_-]?frame|keyboard|monkey|(?:num|n)[_-]?keys?\b|key[_-]?(?:dim|size|padding)"
)
# The beginnings of well-known keys: GitHub, GitLab, AWS, OpenAI and the like, Hugging Face, Slack, and JSON web tokens
TOKEN_FORMS = (
    r"gh[opusr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|A(?:KI|SI)A[A-Z0-9]{16}|\bsk-[\w-]{20,}|\bhf_\w{20,}"
    r"|xox[a-z]-[\w-]{10,}|(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}"
)
FORM_FRAGMENTS = ("gh", "glpat-", "AKIA", "ASIA", "sk-", "hf_", "xox", "eyJ")
FORM_CHARACTERS_MIN = 15
# `user:password@` after `://`, and before a host without `://`. There it needs the password, or each e-mail address
# would be a secret.
USER_IN_ADDRESS = r"(?<=://)[^/\s]+@|(?<![\w.@/+-])[\w.+-]+:[^\s@/:]+@(?=[\w-])"
# A whole argument `name=value`, and pairs within an address, JSON, YAML or a header. A pair begins where a word does,
# so the time grows with the length of the text only.
ASSIGNMENT_NAME = r"[-+~]*[\w.\-\[\]/]+"
PAIR = (
    rf"(?<![\w.-])(?=[\w.-]*(?:{'|'.join(WORDS)}))(?P<name>[\w.-]+)(?P<between>[\"']?\s*[:=]\s*)"
    r"(?P<value>(?:(?:bearer|basic)\s+)?(?:\"[^\"]*\"|'[^']*'|[^\s\"'&,;#}]+))"
)


@cache
def _compiled(pattern: str, *, ignores_case: bool = False) -> re.Pattern[str]:
    import re

    return re.compile(pattern, re.IGNORECASE if ignores_case else 0)


def speaks_of_secret(name: str) -> bool:
    """
    Return whether a value with this name is likely to be a secret.

    >>> speaks_of_secret("AWS_SECRET_ACCESS_KEY"), speaks_of_secret("--tokenizer"), speaks_of_secret("max_new_tokens")
    (True, False, False)
    """
    if not _has_word(name):
        return False
    return _has_word(_compiled(HARMLESS, ignores_case=True).sub("", name))


def _has_word(text: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in WORDS)


def looks_like_secret(text: str) -> bool:
    """
    Return whether *text* contains a key of a well-known form.

    >>> looks_like_secret("hf_" + "a" * 30), looks_like_secret("hf_transfer")
    (True, False)
    """
    if len(text) < FORM_CHARACTERS_MIN or not any(fragment in text for fragment in FORM_FRAGMENTS):
        return False
    return _compiled(TOKEN_FORMS).search(text[: 2 * CHARACTERS_MAX]) is not None


def masked(text: str) -> str:
    """
    Return *text* with the secrets in it hidden, cut after 4,096 characters; lone surrogates become `?`.

    >>> masked("postgres://ada:pw@db/runs?sslkey=k1&page=2")
    'postgres://***@db/runs?sslkey=***&page=2'
    """
    plain = text[: 2 * CHARACTERS_MAX].encode(errors="replace").decode()
    if "@" in plain:
        plain = _compiled(USER_IN_ADDRESS).sub(f"{HIDDEN}@", plain)
    if looks_like_secret(plain):
        plain = _compiled(TOKEN_FORMS).sub(HIDDEN, plain)
    if _has_word(plain) and (":" in plain or "=" in plain):
        plain = _compiled(PAIR, ignores_case=True).sub(_masked_pair, plain)
    return plain[:CHARACTERS_MAX]


def _masked_pair(pair: re.Match[str]) -> str:
    if not speaks_of_secret(pair["name"]):
        return pair[0]
    quote = pair["value"][0] if pair["value"][0] in "\"'" else ""
    return f"{pair['name']}{pair['between']}{quote}{HIDDEN}{quote}"


def masked_arguments(arguments: Iterable[object]) -> list[str]:
    """
    Return the first 256 arguments of a command line with the secrets in them hidden.

    Cost: some microseconds; 4 ms more, once, if an argument may be a secret.

    >>> masked_arguments(["train.py", "--lr", "0.1", "--api-key", "x", "--token=y", "db.password=z"])
    ['train.py', '--lr', '0.1', '--api-key', '***', '--token=***', 'db.password=***']
    """
    masked_texts: list[str] = []
    hides_next = False
    for text in map(str, itertools.islice(arguments, ARGUMENTS_MAX)):
        name = _assigned(text)
        if (hides_next and not text.startswith("-")) or (name is None and looks_like_secret(text)):
            masked_texts.append(HIDDEN)
        elif name is not None and speaks_of_secret(name):
            masked_texts.append(f"{name}={HIDDEN}")
        else:
            masked_texts.append(masked(text))
        hides_next = text.startswith("-") and name is None and speaks_of_secret(text)
    return masked_texts


def _assigned(text: str) -> str | None:
    """Return the name of `name=value`; None for any other text."""
    name, equals, value = text.partition("=")
    if not equals or not value or (name.isascii() and name.replace("_", "").replace("-", "").isalnum()):
        return name if equals and value else None
    return name if _compiled(ASSIGNMENT_NAME).fullmatch(name) else None

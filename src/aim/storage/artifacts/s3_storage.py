"""
Options for S3 by boto3's names, as in calls that were written for Aim 3.

    endpoint_url             endpoint; plain http is allowed when it begins so
    aws_access_key_id        access_key_id
    aws_secret_access_key    secret_access_key
    aws_session_token        session_token
    region_name              region
    verify=False             certificates are not checked

`obstore` has no option for other arguments of a boto3 client; a warning names them.
"""

from __future__ import annotations

import logging
from typing import Any

from aim.storage.artifacts import registry
from aim.storage.artifacts.stores import ObjectStore

SCHEMES = ("s3", "s3a")
OPTIONS = {
    "endpoint_url": "endpoint",
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
    "region_name": "region",
}
"""Argument of `boto3.client` -> option of `obstore.store.S3Store`."""

log = logging.getLogger("aim")


def S3ArtifactStorage_clientconfig(**boto3_client_kwargs: Any) -> None:
    """
    Use these options for `s3://` addresses from now on, in place of those of the environment.

    Args:
        boto3_client_kwargs: those of `boto3.client("s3", ...)`; see above for those with a meaning here.
    """
    options, without_meaning = options_of(boto3_client_kwargs)
    if without_meaning:
        log.warning(
            "Aim asks S3 without boto3: %s of S3ArtifactStorage_clientconfig has no meaning there and is left out. "
            "These have: %s, verify=False.",
            ", ".join(without_meaning),
            ", ".join(OPTIONS),
        )
    for scheme in SCHEMES:
        registry.register(scheme, lambda uri: ObjectStore(uri, **options))


def options_of(boto3_client_kwargs: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """
    Return the options of a store, and the names of those arguments that have no meaning here.

    >>> options_of({"endpoint_url": "http://localhost:9000", "config": None, "use_ssl": True})
    ({'endpoint': 'http://localhost:9000', 'client_options': {'allow_http': True}}, ['use_ssl'])
    """
    options: dict[str, Any] = {}
    client: dict[str, Any] = {}
    without_meaning = []
    for name, value in boto3_client_kwargs.items():
        if value is None:
            continue
        if name in OPTIONS:
            options[OPTIONS[name]] = value
        elif name == "verify" and value in (True, False):
            client |= {} if value else {"allow_invalid_certificates": True}
        else:
            without_meaning.append(name)
    if str(options.get("endpoint", "")).lower().startswith("http:"):
        client["allow_http"] = True
    return (options | {"client_options": client} if client else options), without_meaning

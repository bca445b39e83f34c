"""
Where a guarded channel may lead.

A *guarded* channel was added on the pages by somebody who may not administer the server. It may not reach the server's
own machine, nor the addresses by which clouds hand out credentials to it. What counts is where its socket is connected
to, before anything is sent: a name may mean another machine from one moment to the next.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import urllib.request

CLOUD_METADATA = "fd00:ec2::254"


class PeerRefused(OSError):
    """A guarded channel leads to a machine that it may not reach."""


def check_peer(opened: socket.socket | None) -> None:
    """Raise PeerRefused when a socket leads to where a guarded channel may not send."""
    peer, own = (str(opened.getpeername()[0]), str(opened.getsockname()[0])) if opened is not None else ("", "")
    if peer == own or not may_reach(peer):
        raise PeerRefused("It may not reach the machine of the server. An administrator may add such a channel.")


def may_reach(peer: str) -> bool:
    """
    Return whether a guarded channel may reach an IP address.

    >>> [may_reach(peer) for peer in ("10.1.2.3", "8.8.8.8", "127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "")]
    [True, True, False, False, False, False]
    """
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    is_odd = plain.is_loopback or plain.is_link_local or plain.is_unspecified or plain.is_multicast
    return not is_odd and str(plain) != CLOUD_METADATA


class _HttpElsewhere(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        check_peer(self.sock)


class _HttpsElsewhere(http.client.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        check_peer(self.sock)


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_HttpElsewhere, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_HttpsElsewhere, req)


def guarded_handlers() -> list[urllib.request.BaseHandler]:
    """Return the handlers of `urllib` for requests of guarded channels; no proxy, which would be the peer."""
    return [urllib.request.ProxyHandler({}), _HttpHandler(), _HttpsHandler()]

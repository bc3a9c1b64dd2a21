"""The media hosts that these tests share, without and with TLS."""

from collections.abc import Iterator

import pytest

from simulators.media_host.server import MediaHost, media_host


@pytest.fixture(scope="package")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        yield running


@pytest.fixture(scope="package")
def secure() -> Iterator[MediaHost]:
    with media_host(tls=True) as running:
        yield running

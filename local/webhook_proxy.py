"""A plain URL for the webhooks: listens on the loopback and passes each request to the HTTP API unchanged.

    webhook_proxy.py LISTEN_PORT API_PORT API_HOST

An HTTP API is selected by the Host header, so that line is replaced. Everything else is passed byte by byte: header
names and values (repeated, empty, not ASCII), the path, the body and the response. Each connection has one request.
"""

import asyncio
import re
import sys
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from http import HTTPStatus

HEAD_LIMIT = 256 * 1024  # max bytes of request line and headers; AWS enforces its own 10 KB
PIECE = 64 * 1024  # bytes passed at a time
LINGER = 1.0  # seconds for a caller who still sends while being answered
# Ours replace the caller's. `Connection: close` is what makes one connection one request.
OURS = re.compile(rb"(?im)^(?:host|connection|keep-alive|proxy-connection)[ \t]*:.*\r\n")


def refusal(status: HTTPStatus) -> bytes:
    """A response of the proxy itself, without the API."""
    return f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


async def pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    """Copy until the sender has ended, then end the receiver's side."""
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()
    writer.write_eof()


async def serve(listen_port: int, api_port: int, api_host: str) -> None:
    """Serve until ended."""

    async def one_request(reader: StreamReader, writer: StreamWriter) -> None:
        api_writer = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            request_line, headers = head.split(b"\r\n", 1)
            api_reader, api_writer = await asyncio.open_connection("127.0.0.1", api_port)
            ours = b"Host: " + api_host.encode() + b"\r\nConnection: close\r\n"
            api_writer.write(request_line + b"\r\n" + ours + OURS.sub(b"", headers))
            asking = asyncio.create_task(pass_on(reader, api_writer))
            try:
                await pass_on(api_reader, writer)
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        except asyncio.LimitOverrunError:
            writer.write(refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
        except asyncio.IncompleteReadError:
            pass  # the caller went away
        except OSError:
            if api_writer is None:
                writer.write(refusal(HTTPStatus.BAD_GATEWAY))  # the emulated AWS is gone
        finally:
            if api_writer:
                api_writer.close()
            # A connection that is closed on unread bytes is reset, and the answer may be lost with it.
            with suppress(OSError, TimeoutError):
                writer.write_eof()
                async with asyncio.timeout(LINGER):
                    while await reader.read(PIECE):
                        pass
            writer.close()

    server = await asyncio.start_server(one_request, "127.0.0.1", listen_port, limit=HEAD_LIMIT, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))

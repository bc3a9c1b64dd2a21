"""One plain URL for the webhooks: listens on the loopback and passes each request on to the HTTP API, as it came.

    front_door.py LISTEN_PORT API_PORT API_HOST

An HTTP API is found by its Host header, so that one line is replaced. Nothing else is read: header names and values
(doubled, empty, not ASCII), the path, the body and the answer pass byte by byte. Each connection carries one request.
"""

import asyncio
import re
import sys
from asyncio import StreamReader, StreamWriter

HEAD_LIMIT = (
    256 * 1024
)  # bytes of request line and headers: far above the 10 KB that AWS allows, which is not ours to hold
PIECE = 64 * 1024  # bytes passed on at a time
# Ours replace the caller's. `Connection: close` is what makes one connection one request.
OURS = re.compile(rb"(?im)^(?:host|connection|keep-alive|proxy-connection)[ \t]*:.*\r\n")


async def pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    """Copy until the sender has ended, then tell the receiver so."""
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def serve(listen_port: int, api_port: int, api_host: str) -> None:
    """Listen until ended."""

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
            writer.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        except asyncio.IncompleteReadError:
            pass  # the caller went away
        except OSError:
            if api_writer is None:
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        finally:
            for each in (writer, api_writer):
                if each:
                    each.close()

    server = await asyncio.start_server(one_request, "127.0.0.1", listen_port, limit=HEAD_LIMIT, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))

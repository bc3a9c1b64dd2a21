"""The HTTP side of the simulated APIs: finds the provider by the path; checks faults, key and limits; responds; records
each request."""

from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

from simulators.loopback_server import LoopbackServer
from simulators.media_host.answers import Answer
from simulators.provider_apis.exchange import Api, Refused, Request, json_answer
from simulators.provider_apis.faults import Gate
from simulators.provider_apis.state import SharedState


class Server(LoopbackServer):
    """Serves the mounted APIs."""

    shared: SharedState

    def __init__(self, port: int) -> None:
        self.mounted: Sequence[tuple[Api, Gate]] = ()
        super().__init__(port, _Handler)

    @property
    def base_url(self) -> str:
        """The URL without a trailing slash."""
        return f"http://127.0.0.1:{self.server_port}"

    def mount(self, shared: SharedState, mounted: Sequence[tuple[Api, Gate]]) -> None:
        """Mount an API."""
        self.shared, self.mounted = shared, mounted

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer | None:
        """The response to a request; None cuts the connection."""
        url = urlsplit(target)
        found = next((mounted for mounted in self.mounted if url.path.startswith(mounted[0].base_path + "/")), None)
        if found is None:
            return json_answer({"detail": "no provider has this path"}, 404)
        api, gate = found
        query = {name: ",".join(values) for name, values in parse_qs(url.query).items()}
        path = url.path.removeprefix(api.base_path)
        answer: Answer | None = None
        with self.shared.lock:
            request = Request(api.name, method, path, query, headers, body, self.shared.clock.now())
            self.shared.requests.append(request)
            fault = gate.fault(request)
            if fault is None or fault.took_effect or fault.status == 200:
                answer = _answer(api, gate, request)
        if fault is not None:
            self.stopping.wait(fault.seconds)
            if fault.status is None:
                answer = None
            elif fault.status != 200:
                wait = None if fault.retry_after is None else str(fault.retry_after)
                answer = _error(api, fault.status, "The service is not available.").but(Retry_After=wait)
        request.status = answer.status if answer else None
        return answer


def _answer(api: Api, gate: Gate, request: Request) -> Answer:
    found = [(route, match) for route in api.routes if (match := route.path.fullmatch(request.path))]
    matching = next(((route, match) for route, match in found if route.method == request.method), None)
    try:
        if not (matching and matching[0].open):
            api.authenticate(request)
        if not gate.admits(request):
            raise Refused(429, "Rate limit exceeded. Please try again later.")  # Sync's wording
        if matching is None:
            raise Refused(405 if found else 404, "Method not allowed." if found else "Not found.")
        route, match = matching
        return route.answer(request, *map(unquote, match.groups()))
    except Refused as refused:
        return _error(api, refused.status, refused.why)


def _error(api: Api, status: int, why: object) -> Answer:
    return json_answer(api.error(status, why), status)


class _Handler(BaseHTTPRequestHandler):
    """Reads and answers one complete request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.answer(self.command, self.path, headers, body)
        if answer is None:
            self.close_connection = True
        else:
            self.wfile.write(answer.head + answer.body)

    do_POST = do_GET  # noqa: N815  the name that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        """Logs nothing: `SharedState.requests` keeps the requests."""

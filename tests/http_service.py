"""A service that misbehaves on demand, and remembers what it was asked."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from urllib.parse import urlsplit


class Service:
    """`url` is where it is; `asked` what came, in order; `most` how much of it at once."""

    def __init__(self, url):
        self.url = url
        self.asked = []
        self.connections = set()
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        self._failures = {}

    def fails(self, path, times):
        """The first requests for a path get 500, or a closed connection."""
        self._failures[path] = times

    def begin(self, request):
        with self._lock:
            self.asked.append(request)
            self._now += 1
            self.most = max(self.most, self._now)
            left = self._failures.get(request["path"], 0)
            self._failures[request["path"]] = left - 1
            return left > 0

    def end(self):
        with self._lock:
            self._now -= 1

    def times(self, path):
        return sum(request["path"] == path for request in self.asked)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer is one packet

    def log_message(self, *args):
        pass

    def _answer(self):
        service = self.server.service
        service.connections.add(self.client_address)
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        request = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "data": data,
        }
        failing = service.begin(request)
        name, *rest = path.strip("/").split("/")
        if name == "close" or (failing and name == "drop"):
            service.end()
            self.close_connection = True
            self.connection.close()
        elif failing:
            self._send(500, b"not now", "text/plain")
        elif name == "status":
            self._send(int(rest[0]), "no, é".encode(), "text/plain; charset=utf-8")
        elif name == "sleep":
            time.sleep(float(rest[0]))
            self._send(200, json.dumps({"slept": float(rest[0])}).encode())
        elif name == "text":
            self._send(200, b"text", "text/plain")
        elif name == "nothing":
            self._send(204, b"", "")
        elif name == "once":
            self._send(200, b"{}", headers={"Connection": "close"})
            self.close_connection = True
        elif name == "huge":
            self._send(200, json.dumps(["x" * 1000] * 5000).encode())
        elif name == "moved":
            self._send(int(rest[0]), b"", "", {"Location": "/echo"})
        elif name == "plain":  # what clients of all kinds send alike
            shown = {"method": self.command, "path": self.path, "data": data.decode()}
            self._send(200, json.dumps(shown).encode())
        else:
            shown = {**request, "data": data.decode()}
            self._send(200, json.dumps(shown).encode())

    def _send(self, status, body, kind="application/json", headers=None):
        self.server.service.end()  # before the caller can know
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815


class _Server(ThreadingMixIn, TCPServer):  # HTTPServer would look up this machine's name
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # callers that gave up


@contextmanager
def running():
    """The service, for as long as the block runs."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.service = Service(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

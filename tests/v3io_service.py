"""A server that answers as V3IO's stream interface does, remembers, and misbehaves on demand."""

import base64
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn


class V3io:
    """`streams` has the records of each shard; `asked` what came: function, path, record count.

    `misbehave` takes what the next PutRecords get instead: a status, "reset" (an end without an
    answer), "slow" (half a second), or the places of records that are not taken.
    """

    def __init__(self, port):
        self.address = f"127.0.0.1:{port}"
        self.streams = {}
        self.asked = []
        self.keys = set()
        self.connections = set()
        self.misbehave = []
        self._next = 0

    def create(self, path, shards):
        self.streams[path] = [[] for _ in range(shards)]

    def put(self, path, records, refused):
        answers = []
        for place, record in enumerate(records):
            if place in refused:
                message = {"ErrorCode": -5, "ErrorMessage": "throughput exceeded"}
                answers.append(message)
                continue
            shards = self.streams[path]
            shard = record.get("ShardId")
            if shard is None:
                shard, self._next = self._next % len(shards), self._next + 1
            shards[shard].append(base64.b64decode(record["Data"]).decode())
            answers.append({"SequenceNumber": len(shards[shard]), "ShardId": shard})
        return {"FailedRecordCount": len(refused & set(range(len(records)))), "Records": answers}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def _answer(self):
        service = self.server.service
        service.connections.add(self.client_address)
        function = self.headers["X-v3io-function"]
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(data) if data else {}
        service.asked.append((function, self.path, len(body.get("Records", ()))))
        service.keys.add(self.headers.get("X-v3io-session-key"))
        there = self.path in service.streams
        if function == "CreateStream" and self.command == "POST":
            if there:
                return self._send(409, {"ErrorCode": -17, "ErrorMessage": "ResourceInUse"})
            assert body["RetentionPeriodHours"] > 0
            service.create(self.path, body["ShardCount"])
            return self._send(204)
        if not there:
            return self._send(404, {"ErrorMessage": "no such stream"})
        if function == "DescribeStream" and self.command == "PUT":
            return self._send(200, {"ShardCount": len(service.streams[self.path])})
        assert (self.command, function) == ("POST", "PutRecords")
        assert self.headers["Content-Type"] == "application/json"
        how = service.misbehave.pop(0) if service.misbehave else ()
        if how == "reset":
            self.close_connection = True
            return self.connection.close()
        if isinstance(how, int):
            return self._send(how, {"ErrorMessage": f"because {how}"})
        if how == "slow":
            time.sleep(0.5)
            how = ()
        return self._send(200, service.put(self.path, body["Records"], set(how)))

    def _send(self, status, answer=None):
        self.send_response(status)
        body = b"" if answer is None else json.dumps(answer).encode()
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = _answer  # noqa: N815


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass  # connections that are reset


@contextmanager
def running():
    """The service, for as long as the block runs."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.service = V3io(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

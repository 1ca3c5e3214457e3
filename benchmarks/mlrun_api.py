"""As much of the MLRun service as a deployed function asks for: the state of one of its tasks.

Without a service `mlrun.get_run_db()` answers None, and every event of a router then fails
(mlrun 1.12, `common/model_monitoring/helpers.py`); a cluster always has one. Prints its URL, which
goes into MLRUN_DBPATH, and serves on 127.0.0.1 until standard input ends.
"""

from __future__ import annotations

import http.server
import json
import sys
import threading
from typing import Any


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = self.path.split("?")[0].strip("/").split("/")
        answer: dict[str, Any] = {"version": "1.12.1"}
        if "background-tasks" in parts:
            stamp = "2026-01-01T00:00:00+00:00"
            names = {"name": parts[-1], "project": parts[-3]}
            answer = {
                "kind": "BackgroundTask",
                "spec": {},
                "status": {"state": "succeeded"},
                "metadata": {**names, "created": stamp, "updated": stamp},
            }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 (a name of http.server's)

    def log_message(self, format: str, *args: Any) -> None:
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()

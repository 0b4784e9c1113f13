"""What the engines in Python share: answering JSON over HTTP on this machine, values without loss, ending with the parent.

Every integer and decimal is sent as its text, so that no reader of JSON can round it.
"""

import base64
import datetime
import decimal
import json
import os
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer


def end_with_parent():
    """Ends this process when its standard input ends, which it does when the parent is gone."""

    def wait():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def plain(value):
    """A single value as JSON has it: numbers as text, bytes as base64, times as ISO text without zone."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
    raise TypeError(f"no form for {type(value)}")


def serve(port, handle):
    """Answers POSTed JSON with `handle(request)`, one request at a time; a failure is answered with its words."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, answer = 200, handle(request)
            except Exception as error:  # The caller decides what a failure means.
                traceback.print_exc()
                status, answer = 500, {"error": f"{type(error).__name__}: {error}"}
            body = json.dumps(answer).encode("utf-8")
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", port), Handler)
    print("READY", flush=True)
    server.serve_forever()

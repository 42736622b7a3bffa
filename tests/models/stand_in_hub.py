"""A stand-in for the Hugging Face hub on this computer: it gives files, refuses, cuts off, or talks nonsense."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" + "0" * 34


class StandInHub:
    """What the stand-in has, and what it was asked.

    Attributes
    ----------
    files : dict
        Maps (repository, file name) to bytes.
    mode : {"honest", "gated", "nonsense", "cut"}
        "cut" closes the connection after half of the file, once for each file.
    asked : list of (method, path, Range header)
    """

    def __init__(self, address):
        self.address, self.files, self.mode, self.asked, self._cut = address, {}, "honest", [], set()

    def answer(self, request):
        self.asked.append((request.command, request.path, request.headers.get("Range")))
        parts = request.path.strip("/").split("/")
        if self.mode == "nonsense" and len(parts) > 1:
            return self._send(request, 200, b"<html>Please log in to the guest network.</html>")
        if len(parts) < 5 or parts[2] != "resolve":
            return self._send(request, 200, b"hub")
        commit = parts[3] if len(parts[3]) == 40 else COMMIT
        if self.mode == "gated":
            return self._send(request, 403, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "access needed"})
        content = self.files.get(("/".join(parts[:2]), parts[4]))
        if content is None:
            return self._send(request, 404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        digest = hashlib.sha256(content).hexdigest()
        headers = {"ETag": f'"{digest}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        begin, code = 0, 200
        if request.headers.get("Range"):
            begin, code = int(request.headers["Range"].removeprefix("bytes=").split("-")[0]), 206
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        part = content[begin:]
        if self.mode == "cut" and request.command == "GET" and request.path not in self._cut:
            self._cut.add(request.path)
            return self._send(request, code, part, headers, sent=len(part) // 2)
        return self._send(request, code, part, headers)

    @staticmethod
    def _send(request, code, content, headers=None, sent=None):
        request.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(content[:sent])
        if sent is not None:
            request.wfile.flush()
            request.connection.close()


@contextmanager
def stand_in_hub(monkeypatch, cache):
    """Serve a stand-in on a free port, and let the hub's client ask it, with its own cache."""
    from huggingface_hub import constants

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            hub.answer(self)

        do_GET = do_HEAD

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub = StandInHub(f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

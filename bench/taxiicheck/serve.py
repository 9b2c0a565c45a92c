"""Run a command beside an independent TAXII 2.1 server (the package medallion).

Starts the server on a free port of the loopback address with the objects of
collection.json, each with its date (dated.py lets the test give dates too), waits until it answers, runs the command with INTERDICT_TEST_TAXII
(the URL of its discovery), INTERDICT_TEST_TAXII_USER, INTERDICT_TEST_TAXII_PASSWORD
(a file) and INTERDICT_TEST_TAXII_GIVEN (the objects) set, and stops the server. Exits
with the command's code, or with 1 if the server does not come up.
"""

import base64
import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
GIVEN = HERE / "collection.json"
USER = "acme"
MOST = 30  # objects the server puts on a page at most
MEDIA = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"


def collection(uid: str, title: str, read: bool, write: bool, given: list) -> dict:
    """One collection in the server's own form."""
    return {
        "id": uid,
        "title": title,
        "can_read": read,
        "can_write": write,
        "media_types": [STIX],
        "objects": [g["object"] for g in given],
        "manifest": [
            {"id": g["object"]["id"], "date_added": g["date_added"], "version": g["object"]["modified"], "media_type": STIX} for g in given
        ],
    }


def data(given: list) -> dict:
    """All that the server serves."""
    root = {
        "information": {"title": "made up", "versions": [MEDIA], "max_content_length": 10_000_000},
        "status": [],
        "collections": [
            collection("c0000000-0000-4000-8000-000000000001", "Indicators", True, True, given),
            collection("c0000000-0000-4000-8000-000000000002", "Drop box", False, True, []),
            collection("c0000000-0000-4000-8000-000000000003", "Twins", True, False, []),
            collection("c0000000-0000-4000-8000-000000000004", "Twins", True, False, []),
        ],
    }
    return {"/discovery": {"title": "made up", "default": "/api1/", "api_roots": ["/api1/"]}, "api1": root}


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(url: str, password: str) -> bool:
    request = urllib.request.Request(url, headers={"Accept": MEDIA})
    pair = base64.b64encode(f"{USER}:{password}".encode()).decode()
    request.add_header("Authorization", "Basic " + pair)
    try:
        with urllib.request.urlopen(request, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def main(command: list) -> int:
    if not command:
        print("usage: serve.py COMMAND...", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        password = secrets.token_urlsafe(16)
        secret = folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(password + "\n")
        (folder / "data.json").write_text(json.dumps(data(json.loads(GIVEN.read_text()))))
        backend = {"module": "dated", "module_class": "DatedBackend", "filename": str(folder / "data.json")}
        config = folder / "config.json"
        config.write_text(json.dumps({"backend": backend, "users": {USER: password}, "taxii": {"max_page_size": MOST}}))
        port = free_port()
        url = f"http://127.0.0.1:{port}/taxii2/"
        with open(folder / "log", "w+") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "medallion.scripts.run", "--port", str(port), str(config)],
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"},
            )
            try:
                deadline = time.monotonic() + 30
                while not answers(url, password):
                    if server.poll() is not None or time.monotonic() > deadline:
                        log.seek(0)
                        print("the TAXII server does not come up:", log.read()[-4000:], sep="\n", file=sys.stderr)
                        return 1
                    time.sleep(0.1)
                env = {
                    **os.environ,
                    "INTERDICT_TEST_TAXII": url,
                    "INTERDICT_TEST_TAXII_USER": USER,
                    "INTERDICT_TEST_TAXII_PASSWORD": str(secret),
                    "INTERDICT_TEST_TAXII_GIVEN": str(GIVEN),
                }
                code = subprocess.run(command, env=env).returncode
                log.seek(0)
                if "Traceback" in (text := log.read()):
                    print("the TAXII server had errors:", text[text.index("Traceback") :][:4000], sep="\n", file=sys.stderr)
                return code
            finally:
                server.terminate()
                server.wait(timeout=10)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

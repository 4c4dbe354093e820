"""Starting a server that speaks S3, and asking it to fail."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

BUCKET = "studies"


class Bucket:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def url(self) -> str:
        """Of a new store."""
        return f"s3://{BUCKET}/{uuid.uuid4().hex}/study.zarr"

    def fail(self, **rules) -> int:
        """Fail from now on as told, or not at all; returns how many requests failed on purpose until now.

        Rules: codes, share (of the requests), methods, part (of the path), spare (so many first).
        """
        with urllib.request.urlopen(f"{self.endpoint}/-/count") as answer:
            failed = json.load(answer)
        request = urllib.request.Request(f"{self.endpoint}/-/errors", json.dumps(rules).encode(), method="PUT")
        urllib.request.urlopen(request).close()
        return failed

    def files(self):
        import s3fs

        return s3fs.S3FileSystem(use_listings_cache=False)

    def chunks(self, url: str) -> dict[str, bytes]:
        """Name and content of every chunk of a store."""
        files, root = self.files(), url.removeprefix("s3://")
        found = files.cat([name for name in files.find(root) if "/c." in name])
        return {name.removeprefix(f"{root}/"): content for name, content in found.items()}


@contextlib.contextmanager
def serve() -> Iterator[Bucket]:
    """A server with a bucket; the environment of this process and its children points to it."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("s3_server.py"))], stdout=subprocess.PIPE, text=True
    )
    kept = dict(os.environ)
    try:
        assert process.stdout is not None
        endpoint = f"http://127.0.0.1:{int(process.stdout.readline())}"
        os.environ |= {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        _forget_other_servers()
        bucket = Bucket(endpoint)
        bucket.files().mkdir(BUCKET)
        yield bucket
    finally:
        process.kill()
        process.communicate()
        os.environ.clear()
        os.environ.update(kept)
        _forget_other_servers()


def _forget_other_servers() -> None:
    """s3fs keeps one object for all that asks with the same arguments, and with it the server of its first day."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()

"""OME-Zarr by address: from a server that is slow, refuses, breaks off or is gone, and from a local S3."""

import functools
import http.server
import os
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import zarr

from histowidgets._address import address_of, is_address
from histowidgets.annotations import Project
from histowidgets.errors import ImageOpenError
from histowidgets.images import DeferredImage, open_image
from histowidgets.images.readers import _zarr_store
from tests.prediction.models import brightness_classifier

PIXELS = np.random.default_rng(0).integers(0, 255, (3, 300, 400), np.uint8)
CHUNK = 64


def write(path, version=2):
    """Write a pyramid of two levels; the chunk at (0, 0) holds nothing but zeros, and is not stored."""
    PIXELS[:, :CHUNK, :CHUNK] = 0
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    for name, step in (("0", 1), ("1", 2)):
        pixels = PIXELS[:, ::step, ::step]
        options = {"shape": pixels.shape, "dtype": pixels.dtype, "chunks": (3, CHUNK, CHUNK), "fill_value": 0}
        group.create_array(name, **options, config={"write_empty_chunks": False})[...] = pixels
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    for axis in axes[1:]:
        axis["unit"] = "micrometer"
    levels = [
        {"path": name, "coordinateTransformations": [{"type": "scale", "scale": [1, step, step]}]}
        for name, step in (("0", 0.5), ("1", 1.0))
    ]
    multiscales = [{"axes": axes, "datasets": levels}]
    if version == 3:
        group.attrs["ome"] = {"version": "0.5", "multiscales": multiscales}
    else:
        group.attrs["multiscales"] = [{"version": "0.4", **multiscales[0]}]


class Server:
    """A server of files whose answers a test can change.

    Attributes
    ----------
    answer : callable or None
        Takes the handler and the path; returns whether it answered.
    asked : list of str
        The paths that were asked for.
    """

    def __init__(self, folder):
        self.answer, self.asked = None, []
        server = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = urlsplit(self.path).path
                server.asked.append(path)
                if server.answer is None or not server.answer(self, path):
                    super().do_GET()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
        )
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(_zarr_store, "FIRST_PAUSE", 0.01)
    write(tmp_path / "a.zarr")
    server = Server(tmp_path)
    yield server
    server.close()


@pytest.mark.parametrize("version", [2, 3])
def test_an_image_by_address_is_that_of_the_folder(tmp_path, server, version):
    write(tmp_path / "b.ome.zarr", version)
    image, local = open_image(f"{server.address}/b.ome.zarr"), open_image(tmp_path / "b.ome.zarr")
    assert (image.name, image.width, image.height, image.pixel_size_um) == ("b", 400, 300, 0.5)
    assert image.source == f"{server.address}/b.ome.zarr"
    for region in [(0, 0, 400, 300), (70, 90, 111, 57), (0, 0, 10, 10)]:
        np.testing.assert_array_equal(image.read(*region), local.read(*region))
    np.testing.assert_array_equal(image.read(0, 0, 400, 300, 2), local.read(0, 0, 400, 300, 2))


def test_only_what_is_needed_is_fetched_and_once(server):
    image = open_image(f"{server.address}/a.zarr")
    assert not [path for path in server.asked if "/0/0" in path]
    image.read(300, 200, 20, 20)
    chunks = {path for path in server.asked if path.startswith("/a.zarr/0/0")}
    assert 0 < len(chunks) <= 16
    before = len(server.asked)
    image.read(300, 200, 20, 20)
    assert len(server.asked) == before


def test_a_chunk_that_is_not_there_is_empty_and_a_server_that_fails_is_not(server):
    image = open_image(f"{server.address}/a.zarr")
    assert (image.read(0, 0, CHUNK, CHUNK) == 0).all()
    image = open_image(f"{server.address}/a.zarr")
    server.answer = lambda handler, path: handler.send_error(503) or True
    with pytest.raises(ImageOpenError, match=r"cannot be fetched: .*tried 4 times.*connection may be lost"):
        image.read(300, 200, 20, 20)
    server.answer = None
    np.testing.assert_array_equal(image.read(300, 200, 20, 20), np.moveaxis(PIXELS, 0, -1)[200:220, 300:320])


def test_what_fails_now_and_then_is_asked_for_again(server):
    failed = set()

    def once(handler, path):
        if path in failed:
            return False
        failed.add(path)
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
        return True

    server.answer = once
    image = open_image(f"{server.address}/a.zarr", name="patient")
    np.testing.assert_array_equal(image.read(0, 0, 400, 300), np.moveaxis(PIXELS, 0, -1))


def test_a_connection_that_breaks_off_gives_no_half_of_a_chunk(server):
    image = open_image(f"{server.address}/a.zarr")

    def half(handler, path):
        content = (Path(handler.directory) / path.lstrip("/")).read_bytes() if "/0/0" in path else None
        if content is None:
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[: len(content) // 2])
        handler.close_connection = True
        return True

    server.answer = half
    with pytest.raises(ImageOpenError, match="cannot be fetched"):
        image.read(300, 200, 20, 20)


def test_a_server_that_does_not_answer_in_time(server, monkeypatch):
    monkeypatch.setattr(_zarr_store, "READ_SECONDS", 0.2)
    monkeypatch.setattr(_zarr_store, "ATTEMPTS", 2)
    image = open_image(f"{server.address}/a.zarr")
    go_on = threading.Event()
    server.answer = lambda handler, path: go_on.wait(20) and False
    with pytest.raises(ImageOpenError, match=r"cannot be fetched.*tried 2 times"):
        image.read(300, 200, 20, 20)
    go_on.set()


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_refuses_is_asked_once(server, status):
    server.answer = lambda handler, path: handler.send_error(status) or True
    with pytest.raises(ImageOpenError, match="access is refused"):
        open_image(f"{server.address}/a.zarr")
    assert len(server.asked) <= 6


def test_where_nothing_is(server):
    with pytest.raises(ImageOpenError, match=r"There is no OME-Zarr at .*none\.zarr.*Check the address"):
        open_image(f"{server.address}/none.zarr")


def test_a_server_that_is_gone(monkeypatch):
    monkeypatch.setattr(_zarr_store, "FIRST_PAUSE", 0.01)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ImageOpenError, match="cannot be fetched"):
        open_image(f"http://127.0.0.1:{port}/a.zarr")


def test_the_cache_of_an_image_is_bounded(server, monkeypatch):
    from histowidgets.images.readers import _zarr

    monkeypatch.setattr(_zarr, "CACHE_BYTES", 300_000)
    image = open_image(f"{server.address}/a.zarr")
    image.read(0, 0, 400, 300)
    assert image._cache.nbytes <= 300_000


@pytest.mark.parametrize("ending", ["tif", "svs", "png", "ome.tiff"])
def test_the_address_of_a_file_is_to_be_downloaded(ending):
    with pytest.raises(ImageOpenError, match=r"is the address of a file.*Download it"):
        open_image(f"https://example.org/slide.{ending}")


def test_an_address_of_a_scheme_that_is_unknown():
    with pytest.raises(ImageOpenError, match=r"cannot be opened.*https:// or s3://"):
        open_image("nonsense://somewhere/a.zarr")


def test_the_address_of_a_local_file_is_its_path(tmp_path):
    write(tmp_path / "ä b.zarr")
    image = open_image((tmp_path / "ä b.zarr").as_uri())
    assert image.source == str(tmp_path / "ä b.zarr")
    with pytest.raises(ImageOpenError, match=r"There is no file .*none\.png, which the address file://.* names"):
        open_image((tmp_path / "none.png").as_uri())


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://host/a.zarr", "https://host/a.zarr"),
        ("s3://bucket/a.zarr", "s3://bucket/a.zarr"),
        (Path("https://host/a.zarr"), "https://host/a.zarr"),  # which has one slash left
        ("/data/a.zarr", None),
        ("C:/data/a.zarr", None),
        ("C:\\data\\a.zarr", None),
        ("odd:name.tif", None),
        (Path("s3"), None),
        (3, None),
    ],
)
def test_what_is_an_address(given, address):
    assert address_of(given) == address
    assert is_address(given) == (address is not None)


def test_a_project_stores_the_address(tmp_path, server):
    project = Project(["a"], folder=tmp_path / "project")
    name = project.add_image(f"{server.address}/a.zarr")
    project.close()
    project = Project.open(tmp_path / "project")
    image = project.image(name)
    assert isinstance(image, DeferredImage)
    assert image.source == f"{server.address}/a.zarr"
    np.testing.assert_array_equal(image.read(70, 90, 30, 20), np.moveaxis(PIXELS, 0, -1)[90:110, 70:100])
    project.close()


def test_x10_it_is_predicted_to_disk_as_from_disk_and_after_a_lost_line(tmp_path, server):
    address = f"{server.address}/a.zarr"
    local, image = open_image(tmp_path / "a.zarr"), open_image(address)
    classifier = brightness_classifier(local)
    expected = classifier.predict(local).labels
    assert set(np.unique(expected)) == {0, 1}
    stored = classifier.predict_to(image, tmp_path / "whole.zarr")
    np.testing.assert_array_equal(stored.read_labels(), expected)
    # The line is lost in the middle, and is there again for the next call.
    fetched = len(server.asked)
    image = open_image(address)
    server.answer = lambda handler, path: len(server.asked) > fetched + 12 and (handler.send_error(503) or True)
    with pytest.raises(ImageOpenError, match="connection may be lost"):
        classifier.predict_to(image, tmp_path / "broken.ome.tif")
    assert not (tmp_path / "broken.ome.tif").exists()
    server.answer = None
    stored = classifier.predict_to(image, tmp_path / "broken.ome.tif")
    np.testing.assert_array_equal(stored.read_labels(), expected)


def test_without_its_packages_what_to_install_is_said(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ImageOpenError, match=r"pip install 'histowidgets\[remote\]'"):
        open_image("https://example.org/a.zarr")


@pytest.fixture
def s3(tmp_path, monkeypatch):
    """A local S3 with an image in a bucket; returns its boto client."""
    import boto3
    from moto.server import ThreadedMotoServer

    monkeypatch.setattr(_zarr_store, "FIRST_PAUSE", 0.01)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    client = boto3.client("s3", aws_access_key_id="a", aws_secret_access_key="b")
    client.create_bucket(Bucket="slides")
    write(tmp_path / "a.zarr")
    for folder, _, files in os.walk(tmp_path / "a.zarr"):
        for file in files:
            path = Path(folder, file)
            key = f"study/{path.relative_to(tmp_path).as_posix()}"
            client.put_object(Bucket="slides", Key=key, Body=path.read_bytes(), ACL="public-read")
    yield client
    server.stop()


@pytest.mark.parametrize("with_credentials", [True, False])
def test_s3(s3, monkeypatch, with_credentials):
    if with_credentials:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    image = open_image("s3://slides/study/a.zarr")
    assert (image.name, image.source, image.pixel_size_um) == ("a", "s3://slides/study/a.zarr", 0.5)
    np.testing.assert_array_equal(image.read(0, 0, 400, 300), np.moveaxis(PIXELS, 0, -1))
    with pytest.raises(ImageOpenError, match=r"There is no OME-Zarr at s3://slides/none\.zarr"):
        open_image("s3://slides/none.zarr")


def test_access_that_ends_does_not_make_an_image_black(s3):
    image = open_image("s3://slides/study/a.zarr")
    for found in s3.list_objects_v2(Bucket="slides")["Contents"]:
        s3.put_object_acl(Bucket="slides", Key=found["Key"], ACL="private")
    with pytest.raises(ImageOpenError, match=r"access is refused.*log in with your credentials"):
        image.read(300, 200, 20, 20)

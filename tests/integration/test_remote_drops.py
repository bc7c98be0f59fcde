"""Drop folders on real SFTP and S3 servers: what is whole lands, once; what is not, and whom nobody knows, is refused.

Not here: which files are deliveries (tests/unit/test_connector_drop_folder.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import asyncssh
import pytest

from assets.landing.connectors.config import FileStream
from assets.landing.connectors.drop_folder import available_dates, deliveries
from assets.landing.connectors.sftp import KnownHostSftp
from assets.landing.land import land
from orchestration.config.sources import load_sources
from storage.data_folder import DataFolder, StreamId
from storage.errors import JourneymartError
from tests.landing_kit import FIRST, contract
from tests.remote_kit import HOST, PASSWORD, USER, S3Server, SftpServer, s3_server, sftp_server

NAME = f"tickets_{FIRST}.csv"
LONG = b"id,status\n" + b"".join(b"%d,%s\n" % (n, b"o" * 60) for n in range(20_000))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with sftp_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"DROP_USER": USER, "DROP_PASSWORD": PASSWORD, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def sftp(server: SftpServer, request: pytest.FixtureRequest) -> Iterator[FileStream]:
    place = server.root / request.node.name
    place.mkdir()
    yield FileStream(
        StreamId("desk", "zendesk", "tickets"),
        f"{server.url}{place.name}",
        "{stream}_{date}.csv",
        FIRST,
        complete="rename",
        host_key=server.host_key,
        storage_options_env=(("username", "DROP_USER"), ("password", "DROP_PASSWORD")),
    )
    server.cut_after = None
    server.on_read.clear()


def place_of(server: SftpServer, stream: FileStream) -> Path:
    return server.root / stream.location.rpartition("/")[2]


def landed(stream: FileStream, folder: DataFolder) -> int:
    found = land(stream, contract("status"), folder, FIRST)
    assert found is not None
    return found.manifest.rows


def test_what_lies_on_an_sftp_server_lands_and_is_noticed_when_it_is_another(
    server: SftpServer, sftp: FileStream, folder: DataFolder
) -> None:
    place = place_of(server, sftp)
    assert available_dates(sftp) == []
    (place / NAME).write_bytes(LONG)
    (place / f"{NAME}.part").write_bytes(b"id,status\n")
    assert available_dates(sftp) == [FIRST]
    assert landed(sftp, folder) == 20_000
    before = deliveries(sftp)
    (place / NAME).write_bytes(LONG[:-60])
    assert deliveries(sftp)[FIRST] != before[FIRST]


def test_a_login_by_key_needs_no_password(
    server: SftpServer, sftp: FileStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DROP_KEY", str(server.client_key))
    by_key = (("key_filename", "DROP_KEY"), ("passphrase", "DROP_PASSWORD"), ("username", "DROP_USER"))
    (place_of(server, sftp) / NAME).write_bytes(b"id,status\n")
    assert available_dates(replace(sftp, storage_options_env=by_key)) == [FIRST]


def test_a_host_that_is_not_known_is_refused_with_the_line_that_would_pin_it(
    server: SftpServer, sftp: FileStream
) -> None:
    with pytest.raises(JourneymartError, match="is not known and shows a key of ssh-ed25519") as refused:
        available_dates(replace(sftp, host_key=None))
    assert f'host_key: "{server.host_key}"' in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_a_host_with_another_key_than_the_pinned_one_is_refused(sftp: FileStream) -> None:
    other = " ".join(asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()[:2])
    with pytest.raises(JourneymartError, match="shows another key than the one that is known"):
        available_dates(replace(sftp, host_key=other))


def test_a_file_of_known_hosts_is_believed_and_no_other(server: SftpServer, sftp: FileStream, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    with pytest.raises(JourneymartError, match="cannot be read"):
        available_dates(replace(sftp, host_key=None, known_hosts=str(known)))
    known.write_text(f"[{HOST}]:{server.port} {server.host_key}\n")
    assert available_dates(replace(sftp, host_key=None, known_hosts=str(known))) == []
    known = tmp_path / "others"
    known.write_text(f"[{HOST}]:1 {server.host_key}\n")
    with pytest.raises(JourneymartError, match="is not known"):
        available_dates(replace(sftp, host_key=None, known_hosts=str(known)))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[{HOST}]:{server.port} {server.host_key}\n")
    assert available_dates(replace(sftp, host_key=None)) == []


def test_whom_a_host_does_not_let_in_and_where_nobody_answers_is_said(
    sftp: FileStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DROP_PASSWORD", "wrong secret")
    with pytest.raises(JourneymartError, match="does not let us in: check the variables") as refused:
        available_dates(sftp)
    assert "wrong secret" not in str(refused.value)
    monkeypatch.delenv("DROP_PASSWORD")
    with pytest.raises(JourneymartError, match="DROP_PASSWORD, which opens"):
        available_dates(sftp)
    nobody = replace(sftp, location=f"sftp://{HOST}:1/x", storage_options_env=())
    with pytest.raises(JourneymartError, match="cannot be reached"):
        available_dates(nobody)


def test_a_copy_that_breaks_off_is_no_delivery_and_the_next_night_takes_it_whole(
    server: SftpServer, sftp: FileStream, folder: DataFolder
) -> None:
    (place_of(server, sftp) / NAME).write_bytes(LONG)
    server.cut_after = 500_000
    with pytest.raises(JourneymartError, match=r"cannot be read|gave [\d,]+ of"):
        land(sftp, contract("status"), folder, FIRST)
    assert list(folder.landing_partition(sftp.stream, FIRST).parent.rglob("*.csv")) == []
    server.cut_after = None
    assert landed(sftp, folder) == 20_000


def test_a_host_that_falls_silent_is_given_up_and_the_next_night_takes_the_file(
    server: SftpServer, sftp: FileStream, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place_of(server, sftp) / NAME).write_bytes(LONG)
    it_speaks_again = Event()

    def fall_silent(_: int) -> None:
        server.on_read.clear()
        it_speaks_again.wait(60)

    server.on_read.append(fall_silent)
    # The connection of the tests before knows nothing of the patience of this one.
    KnownHostSftp.clear_instance_cache()
    with monkeypatch.context() as here:
        here.setattr("assets.landing.connectors.sftp._SILENT_SECONDS", 1)
        with pytest.raises(JourneymartError, match=r"cannot be read \(TimeoutError\)"):
            land(sftp, contract("status"), folder, FIRST)
    it_speaks_again.set()
    assert landed(sftp, folder) == 20_000


def test_a_file_that_grows_while_it_is_read_is_no_delivery(
    server: SftpServer, sftp: FileStream, folder: DataFolder
) -> None:
    file = place_of(server, sftp) / NAME
    file.write_bytes(LONG)

    def grow(_: int) -> None:
        server.on_read.clear()
        with file.open("ab") as more:
            more.write(b"20001,late\n")

    server.on_read.append(grow)
    with pytest.raises(JourneymartError, match=r"changed while it was read|gave [\d,]+ of"):
        land(sftp, contract("status"), folder, FIRST)
    assert landed(sftp, folder) == 20_001


def test_links_on_a_server_are_not_followed(server: SftpServer, sftp: FileStream, folder: DataFolder) -> None:
    (place_of(server, sftp) / "secret").write_bytes(b"id,status\n")
    (place_of(server, sftp) / NAME).symlink_to("secret")
    with pytest.raises(JourneymartError, match="is not a regular file"):
        land(sftp, contract("status"), folder, FIRST)


def s3(bucket: S3Server, monkeypatch: pytest.MonkeyPatch, place: str) -> FileStream:
    monkeypatch.setenv("DROP_ENDPOINT", bucket.address)
    return FileStream(
        StreamId("desk", "zendesk", "tickets"),
        f"s3://drop/{place}",
        "{stream}_{date}.csv",
        FIRST,
        complete="rename",
        storage_options_env=(("endpoint_url", "DROP_ENDPOINT"), ("key", "DROP_USER"), ("secret", "DROP_PASSWORD")),
    )


def test_what_lies_in_a_bucket_lands_and_is_noticed_when_it_is_another(
    bucket: S3Server, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = s3(bucket, monkeypatch, "desk")
    assert available_dates(stream) == []
    bucket.put(f"desk/{NAME}", LONG)
    assert available_dates(stream) == [FIRST]
    assert landed(stream, folder) == 20_000
    before = deliveries(stream)
    # As long as before: only its hash tells.
    bucket.put(f"desk/{NAME}", LONG.replace(b"\n1,o", b"\n1,p"))
    assert deliveries(stream)[FIRST] != before[FIRST]
    assert landed(stream, folder) == 20_000


def test_an_object_that_is_put_again_while_it_is_read_is_no_delivery(
    bucket: S3Server, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assets.landing.connectors import drop_folder

    stream = s3(bucket, monkeypatch, "again")
    bucket.put(f"again/{NAME}", LONG)

    def meanwhile(*said: Any) -> None:
        monkeypatch.undo()
        monkeypatch.setenv("DROP_ENDPOINT", bucket.address)
        monkeypatch.setenv("DROP_USER", USER)
        monkeypatch.setenv("DROP_PASSWORD", PASSWORD)
        bucket.put(f"again/{NAME}", LONG.replace(b"\n1,o", b"\n1,p"))

    monkeypatch.setattr(drop_folder, "require_free_space", meanwhile)
    with pytest.raises(JourneymartError, match=r"changed while it was read|cannot be read"):
        land(stream, contract("status"), folder, FIRST)
    assert not folder.landing_partition(stream.stream, FIRST).exists()
    assert landed(stream, folder) == 20_000


def test_a_bucket_that_cannot_be_reached_is_said(bucket: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = s3(bucket, monkeypatch, "desk")
    monkeypatch.setenv("DROP_ENDPOINT", f"http://{HOST}:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(JourneymartError, match=r"s3://drop/desk cannot be read \(\w+\)") as refused:
        available_dates(stream)
    assert PASSWORD not in str(refused.value)


def test_the_company_file_names_the_key_or_the_file_and_no_secret(server: SftpServer, tmp_path: Path) -> None:
    said = f"""\
company: Acme
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-06-27
sources:
  desk:
    system: zendesk
    location: {server.url}out
    host_key: "{server.host_key}"
    known_hosts: hosts
    storage_options_env: {{username: DROP_USER, password: DROP_PASSWORD}}
    pattern: "{{stream}}_{{date}}.csv"
    streams: {{tickets: }}
"""
    (tmp_path / "company.yml").write_text(said)
    (stream,) = load_sources(tmp_path / "company.yml", tmp_path).streams
    assert (stream.host_key, stream.known_hosts) == (server.host_key, str(tmp_path / "hosts"))
    (tmp_path / "company.yml").write_text(said.replace(server.host_key, "-----BEGIN OPENSSH PRIVATE KEY-----"))
    with pytest.raises(JourneymartError, match="host_key: must be a public key as it stands in known_hosts"):
        load_sources(tmp_path / "company.yml", tmp_path)

"""Servers of the tests' own for drop folders far away: SFTP (asyncssh) and S3 (moto), on ports the system picks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import boto3
from moto.server import ThreadedMotoServer

HOST = "127.0.0.1"
USER, PASSWORD = "robot", "g/e:h@e im"


@dataclass
class SftpServer:
    """An SFTP server of one folder.

    Attributes:
        root: The folder.
        host_key: Its public key, as it stands in known_hosts.
        client_key: A private key it lets in.
        port: Where it listens.
        cut_after: It drops the connection when so many bytes of a file were asked for; None: never.
        on_read: Done before a file is read from a place.
    """

    root: Path
    host_key: str
    client_key: Path
    port: int = 0
    cut_after: int | None = None
    on_read: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"sftp://{HOST}:{self.port}/"


@contextmanager
def sftp_server(work: Path) -> Iterator[SftpServer]:
    """An SFTP server; it ends with the block."""
    root, client_key = work / "sftp", work / "client_key"
    root.mkdir()
    key, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    client.write_private_key(str(client_key), passphrase=PASSWORD, rounds=50)
    kind, letters = key.export_public_key().decode().split()[:2]
    server = SftpServer(root, f"{kind} {letters}", client_key)

    class Login(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return username == USER and key.public_data == client.public_data

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: Any) -> None:
            self._connection = channel.get_connection()
            super().__init__(channel, chroot=str(root).encode())

        def read(self, file_obj: Any, offset: int, size: int) -> Any:
            for act in server.on_read:
                act(offset)
            if server.cut_after is not None and offset + size > server.cut_after:
                self._connection.abort()
            return super().read(file_obj, offset, size)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> Any:
        return await asyncssh.create_server(Login, HOST, 0, server_host_keys=[key], sftp_factory=Files)

    try:
        listener = asyncio.run_coroutine_threadsafe(listen(), loop).result(60)
        server.port = listener.sockets[0].getsockname()[1]
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_end_all(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)


async def _end_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@dataclass(frozen=True)
class S3Server:
    """An S3 of one bucket."""

    address: str
    client: Any

    def put(self, name: str, content: bytes) -> None:
        """Put an object into the bucket."""
        self.client.put_object(Bucket="drop", Key=name, Body=content)


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """An S3 with the bucket `drop`; it ends with the block."""
    server = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        address = f"http://{HOST}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=address,
            aws_access_key_id=USER,
            aws_secret_access_key=PASSWORD,
            region_name="us-east-1",
        )
        client.create_bucket(Bucket="drop")
        yield S3Server(address, client)
    finally:
        server.stop()

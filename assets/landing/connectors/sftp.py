"""SFTP of fsspec, to hosts that are known and to no others, with the login that is named and no other.

What lives here: which key a host must show, and connecting. Not here: what lies in a folder (file_systems.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from storage.errors import JourneymartError

_PORT = 22
_SECONDS = 30
# What hears nothing for so long gives up: paramiko would wait for ever for a host that is gone without a word.
_SILENT_SECONDS = 120
# Requests under way at once: one after the other, a long way to the host would be waited for at each.
_AHEAD = 64
_USERS_OWN = Path("~/.ssh/known_hosts")


class KnownHostSftp(SFTPFileSystem):  # type: ignore[misc]
    """Files of a host over SFTP.

    Args:
        host: Name of the host.
        known_hosts: A file of known hosts, as OpenSSH keeps it; None: the user's own.
        host_key: The key the host must show, as it stands in such a file; None: the file tells.
        options: Of the connection: port, username, password, key_filename, passphrase.
    """

    def __init__(
        self,
        host: str,
        known_hosts: str | None = None,
        host_key: str | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        if self._cached:
            return
        self._known_hosts, self._host_key = known_hosts, host_key
        super().__init__(host, **options)

    def _connect(self) -> None:
        # Keys of whoever runs the night, and of an agent, are tried for nobody's drop folder.
        options = {"allow_agent": False, "look_for_keys": False, "timeout": _SECONDS, "banner_timeout": _SECONDS}
        options |= {"channel_timeout": _SECONDS, **self.ssh_kwargs}
        port = int(options.pop("port", _PORT))
        self.client = paramiko.SSHClient()
        self._know(f"[{self.host}]:{port}" if port != _PORT else self.host)
        self.client.set_missing_host_key_policy(_RefuseUnknown())
        try:
            self.client.connect(self.host, port, **options)
            transport = self.client.get_transport()
            # Words that need no answer: the network says when they no longer arrive.
            transport.set_keepalive(_SECONDS)
            self.ftp = _Impatient.from_transport(transport)
            self.ftp.get_channel().settimeout(_SILENT_SECONDS)
        except paramiko.BadHostKeyException as error:
            raise JourneymartError(
                f"{self.host} shows another key than the one that is known of it ({_told(error.key)}): ask its owner "
                "whether it was changed, and correct `host_key` or `known_hosts` only then."
            ) from None
        except paramiko.AuthenticationException:
            raise JourneymartError(
                f"{self.host} does not let us in: check the variables that storage_options_env names (username, and "
                "password or key_filename)."
            ) from None

    def _know(self, name: str) -> None:
        """Take in which key the host must show."""
        if self._host_key is not None:
            entry = paramiko.hostkeys.HostKeyEntry.from_line(f"{name} {self._host_key}")
            if entry is None or entry.key is None:
                raise JourneymartError(
                    f"The host_key of {self.host} in company.yml is no key: write it as in known_hosts."
                )
            self.client.get_host_keys().add(name, entry.key.get_name(), entry.key)
            return
        file = Path(self._known_hosts or _USERS_OWN).expanduser()
        if self._known_hosts or file.is_file():
            try:
                self.client.load_host_keys(str(file))
            except OSError as error:
                raise JourneymartError(f"The known_hosts file {file} cannot be read ({error.strerror}).") from None

    def info(self, path: str, **_: Any) -> dict[str, Any]:  # noqa: ANN401 - as fsspec calls it
        """What is known of a name itself; what a link points to is not looked at."""
        path = self._strip_protocol(path)
        return {**self._decode_stat(self.ftp.lstat(path)), "name": path}

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any) -> Any:  # noqa: ANN401
        file = super()._open(path, mode, block_size, **options)
        if mode == "rb":
            file.prefetch(max_concurrent_requests=_AHEAD)
        return file

    def require_connection(self) -> None:
        """Connect again if the connection is gone."""
        transport = self.client.get_transport()
        if transport is None or not transport.is_active():
            self._connect()


class _Impatient(paramiko.SFTPClient):  # type: ignore[misc]
    """Gives up a host that says nothing, and the connection with it: half an answer may have come."""

    def _read_all(self, n: int) -> Any:  # noqa: ANN401 - as paramiko calls it
        try:
            return super()._read_all(n)
        except TimeoutError:
            self.get_channel().get_transport().close()
            raise


class _RefuseUnknown(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    """No host is taken at its word."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        del client
        raise JourneymartError(
            f"{hostname} is not known and shows {_told(key)}: compare that with what its owner says, and pin it in "
            f'company.yml with `host_key: "{key.get_name()} {key.get_base64()}"`, or name a known_hosts file.'
        )


def _told(key: paramiko.PKey) -> str:
    return f"a key of {key.get_name()} with the fingerprint {key.fingerprint}"

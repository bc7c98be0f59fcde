"""How a request says who asks: the header of each kind of login.

Not here: where the secrets come from (the environment, by the names in the company file), and sending (http.py).
Secrets stand in no representation of these objects, so no message or log can show them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

# Asks a path of the vendor's host for a token, as a form or as a JSON object, and gives the JSON object of the answer.
AskToken = Callable[[str, Mapping[str, str], bool], Mapping[str, Any]]


class Login(Protocol):
    """A kind of login."""

    def header(self, ask_token: AskToken) -> Mapping[str, str]:
        """The header that says who asks, by its name.

        Args:
            ask_token: Asks the vendor for a token, where the kind of login needs one.
        """

    def renew(self) -> bool:
        """The header was refused: whether another is to be had, which the next call of `header` then gives."""


@dataclass(frozen=True)
class Basic:
    """A user name and a password, or what a vendor takes in their place."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    def header(self, ask_token: AskToken) -> Mapping[str, str]:
        """As `Login.header`."""
        return {"Authorization": f"Basic {b64encode(f'{self.user}:{self.password}'.encode()).decode()}"}

    def renew(self) -> bool:
        """As `Login.renew`."""
        return False


@dataclass(frozen=True)
class Bearer:
    """A token that is sent as it is."""

    token: str = field(repr=False)

    def header(self, ask_token: AskToken) -> Mapping[str, str]:
        """As `Login.header`."""
        return {"Authorization": f"Bearer {self.token}"}

    def renew(self) -> bool:
        """As `Login.renew`."""
        return False


@dataclass(frozen=True)
class OwnHeader:
    """A token in a header of the vendor's own."""

    name: str
    token: str = field(repr=False)

    def header(self, ask_token: AskToken) -> Mapping[str, str]:
        """As `Login.header`."""
        return {self.name: self.token}

    def renew(self) -> bool:
        """As `Login.renew`."""
        return False


@dataclass
class ClientCredentials:
    """OAuth 2.0 client credentials: a token is asked for, and again when it is no longer taken.

    Attributes:
        path: Where on the vendor's host tokens are given.
        scope: What the token is to be good for; None: the vendor knows it.
        client_id: The client.
        client_secret: Its secret.
        is_form: It is asked for with a form, as the standard says, and not with a JSON object.
    """

    path: str
    scope: str | None
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    is_form: bool = True
    _token: str | None = field(default=None, init=False, repr=False)
    _is_fresh: bool = field(default=False, init=False, repr=False)

    def header(self, ask_token: AskToken) -> Mapping[str, str]:
        """As `Login.header`.

        Raises:
            KeyError: The vendor's answer holds no token.
        """
        if self._token is None:
            said = {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                **({"scope": self.scope} if self.scope else {}),
            }
            answer = ask_token(self.path, said, self.is_form)
            self._token, self._is_fresh = str(answer["access_token"]), True
        else:
            self._is_fresh = False
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """As `Login.renew`; a token that was given just now and is refused is not asked for again."""
        if self._is_fresh:
            return False
        self._token = None
        return True

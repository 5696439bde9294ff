"""The broker for a machine without Mosquitto: amqtt (pure Python, MQTT 3.1.1), with our users and rights.

Run as a child: `python -m deploy.amqtt_broker PORT CREDENTIALS`. amqtt 0.12 hands every client the retained
messages of everyone's subscriptions, and publishes wills unasked; both are held to the rights here.
"""

import asyncio
import logging
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from deploy import acl, credentials
from deploy.children import version
from deploy.credentials import Credential

_OWNER = "owner"  # the session attribute that names whose session it is


class UsersPlugin(BaseAuthPlugin):
    """Lets in whom the credentials file names, as soon as it names them."""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._path = Path(self._get_config_option("credentials"))
        self._users: dict[str, Credential] = {}
        self._version = (0, 0)

    async def authenticate(self, *, session: Session) -> bool:
        user = session.username or ""
        credential = self._known().get(user)
        if credential is None or not credential.matches(session.password or ""):
            return False
        if session.will_flag and not acl.may_publish(user, session.will_topic or ""):
            return False
        # A client may take up an earlier session by its id, but not another user's.
        return bool(session.attributes.setdefault(_OWNER, user) == user)

    def _known(self) -> dict[str, Credential]:
        seen = version(self._path)
        if seen != self._version:
            self._users, self._version = credentials.read(self._path), seen
        return self._users

    @dataclass
    class Config:
        """Where the credentials file is."""

        credentials: str = ""


class RightsPlugin(BaseTopicPlugin):
    """Holds every publish, subscription and delivery to the rights of its user."""

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        user = (session and session.username) or ""
        allowed = acl.may_publish if action == Action.PUBLISH else acl.may_read
        return allowed(user, topic or "")


class LedgerBroker(Broker):
    """amqtt's broker, which sends retained messages only to who subscribed to them and may read them."""

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        subscribed = self._subscriptions.get(subscription[0], [])
        granted = [qos for subscriber, qos in subscribed if subscriber is session]
        if granted and acl.may_read(session.username or "", subscription[0]):
            await super()._publish_retained_messages_for_subscription((subscription[0], granted[0]), session)


def configuration(port: int, credentials_path: str) -> dict[str, Any]:
    """amqtt's configuration: loopback only, our two plugins and none of its own."""
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {
            f"{UsersPlugin.__module__}.UsersPlugin": {"credentials": credentials_path},
            f"{RightsPlugin.__module__}.RightsPlugin": {},
        },
    }


async def serve(port: int, credentials_path: str) -> None:
    """Run the broker until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    broker = LedgerBroker(configuration(port, credentials_path))
    await broker.start()
    await stop.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("transitions").setLevel(logging.ERROR)
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))

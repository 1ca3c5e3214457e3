"""mosquitto, a broker of MQTT."""

from __future__ import annotations

import threading
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from . import Server, free_port
from .debian import libraries, unpacked


class Mosquitto(Server):
    def __init__(self, folder: Path) -> None:
        program, port = unpacked("usr/sbin/mosquitto"), free_port()
        self.address = f"127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "mosquitto.conf"
        settings.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
            f"persistence true\npersistence_location {folder}/\n"
        )
        super().__init__([program, "-c", str(settings)], port, folder, libraries())


class Subscriber:
    """Collects what comes; its session outlives the broker and the connection."""

    def __init__(self, broker: Mosquitto, topic: str) -> None:
        self.messages: list[bytes] = []
        subscribed = threading.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"reader-{topic}", clean_session=False
        )
        self._client.on_message = lambda *arguments: self.messages.append(arguments[2].payload)
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_connect = lambda *_: self._client.subscribe(topic, 1)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert subscribed.wait(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

"""nginx and Traefik in front, with the files of `deploy/`: TLS, WebSockets, streams, sizes, forwarded headers."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from example_server import ROOT
from services import free_port, program
from serving import serving
from websockets.sync.client import connect

DEPLOY = ROOT / "deploy"
NAME = "shop.example.com"
CERTIFICATES = "/etc/ssl/shop.example.com"
MEBIBYTE = 2**20


@dataclass(frozen=True)
class Ports:
    """Where the proxy and the application listen."""

    plain: int
    secure: int
    application: int


@dataclass(frozen=True)
class Front:
    """A running proxy."""

    kind: str
    ports: Ports
    trust: ssl.SSLContext

    def client(self) -> httpx2.Client:
        """A client that finds the shop's name on this machine."""
        headers = {"Host": NAME}
        return httpx2.Client(
            base_url=f"https://localhost:{self.ports.secure}", verify=self.trust, headers=headers, timeout=60
        )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for the shop's name and for this machine."""
    folder = tmp_path_factory.mktemp("certificates")
    names = f"subjectAltName=DNS:{NAME},DNS:localhost"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}"]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem"), "-addext", names]
    subprocess.run([*request, *files], check=True, capture_output=True)
    return folder


def nginx(folder: Path, ports: Ports, certificates: Path) -> list[str]:
    """Writes the configuration around `deploy/nginx/store.conf`, with ports of our own; returns the command."""
    text = (DEPLOY / "nginx" / "store.conf").read_text()
    text = text.replace(CERTIFICATES, str(certificates)).replace("listen 80;", f"listen 127.0.0.1:{ports.plain};")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{ports.secure} ssl;")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{ports.application}")
    (folder / "store.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    # Its workers would otherwise be another user, who may not write below this folder.
    user = "user root;" if os.geteuid() == 0 else ""
    around = f"""
        {user} daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
        events {{ worker_connections 256; }}
        http {{ access_log off; {temporary} include {folder}/store.conf; }}
    """
    (folder / "nginx.conf").write_text(around)
    subprocess.run([program("nginx"), "-t", "-q", "-c", f"{folder}/nginx.conf"], check=True)
    return [program("nginx"), "-c", f"{folder}/nginx.conf"]


def traefik(folder: Path, ports: Ports, certificates: Path) -> list[str]:
    """Writes `deploy/traefik` with ports of our own; returns the command."""
    static = (DEPLOY / "traefik" / "traefik.yaml").read_text()
    static = static.replace('":80"', f'"127.0.0.1:{ports.plain}"').replace('":443"', f'"127.0.0.1:{ports.secure}"')
    static = static.replace("/etc/traefik/store.yaml", f"{folder}/store.yaml")
    dynamic = (DEPLOY / "traefik" / "store.yaml").read_text().replace(CERTIFICATES, str(certificates))
    dynamic = dynamic.replace("127.0.0.1:8000", f"127.0.0.1:{ports.application}").replace("/health/ready", "/who")
    (folder / "traefik.yaml").write_text(static)
    (folder / "store.yaml").write_text(dynamic)
    return [str(Path(sys.executable).with_name("traefik")), f"--configfile={folder}/traefik.yaml"]


PROXIES: dict[str, Callable[[Path, Ports, Path], list[str]]] = {"nginx": nginx, "traefik": traefik}


@contextmanager
def fronted(kind: str, folder: Path, certificates: Path) -> Iterator[Front]:
    """Runs the probe and a proxy in front of it."""
    ports = Ports(free_port(), free_port(), free_port())
    trust = ssl.create_default_context(cafile=certificates / "fullchain.pem")
    probe = [sys.executable, "-m", "uvicorn", "tests.deployment.probe:app", "--port", str(ports.application)]
    with (
        serving([*probe, "--http", "ferrapi.server:HttpProtocol"], f"http://127.0.0.1:{ports.application}/who"),
        serving(PROXIES[kind](folder, ports, certificates), f"https://localhost:{ports.secure}/", verify=trust),
    ):
        front = Front(kind, ports, trust)
        with front.client() as client:
            while client.get("/who").status_code in {404, 502, 503}:  # Traefik reads its file after it listens
                pass
        yield front


@pytest.fixture(scope="module", params=list(PROXIES))
def front(
    request: pytest.FixtureRequest, certificates: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """A proxy in front of the probe."""
    with fronted(request.param, tmp_path_factory.mktemp(request.param), certificates) as front:
        yield front


def test_plain_http_is_sent_to_tls(front: Front) -> None:
    answer = httpx2.get(f"http://127.0.0.1:{front.ports.plain}/who?a=1", headers={"Host": NAME})
    assert answer.status_code in {301, 308}
    assert answer.headers["Location"].startswith(f"https://{NAME}")
    assert answer.headers["Location"].endswith("/who?a=1")


def test_the_application_knows_who_asked_and_for_what(front: Front) -> None:
    with front.client() as client:
        honest = client.get("/who?a=%20b").json()
        lying = client.get("/who", headers={"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}).json()
    assert honest == {"client": "127.0.0.1", "url": f"https://{NAME}/who?a=%20b"}
    assert lying == {"client": "127.0.0.1", "url": f"https://{NAME}/who"}


def test_websockets_go_through(front: Front) -> None:
    there = socket.create_connection(("127.0.0.1", front.ports.secure))
    with connect(f"wss://{NAME}/echo", sock=there, ssl=front.trust, proxy=None) as echo:
        echo.send("a text")
        assert echo.recv() == "wss: a text"


def test_an_event_goes_out_when_it_happens(front: Front) -> None:
    with front.client() as client, front.client() as another:
        with client.stream("GET", "/events") as answer:
            lines = answer.iter_lines()
            assert next(line for line in lines if line) == 'data: "first"'
            # The second event is waited for only now: the first one was not kept back for it.
            assert another.post("/release").status_code == 200
            assert next(line for line in lines if line) == 'data: "second"'


def test_bodies_have_their_size(front: Front) -> None:
    with front.client() as client:
        assert client.post("/size", content=b"x" * (9 * MEBIBYTE)).json() == 9 * MEBIBYTE
        large = client.post("/size", content=b"x" * (11 * MEBIBYTE))
    assert large.status_code == (413 if front.kind == "nginx" else 200)


def test_what_is_for_machines_inside_is_kept_there(front: Front) -> None:
    with front.client() as client:
        # The probe has no such route: from this machine nginx lets it through, Traefik never does.
        assert client.get("/metrics").status_code == 404

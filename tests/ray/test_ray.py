"""The store on a local cluster of Ray Serve: two replicas under load, one is killed, and nothing else is lost."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

if "FERRAPI_RAY" not in os.environ:
    pytest.skip("`make ray` runs this: ray is large", allow_module_level=True)

import httpx2

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "examples")]

import ray  # noqa: E402  # needs the path above
from ray import serve  # noqa: E402
from services import free_port  # noqa: E402
from store_client import DENVER, TEN_LINES, order, sample_data  # noqa: E402

CLIENTS = 8
AFTER = 40
"""Orders that each client places after the replica was killed."""
SECRET = "a secret that both replicas know of"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of the store on a cluster of its own."""
    file = tmp_path_factory.mktemp("ray") / "shop.sqlite3"
    file.write_bytes(sample_data())
    settings = {"DATABASE_URL": f"sqlite:///{file}", "TOKEN_SECRET": SECRET, "RATE_LIMIT": "", "LOGIN_RATE_LIMIT": ""}
    variables = {f"STORE_{name}": value for name, value in settings.items()}
    variables["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    port = free_port()
    ray.init(num_cpus=4, include_dashboard=False, runtime_env={"env_vars": variables}, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    try:
        from deploy.ray.store import store

        serve.run(store, route_prefix="/")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        serve.shutdown()
        ray.shutdown()


def replicas() -> list[int]:
    """The processes of the store's replicas."""
    found = subprocess.run(["pgrep", "-f", "^ray::ServeReplica:default:Store"], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def test_a_killed_replica_loses_what_it_had_in_flight_and_nothing_else(client: httpx2.Client) -> None:
    form = {"username": DENVER, "password": "brilliant-cut"}
    headers = {"Authorization": f"Bearer {client.post('/login', data=form).json()['access_token']}"}
    price = client.get("/products/ID-D-VS2-050").json()["price"]
    cheap = [{**TEN_LINES["lines"][0], "sku": "ID-D-VS2-050", "unit_price": price, "quantity": 1}]
    placed: list[str] = []
    lost: list[Any] = []
    killed = threading.Event()

    def buy(_number: int) -> None:
        left = AFTER
        while left:
            left -= killed.is_set()
            body = order(cheap)
            try:
                answer = client.post("/v2/orders", json=body, headers=headers)
            except httpx2.TransportError as error:
                lost.append(error)
                continue
            if answer.status_code == 201:
                placed.append(body["reference"])
            elif answer.status_code != 409:  # sold out is an answer, too
                lost.append((answer.status_code, answer.text))

    before = replicas()
    assert len(before) == 2
    with ThreadPoolExecutor(CLIENTS) as pool:
        buying = [pool.submit(buy, number) for number in range(CLIENTS)]
        while len(placed) < CLIENTS * 2:
            time.sleep(0.05)
        os.kill(before[0], signal.SIGKILL)
        killed.set()
        for future in buying:
            future.result()
    assert len(lost) <= CLIENTS, lost
    kept: set[str] = set()
    path = "/v2/orders?limit=100"
    while path:
        page = client.get(path, headers=headers).json()
        kept |= {entry["reference"] for entry in page["items"]}
        path = page["next"]
    assert set(placed) <= kept
    while len(now := replicas()) < 2 or before[0] in now:
        time.sleep(0.2)


def test_methods_of_a_deployment_are_routes_of_ferrapi(tmp_path: Path) -> None:
    """In a process of its own: `fastapi` is ferrapi in all of this cluster's processes."""
    script = f"""
import ray, httpx2
from ray import serve
ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
serve.start(http_options={{"host": "127.0.0.1", "port": {(port := free_port())}}})
from deploy.ray.views import counters
serve.run(counters, route_prefix="/shop")
client = httpx2.Client(base_url="http://127.0.0.1:{port}/shop", timeout=60)
answers = [client.get("/counts/a", params={{"step": 2}}).json() for _ in range(20)]
print("SAID", max(answer["asked"] for answer in answers) < 40, {{answer["served_by"] for answer in answers}})
print("SAID", client.get("/counts/a?step=x").json()["detail"][0]["type"])
print("SAID", client.get("/openapi.json").json()["info"]["title"], client.get("/docs").status_code)
serve.shutdown(); ray.shutdown()
"""
    path = [str(ROOT / "deploy/ray/as_fastapi"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    said = [line.removeprefix("SAID ") for line in done.stdout.splitlines() if line.startswith("SAID ")]
    assert said == ["True {'ferrapi.applications'}", "int_parsing", "Counters 200"]

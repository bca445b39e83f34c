"""
The files of deploy/ work: the image's command, the proxy with TLS, the unit of systemd.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from click.testing import CliRunner

from aim.cli.main import aim
from aim.core.addresses import server_address
from aim.sdk.run import Run
from aim.server.people import PeopleSettings, read_proxy
from aim.server.settings import Settings, auth_folder
from aim.server.tokens import TokenFile
from tests.cli.certificate import make_certificate
from tests.machine import lacks
from tests.ports import own_port
from tests.server.conftest import RunningServer
from tests.tidy.tree import ROOT

DEPLOY = ROOT / "deploy"
WAIT_S = 60
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
IMAGE_USER = 10_001


def wait_for(address: str, client: httpx.Client) -> None:
    """Wait until something answers there."""
    until_s = time.monotonic() + WAIT_S
    while True:
        try:
            client.get(address)
        except httpx.TransportError:
            assert time.monotonic() < until_s, f"nothing answers at {address}"
            time.sleep(0.05)
        else:
            return


def instructions() -> dict[str, list[str]]:
    """Return the arguments of each kind of instruction in the last stage of the Dockerfile."""
    text = (DEPLOY / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    listed: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        word, _, arguments = line.partition(" ")
        listed.setdefault(word, []).append(arguments)
    return listed


def may_run_as(user: int) -> bool:
    """Return whether that user may run this Python, which may lie in somebody's home."""
    try:
        return subprocess.run([sys.executable, "-c", "import aim"], user=user, group=user, check=False).returncode == 0
    except PermissionError:
        return False


@contextmanager
def container(data: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """Run what the image runs, as its user if we may, with *data* in the place of /data."""
    given = instructions()
    command = [*json.loads(given["ENTRYPOINT"][0]), *json.loads(given["CMD"][0])]
    assert "aim" == command[0]
    words = [sys.executable, "-m", "aim.cli", *(str(data) if word == "/data" else word for word in command[1:])]
    user = IMAGE_USER if os.getuid() == 0 and may_run_as(IMAGE_USER) else None
    if user is not None:
        os.chown(data, user, user)
    process = subprocess.Popen(
        [*words, "-p", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=user,
        group=user,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": "/tmp"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_what_the_image_runs_is_healthy_and_stops() -> None:
    """
    Its user is not root, it needs nothing but its volume, and its check of health passes; SIGTERM ends it.
    """
    given = instructions()
    assert (["aim"], ['["/data"]']) == (given["USER"], given["VOLUME"])
    assert f"--uid {IMAGE_USER} " in (DEPLOY / "Dockerfile").read_text()
    data = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    port = own_port()
    try:
        with container(data, port) as process, httpx.Client() as client:
            wait_for(f"http://127.0.0.1:{port}/healthz", client)
            check = json.loads(given["HEALTHCHECK"][0].partition(" CMD ")[2])
            words = [sys.executable if word == "python" else word.replace("53800", str(port)) for word in check]
            assert 0 == subprocess.run(words, timeout=WAIT_S, check=False).returncode
            assert 401 == client.get(f"http://127.0.0.1:{port}/api/info").status_code
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=WAIT_S) in (0, -signal.SIGTERM)
            assert process.stdout is not None
            printed = process.stdout.read()
            assert "?token=" in printed  # the way in, as long as nobody has made a token
            assert '"path": "/healthz", "status": 200' in printed
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[tuple[str, str]]:
    """Run nginx with deploy/nginx.conf; yield its addresses over HTTPS and HTTP. Only addresses and paths differ."""
    assert NGINX is not None
    for made, name in zip(make_certificate(folder), ("fullchain.pem", "privkey.pem")):
        made.rename(folder / name)
    secure, plain = own_port(), own_port()
    text = (DEPLOY / "nginx.conf").read_text()
    for before, after in (
        ("listen 443 ssl", f"listen 127.0.0.1:{secure} ssl"),
        ("listen 80", f"listen 127.0.0.1:{plain}"),
        ("server aim:53800", f"server {upstream}"),
        ("/etc/nginx/certificates", str(folder)),
        ("/dev/stdout", str(folder / "access.log")),
        ("/dev/stderr", str(folder / "error.log")),
    ):
        assert before in text
        text = text.replace(before, after)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = f"daemon off; pid {folder}/pid;\n" + text.replace("http {", f"http {{ {temporary}", 1)
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen([NGINX, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])
    try:
        yield f"https://127.0.0.1:{secure}/", f"http://127.0.0.1:{plain}/"
    finally:
        process.terminate()
        process.wait(timeout=WAIT_S)


def test_the_proxy_adds_tls_and_holds_nothing_back(tmp_path: Path) -> None:
    """
    A token signs in over HTTPS with a secure cookie; a change is told at once; wrong tokens are counted by the address
    of the client; no token comes into the proxy's log.
    """
    if NGINX is None:
        lacks("there is no nginx: scripts/find-nginx installs it")
    root = tmp_path / "vision"
    run = Run("a", repo=str(root), system_tracking_interval=None, capture_terminal_logs=False, create=True)
    run.track(1.0, name="loss")
    auth = auth_folder(tmp_path, ())
    text = TokenFile(auth).create("me", "editor", ["*"], None)
    people = PeopleSettings(trusted_proxies=(read_proxy("127.0.0.1"),))
    server = RunningServer(Settings((), port=0, project_root=tmp_path, auth=auth, people=people))
    folder = tmp_path / "nginx"
    folder.mkdir()
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    try:
        with (
            nginx(folder, server.address.split("/")[2]) as (secure, plain),
            httpx.Client(verify=trusting, timeout=WAIT_S) as client,
        ):
            wait_for(secure, client)
            assert "https://127.0.0.1/runs" == client.get(f"{plain}runs").headers["location"]
            assert 401 == client.get(f"{secure}api/info").status_code
            assert "Secure" in client.get(f"{secure}runs?token={text}").headers["set-cookie"]
            assert "me" == client.get(f"{secure}api/info").json()["you"]["name"]
            with client.stream("GET", f"{secure}api/repos/vision/events") as stream:
                lines = stream.iter_lines()
                assert ": hello" == next(lines)
                change = {"runs": ["a"], "change": {"name": "x"}}
                origin = {"Origin": secure.rstrip("/")}
                sent = client.post(f"{secure}api/repos/vision/edits", json=change, headers=origin)
                assert 200 == sent.status_code
                cursor = sent.json()["cursor"]
                assert any(line == f"id: {cursor}" for line in lines)
            assert 413 == client.post(f"{secure}api/repos/vision/runs", json={"query": "x" * (3 << 20)}).status_code
            client.cookies.clear()
            for number in range(10):
                client.get(f"{secure}api/info", headers={"Authorization": f"Bearer {number}"})
            assert 429 == client.get(f"{secure}api/info", headers={"Authorization": "Bearer x"}).status_code
        logged = (folder / "access.log").read_text() + (folder / "error.log").read_text()
        assert "/runs" in logged
        assert text not in logged
    finally:
        run.close()
        assert server.stop()


def test_the_unit_starts_what_the_program_takes(tmp_path: Path) -> None:
    """
    The command of the unit has options that there are, and systemd finds no fault with the unit.
    """
    text = (DEPLOY / "aim.service").read_text()
    command = shlex.split(re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)[0])
    result = CliRunner().invoke(aim, [*command[1:], "--help"])
    assert 0 == result.exit_code
    for option in (word for word in command if word.startswith("--")):
        assert option in result.output
    if shutil.which("systemd-analyze") is None:
        return
    unit = tmp_path / "aim.service"
    unit.write_text(text.replace("/opt/aim/bin/aim", "/bin/true").replace("User=aim", "User=root"))
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert [] == [line for line in checked.stderr.splitlines() if "aim.service" in line]


def test_the_compose_file_names_files_that_there_are() -> None:
    """
    It builds the Dockerfile of this folder, gives nginx its configuration, and lets only nginx be reached.
    """
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

    assert "deploy/Dockerfile" == services["aim"]["build"]["dockerfile"]
    assert (DEPLOY / "nginx.conf").is_file()
    assert "./nginx.conf:/etc/nginx/nginx.conf:ro" in services["nginx"]["volumes"]
    assert ("ports" in services["nginx"], "ports" in services["aim"]) == (True, False)


def manifests(name: str) -> dict[str, Any]:
    """Return the objects of a manifest of Kubernetes, by their kind."""
    return {item["kind"]: item for item in yaml.safe_load_all((DEPLOY / name).read_text())}


def test_the_manifests_of_kubernetes_fit_the_image_and_each_other() -> None:
    """
    The pod has the image's user, port, volume and check of health; service and ingress lead to it.
    """
    listed, image = manifests("kubernetes.yaml"), instructions()
    pod = listed["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    port = int(image["EXPOSE"][0])

    assert {IMAGE_USER} == {pod["spec"]["securityContext"][name] for name in ("runAsUser", "runAsGroup", "fsGroup")}
    assert [port] == [entry["containerPort"] for entry in container["ports"]]
    checks = [container[name]["httpGet"] for name in ("readinessProbe", "livenessProbe")]
    assert [{"path": "/healthz", "port": port}] * 2 == checks
    assert "/healthz" in image["HEALTHCHECK"][0]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert ({"data": "/data", "tmp": "/tmp"}, ["/data"]) == (mounts, json.loads(image["VOLUME"][0]))
    claims = {volume["name"]: volume.get("persistentVolumeClaim") for volume in pod["spec"]["volumes"]}
    assert {"claimName": listed["PersistentVolumeClaim"]["metadata"]["name"]} == claims["data"]
    service = listed["Service"]
    assert pod["metadata"]["labels"] == service["spec"]["selector"]
    (rule,) = listed["Ingress"]["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert (service["metadata"]["name"], {"number": port}) == (backend["name"], backend["port"])


def test_the_job_of_kubernetes_records_to_that_server() -> None:
    """
    Its address is the service's, at the port that an address has by itself, and its spool is a volume.
    """
    (container,) = manifests("kubernetes-job.yaml")["Job"]["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry.get("value") for entry in container["env"]}
    address = server_address(variables["AIM_REPO"])
    service = manifests("kubernetes.yaml")["Service"]

    assert (service["metadata"]["name"], service["spec"]["ports"][0]["port"]) == (address.host, address.port)
    assert [variables["AIM_SPOOL"]] == [mount["mountPath"] for mount in container["volumeMounts"]]
    assert {"AIM_TOKEN", "JOB_NAME"} <= set(variables)

"""compose.yaml, Dockerfile and deploy/secrets.sh: what they say agrees with marca and with one another; and the fleet that
they describe runs, with processes where the containers would be."""
import contextlib
import datetime
import fnmatch
import ipaddress
import os
import pathlib
import re
import shlex
import shutil
import ssl
import socket
import subprocess
import tempfile

import pytest
import yaml

import gateway
import harness

ROOT = harness.ROOT
SERVICES = {"tenant": {"tenant", "audit"}, "user": {"user"}, "resource": {"resource"}, "booking": {"booking"}}


def filled(value, variables):
    """${NAME:-default} and ${NAME:?error} as compose fills them."""
    if isinstance(value, dict):
        return {key: filled(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, variables) for inner in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", lambda m: variables.get(m[1]) or (m[3] if m[2] == "-" else m[0]), value)
    return value


RAW = yaml.safe_load((ROOT / "compose.yaml").read_text())
COMPOSE = filled(RAW, {"MARCA_GID": "1000"})
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def services(prefix=""):
    return {name: service for name, service in COMPOSE["services"].items() if name.startswith(prefix)}


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text)[1])


@pytest.fixture(scope="module")
def secrets():
    path = pathlib.Path(tempfile.mkdtemp(prefix="marca-secrets-"))
    subprocess.run([ROOT / "deploy/secrets.sh", path], check=True, capture_output=True)
    yield path
    shutil.rmtree(path)


# --- What it says ---------------------------------------------------------------------------


def test_no_variable_is_misspelt():
    known = harness.settings()
    for name in SERVICES:
        strange = COMPOSE["services"][name]["environment"].keys() - known
        assert not strange, f"{name}: marca knows no {strange}"
    assert "TENANT_DATABASE_URL_FILE" in known and "TENANT_DATABASE_URL_FIEL" not in known
    fleet = (ROOT / "deploy/compose/env").read_text()
    wanted = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    told = set(re.findall(r"^#(\w+)=", fleet, re.M)) | {"MARCA_GID"}
    assert wanted == told, "deploy/compose/env tells other variables than compose.yaml reads"
    for name, default in re.findall(r"^#(\w+)=(.*)$", fleet, re.M):
        assert f"${{{name}:-{default}}}" in (ROOT / "compose.yaml").read_text(), f"{name} has another default"


def test_every_service_is_somewhere_and_found():
    assert {name: set(services()[name]["environment"]["MARCA_SERVICE"].split(",")) for name in SERVICES} == SERVICES
    for name in SERVICES:
        environment = services()[name]["environment"]
        for neighbour in SERVICES:
            url = environment[f"{neighbour.upper()}_SERVICE_URL"]
            assert url == f"http://{neighbour}:{services()[neighbour]['environment']['MARCA_LISTEN'].rpartition(':')[2]}"
    for host, port in set(re.findall(r"server (\w+):(\d+);", (gateway.NGINX / "upstreams.conf").read_text())):
        assert services()[host]["environment"]["MARCA_LISTEN"] == f"0.0.0.0:{port}"


def test_the_gateway_is_the_proxy_that_is_trusted():
    address = services()["gateway"]["networks"]["front"]["ipv4_address"]
    assert {services()[name]["environment"]["TRUSTED_PROXIES"] for name in SERVICES} == {address}
    assert ipaddress.ip_address(address) in ipaddress.ip_network(COMPOSE["networks"]["front"]["ipam"]["config"][0]["subnet"])
    listen = re.findall(r"^listen (\d+) ", (gateway.NGINX / "site.conf").read_text(), re.M)
    assert [port.rpartition(":")[2] for port in services()["gateway"]["ports"]] == listen
    assert services()["gateway"]["ports"] == ["127.0.0.1:8000:8000"], "strangers reach it as it is delivered"


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_container_can_do_little(name):
    service = services()[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"] and "privileged" not in service
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), "a name, or root"
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert seconds(service["stop_grace_period"]) > 10, "MARCA_DRAIN_SECONDS"
    assert not any(volume.startswith(("/", ".")) for volume in service.get("volumes", [])), "a folder of the host"


def test_who_waits_for_whom_can_know():
    for name, service in services().items():
        for other in service.get("depends_on", {}):
            healthy = "healthcheck" in services()[other]
            assert healthy, f"{name} waits for {other}, which never says that it is well"
    assert services()["gateway"]["depends_on"].keys() == SERVICES.keys()


def test_the_readme_names_what_there_is():
    """Its commands for Docker: the service, and the command of marca that is run in it."""
    text = (ROOT / "deploy/README.md").read_text()
    commands = subprocess.run([harness.binary(), "help"], capture_output=True, text=True, check=True).stdout
    used = re.findall(r"docker compose (?:exec|run --rm|logs -f) (\S+)(?: /usr/bin/marca| (?=migrate))?(?: (\w+))?", text)
    assert len(used) >= 5 and {name for name, _ in used} <= COMPOSE["services"].keys()
    assert all(re.search(rf"^  {word} ", commands, re.M) for name, word in used if name in SERVICES and word)


def test_a_database_belongs_to_one_service():
    users = {}
    for name, service in services().items():
        for volume in service.get("volumes", []):
            users.setdefault(volume.partition(":")[0], set()).add(name)
    assert users.keys() == COMPOSE["volumes"].keys()
    for name in SERVICES:
        assert users[f"{name}-socket"] == {name, f"postgres-{name}"} and users[f"{name}-data"] == {f"postgres-{name}"}
        assert services()[f"postgres-{name}"]["network_mode"] == "none"
    assert users["keys"] == {"user"}


def test_secrets_are_made_and_given_to_who_needs_them(secrets):
    made = {path.name for path in secrets.iterdir()}
    files = {name: pathlib.PurePath(entry["file"]) for name, entry in COMPOSE["secrets"].items()}
    assert all(str(path.parent) == "deploy/compose/secrets" and path.name == name for name, path in files.items())
    assert files.keys() == made - {"redis_password"}
    for name, service in services().items():
        given = set(service.get("secrets", []))
        named = set(re.findall(r"/run/secrets/(\w+)", str({key: service.get(key) for key in ("environment", "command", "healthcheck")})))
        assert given == named, f"{name} is given {given}, and reads {named}"
    ignored = subprocess.run(["git", "-C", ROOT, "check-ignore", ".env", "deploy/compose/secrets/service_key"], capture_output=True, text=True, check=False)
    assert ignored.stdout.split() == [".env", "deploy/compose/secrets/service_key"]


def test_secrets_are_made_once(secrets):
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    done = subprocess.run([ROOT / "deploy/secrets.sh", secrets], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == ""
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before
    assert all(path.stat().st_mode & 0o777 == 0o440 for path in secrets.iterdir()) and secrets.stat().st_mode & 0o777 == 0o700
    values = [before[name] for name in before if name.endswith(("password", "key", "token")) and name != "redis_key"]
    assert len(set(values)) == len(values) == 7 and all(len(value) == 64 for value in values)


def built():
    """The build directory of the marca under test, which may be run by way of a script beneath it (scripts/coverage)."""
    folder = harness.binary().parent
    return folder if (folder / "build.ninja").exists() else folder.parent


# --- The image --------------------------------------------------------------------------------


def stages():
    """A stage's name to its lines."""
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    return {name: body for name, body in re.findall(r"^FROM debian:12-slim AS (\w+)\n(.*?)(?=^FROM|\Z)", joined, re.M | re.S)}


def test_the_image_holds_what_marca_is_linked_to():
    told = subprocess.run(["readelf", "-d", built() / "marca"], capture_output=True, text=True, check=True).stdout
    wanted = set(re.findall(r"NEEDED.*\[(lib\S+)\]", told)) - {"libc.so.6", "libm.so.6"}
    listed = re.search(r"--no-install-recommends (.*?) &&", stages()["marca"])[1].split()
    held = subprocess.run(["dpkg", "-L", *(name for name in listed if name.startswith("lib"))], capture_output=True, text=True, check=True).stdout
    lacking = {name for name in wanted if not re.search(rf"/{re.escape(name)}$", held, re.M)}
    sanitizers = {name for name in wanted if "san" in name} | {"libgcc_s.so.1"}
    assert wanted - sanitizers and not lacking - sanitizers
    assert {"tzdata", "ca-certificates"} <= set(listed)


@pytest.mark.parametrize("name", ["marca", "gateway"])
def test_the_image_is_small_and_runs_as_nobody(name):
    body = stages()[name]
    assert re.search(r"^USER 10001:10001$", body, re.M) and body.index("USER") < body.index("ENTRYPOINT")
    assert re.search(r'^ENTRYPOINT \["/', body, re.M) and re.search(r'^HEALTHCHECK .*CMD \["/', body, re.M)
    assert "--no-install-recommends" in body and "rm -rf /var/lib/apt/lists/*" in body and "ADD" not in body
    assert services()[{"marca": "tenant"}.get(name, name)]["build"] == {"context": ".", "target": name}


def test_paths_and_ports_agree():
    entry = re.search(r'^ENTRYPOINT \["(\S+?)"\]$', stages()["marca"], re.M)[1]
    assert f"COPY --from=build /out/marca {entry}" in stages()["marca"]
    assert services()["tenant"]["healthcheck"]["test"][1] == entry
    ports = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.M)
    assert set(ports) == {"8000"} and "MARCA_LISTEN=0.0.0.0:8000" in stages()["marca"]
    assert "COPY deploy/nginx /etc/marca-gateway\n" in stages()["gateway"] and '"/etc/marca-gateway/nginx.conf"' in stages()["gateway"]
    assert services()["gateway"]["tmpfs"][0].startswith("/run/gateway:") and '"-p", "/run/gateway"' in stages()["gateway"]


def kept(path, lines):
    """Does .dockerignore leave that file in? The last line that fits decides; one that fits a folder fits what is in it."""
    found = True
    for line in lines:
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = path.split("/")
        fits = [fnmatch.fnmatch("/".join(parts[:i + 1]), pattern) for i in range(len(parts))]
        if any(fits) or (line.startswith("**/") and any(fnmatch.fnmatch(part, pattern) for part in parts)):
            found = line.startswith("!")
    return found


def test_the_build_sees_what_it_needs_and_no_more():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    tracked = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=True).stdout.split()
    build = built()
    inputs = subprocess.run(["ninja", "-C", build, "-t", "inputs", "marca"], capture_output=True, text=True, check=True).stdout
    headers = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    ours = {os.path.relpath((build / line.strip()).resolve(), ROOT) for line in (inputs + headers).splitlines() if ".." in line}
    # Written in meson.build files, which meson itself reads.
    needed = {path for path in tracked if path in ours or re.search(r"(^|/)meson(\.build|_options\.txt)$", path)} | {"scripts/setup", "scripts/build"}
    assert len(needed) > 300
    assert [path for path in needed if not kept(path, lines) and not path.startswith("tests/")] == []
    for path in (".env", "data/marca.db", ".git/config", "deploy/compose/secrets/service_key", "tools/npm/node_modules/x", "build/marca"):
        assert not kept(path, lines), path


# --- It runs ---------------------------------------------------------------------------------------


def postgres_bin():
    return sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]


class Processes:
    """The containers of compose.yaml as processes: same commands, same environment, other folders and ports."""

    def __init__(self, secrets, stack):
        self.stack = stack
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marca-compose-")))
        self.folder.chmod(0o711)
        self.secrets = secrets
        self.ports = {name: harness.free_port() for name in (*SERVICES, "redis")}
        self.processes = {}

    def here(self, text):
        """The same with where it is here."""
        text = text.replace("/run/secrets", str(self.secrets))
        text = re.sub(r"//(tenant|user|resource|booking):8000", lambda m: f"//127.0.0.1:{self.ports[m[1]]}", text)
        return text

    def spawn(self, name, command, environment=None, **options):
        log = open(self.folder / f"{name}.log", "wb")
        self.stack.callback(log.close)
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)
        self.stack.callback(process.wait, harness.STOP_SECONDS)
        self.stack.callback(process.terminate)
        self.processes[name] = process

    def await_(self, name, check):
        def ended():
            assert self.processes[name].poll() is None, (self.folder / f"{name}.log").read_text()[-3000:]
            return check()
        harness.until(f"{name} is ready", ended)

    def postgres(self):
        """As the image's entrypoint does it, each superuser with his password and database; but all in one cluster, for speed."""
        base, socket_folder = self.folder / "postgres", self.folder / "postgres/socket"
        socket_folder.mkdir(parents=True)
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        if user:
            for path in (base, socket_folder):
                shutil.chown(path, "postgres")
        (command,) = {tuple(services()[f"postgres-{name}"]["command"]) for name in SERVICES}
        (arguments,) = {services()[f"postgres-{name}"]["environment"]["POSTGRES_INITDB_ARGS"] for name in SERVICES}
        subprocess.run([postgres_bin() / "initdb", "-D", base / "data", "-U", "postgres", "--no-sync", "--auth-host=scram-sha-256",
                        "--pwfile=/etc/hostname", # any line: nobody logs in as that one
                        *shlex.split(arguments)], check=True, capture_output=True, cwd="/", **user)
        statements = [f'''CREATE ROLE "{name}" SUPERUSER LOGIN PASSWORD '{(self.secrets / f"{name}_password").read_text()}'\nCREATE DATABASE "{name}"\n'''
                      for name in (services()[f"postgres-{name}"]["environment"]["POSTGRES_USER"] for name in SERVICES)]
        subprocess.run([postgres_bin() / "postgres", "--single", "-D", base / "data", "postgres"], input="".join(statements),
                       text=True, check=True, capture_output=True, cwd="/", **user)
        self.spawn("postgres", [postgres_bin() / command[0], *command[1:], "-D", base / "data", "-k", socket_folder, "-c", "listen_addresses="],
                   cwd="/", **user)
        return socket_folder

    def redis(self):
        command = [self.here(word) for word in services()["redis"]["command"]]
        command[command.index("6379")] = str(self.ports["redis"])
        self.spawn("redis", [*command, "--dir", self.folder, "--bind", "127.0.0.1"])

    def marca(self, name, socket_folder):
        environment = {key: self.here(value) for key, value in services()[name]["environment"].items()}
        own = self.folder / name
        own.mkdir()
        for key in [key for key in environment if key.endswith("_URL_FILE")]:
            text = pathlib.Path(environment[key]).read_text()
            text = text.replace("/run/postgresql", str(socket_folder)).replace("@redis:6379", f"@127.0.0.1:{self.ports['redis']}")
            (own / key).write_text(text)
            (own / key).chmod(0o440)
            environment[key] = str(own / key)
        environment |= {"MARCA_LISTEN": f"0.0.0.0:{self.ports[name]}", "MARCA_DATA": str(own), "PATH": os.environ["PATH"], "MARCA_STRICT": "1",
                        "TRUSTED_PROXIES": "127.0.0.1", **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
        self.spawn(name, [harness.binary(), "serve"], environment)
        return environment

    def healthy(self, name, environment):
        check = [harness.binary(), *services()[name]["healthcheck"]["test"][2:]]
        self.await_(name, lambda: subprocess.run(check, env=environment, capture_output=True, check=False).returncode == 0)


def test_the_fleet_runs_as_it_is_described(secrets):
    with contextlib.ExitStack() as stack:
        fleet = Processes(secrets, stack)
        fleet.redis()
        socket_folder = fleet.postgres()
        check = services()["redis"]["healthcheck"]["test"][1].replace("redis-cli", f"redis-cli -p {fleet.ports['redis']}")
        fleet.await_("redis", lambda: subprocess.run(fleet.here(check), shell=True, check=False).returncode == 0)
        context = ssl.create_default_context(cafile=secrets / "redis_certificate")
        with context.wrap_socket(socket.create_connection(("127.0.0.1", fleet.ports["redis"])), server_hostname="redis"):
            pass
        environments = {name: fleet.marca(name, socket_folder) for name in SERVICES}
        for name in SERVICES:
            fleet.healthy(name, environments[name])
        nginx = stack.enter_context(gateway.Gateway({name: [f"127.0.0.1:{fleet.ports[name]}"] for name in SERVICES}))

        # The health check of the gateway's image.
        words = re.search(r"CMD \[\"/bin/bash\", \"-c\", \"(.*)\"\]", stages()["gateway"])[1].replace("\\\\", "\\")
        healthy = lambda port: subprocess.run(["bash", "-c", words.replace("127.0.0.1/8000", f"127.0.0.1/{port}")], check=False, capture_output=True).returncode
        assert healthy(nginx.port) == 0 and healthy(harness.free_port()) != 0

        api = nginx.api()
        assert api.post("/tenants/", {"name": "x"}).status == 401, "whoever comes from outside is nobody"
        token = subprocess.run([harness.binary(), "token"], env=environments["user"], capture_output=True, text=True, check=True).stdout.strip()
        api = api.bearing(token)
        stack.callback(api.close)
        tenant = harness.make_tenant(api)
        user = harness.make_user(api, tenant)
        resource = harness.make_resource(api, tenant, harness.make_category(api, tenant))
        day = datetime.date.today() + datetime.timedelta(days=2)
        free = api.get(f"/resources/{resource['id']}/availability", data=day.isoformat()).json
        assert free["slots"], free
        # Whoever watches asks the services themselves, with a token of his own.
        watcher = harness.Api(f"127.0.0.1:{fleet.ports['booking']}", {"Authorization": f"Bearer {(secrets / 'metrics_token').read_text()}"})
        with contextlib.closing(watcher):
            assert "marca_requests_total" in watcher.get("/metrics").text
        assert [row["id"] for row in api.get("/users/", tenant_id=tenant["id"]).json] == [user["id"]]

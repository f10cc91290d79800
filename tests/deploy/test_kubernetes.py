"""deploy/kubernetes: what its objects say agrees with marca, with the images and with one another. That Kubernetes takes
them is held in files.test.mjs."""
import copy
import functools
import ipaddress
import re

import pytest
import yaml

import gateway
import harness
import kustomize
from test_compose import SERVICES, stages

FOLDER = harness.ROOT / "deploy/kubernetes"
OVERLAYS = ("development", "production")
# Made by the operator, not by kustomize: deploy/README.md.
SECRETS = {"marca-shared": {"REDIS_URL", "SERVICE_KEY", "METRICS_TOKEN"}, "marca-keys": None,
           **{f"marca-{name}": {f"{name.upper()}_DATABASE_URL"} for name in SERVICES}}


@functools.cache
def rendered(overlay):
    return kustomize.build(FOLDER / overlay)


@pytest.fixture(params=OVERLAYS)
def objects(request):
    return copy.deepcopy(rendered(request.param))


def of(objects, kind):
    return {document["metadata"]["name"]: document for document in objects if document["kind"] == kind}


def pods(objects):
    """The name of whatever makes it, to a pod's template."""
    return {document["metadata"]["name"]: document["spec"]["template"] for document in objects if document["kind"] in ("Deployment", "Job")}


def matches(selector, labels):
    return selector is not None and all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())


# --- marca's settings ----------------------------------------------------------------------


def test_every_object_is_there(objects):
    assert of(objects, "Deployment").keys() == {"gateway", *SERVICES} == of(objects, "Service").keys()
    assert of(objects, "Job").keys() == {f"migrate-{name}" for name in SERVICES}
    for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"):
        assert of(objects, kind).keys() == {"gateway", *SERVICES}
    assert len({document["metadata"].get("namespace") for document in objects if document["kind"] != "Namespace"}) == 1


def test_no_variable_is_misspelt(objects):
    known = harness.settings()
    named = set(of(objects, "ConfigMap")["marca"]["data"])
    for template in pods(objects).values():
        named |= {variable["name"] for container in template["spec"]["containers"] for variable in container.get("env", [])}
    named |= {key for keys in SECRETS.values() for key in keys or ()}
    assert len(named) > 15 and not named - known


def test_secrets_are_by_reference(objects):
    assert "Secret" not in {document["kind"] for document in objects}
    wanted = {}
    for template in pods(objects).values():
        for container in kustomize.pod_containers({"spec": {"template": template}}):
            for variable in container.get("env", []):
                if "valueFrom" in variable:
                    reference = variable["valueFrom"]["secretKeyRef"]
                    wanted.setdefault(reference["name"], set()).add(reference["key"])
                else:
                    assert not re.search(r"(SECRET|PASSWORD|_KEY$|DATABASE_URL|REDIS_URL)", variable["name"])
            for source in container.get("envFrom", []):
                if "secretRef" in source:
                    wanted.setdefault(source["secretRef"]["name"], SECRETS["marca-shared"])
        for volume in template["spec"].get("volumes", []):
            if "secret" in volume:
                wanted.setdefault(volume["secret"]["secretName"], None)
    assert wanted == SECRETS
    text = (harness.ROOT / "deploy/README.md").read_text()
    for name in ("marca-shared", "marca-$name", "marca-keys", "marca-authorities"):
        assert f" {name} " in text, f"deploy/README.md does not tell how {name} is made"


def test_every_service_is_somewhere_and_found(objects):
    config = of(objects, "ConfigMap")["marca"]["data"]
    for name, services in SERVICES.items():
        for maker in (name, f"migrate-{name}"):
            env = {variable["name"]: variable.get("value") for variable in pods(objects)[maker]["spec"]["containers"][0]["env"]}
            assert set(env["MARCA_SERVICE"].split(",")) == services
            databases = {variable for variable in env if variable.endswith("_DATABASE_URL")}
            assert databases == {f"{service.upper()}_DATABASE_URL" for service in services}
        port = of(objects, "Service")[name]["spec"]["ports"][0]["port"]
        assert config[f"{name.upper()}_SERVICE_URL"] == f"http://{name}:{port}"
        assert pods(objects)[name]["spec"]["containers"][0]["args"] == ["serve"]
    for host, port in re.findall(r"server (\w+):(\d+);", (gateway.NGINX / "upstreams.conf").read_text()):
        assert int(port) == of(objects, "Service")[host]["spec"]["ports"][0]["port"]


def test_ports_are_those_of_the_images(objects):
    listen = int(of(objects, "ConfigMap")["marca"]["data"]["MARCA_LISTEN"].rpartition(":")[2])
    site = of(objects, "ConfigMap")["gateway-site"]["data"]["site.conf"]
    assert set(re.findall(r"^listen (?:\[::\]:)?(\d+) ", site, re.M)) == {str(listen)}
    for name in ("gateway", *SERVICES):
        container = pods(objects)[name]["spec"]["containers"][0]
        assert container["ports"] == [{"name": "http", "containerPort": listen}]
        assert f"EXPOSE {listen}" in stages()["gateway" if name == "gateway" else "marca"]
        assert of(objects, "Service")[name]["spec"]["ports"][0]["targetPort"] == "http"
        assert {probe for probe in container if probe.endswith("Probe")} == {"startupProbe", "livenessProbe", "readinessProbe"}


# --- What a pod may ---------------------------------------------------------------------------


def test_a_pod_can_do_little(objects):
    for name, template in pods(objects).items():
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False and spec["serviceAccountName"] in of(objects, "ServiceAccount"), name
        assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["securityContext"]["runAsUser"] == 10001, "the image's"
        assert not any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")) and not any("hostPath" in volume for volume in spec["volumes"])
        for container in kustomize.pod_containers({"spec": {"template": template}}):
            assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
            assert container["resources"]["requests"].keys() == {"cpu", "memory"} and "memory" in container["resources"]["limits"]


def test_what_is_mounted_is_there(objects):
    maps = of(objects, "ConfigMap").keys() | {"marca-authorities"}
    for name, template in pods(objects).items():
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        containers = kustomize.pod_containers({"spec": {"template": template}})
        assert {mount["name"] for container in containers for mount in container["volumeMounts"]} == volumes.keys(), name
        assert all(volume["configMap"]["name"] in maps for volume in volumes.values() if "configMap" in volume)
        assert all(source["configMapRef"]["name"] in maps for container in containers for source in container.get("envFrom", []) if "configMapRef" in source)


def test_stopping_takes_less_than_it_may(objects):
    """Some seconds until the cluster knows, then what is in hand; nginx waits for its slowest reply."""
    drain = int(re.search(r"^#MARCA_DRAIN_SECONDS=(\d+)$", (harness.ROOT / ".env.example").read_text(), re.M)[1])
    delay = int(of(objects, "ConfigMap")["marca"]["data"]["MARCA_DRAIN_DELAY_SECONDS"])
    assert delay > 0
    for name in SERVICES:
        assert pods(objects)[name]["spec"]["terminationGracePeriodSeconds"] > delay + drain
    read = int(re.search(r"proxy_read_timeout (\d+)s;", (gateway.NGINX / "nginx.conf").read_text())[1])
    spec = pods(objects)["gateway"]["spec"]
    command = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert command == ["/bin/sleep", str(delay)] and spec["terminationGracePeriodSeconds"] > delay + read


# --- Who finds whom ------------------------------------------------------------------------------


def test_selectors_select(objects):
    for name in ("gateway", *SERVICES):
        labels = pods(objects)[name]["metadata"]["labels"]
        assert matches(of(objects, "Deployment")[name]["spec"]["selector"], labels)
        assert all(labels.get(key) == value for key, value in of(objects, "Service")[name]["spec"]["selector"].items())
        assert matches(of(objects, "PodDisruptionBudget")[name]["spec"]["selector"], labels)
        target = of(objects, "HorizontalPodAutoscaler")[name]["spec"]["scaleTargetRef"]
        assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        assert "replicas" not in of(objects, "Deployment")[name]["spec"], "the autoscaler's to say"


def allowed(objects, source, target, port=8000):
    """May a pod of one maker talk to one of another, by all policies together?"""
    labels = {name: template["metadata"]["labels"] for name, template in pods(objects).items()}

    def permits(name, direction, side, other):
        policies = [policy["spec"] for policy in of(objects, "NetworkPolicy").values() if matches(policy["spec"]["podSelector"], labels[name])]
        assert policies, f"no policy holds {name}"
        return any(rule_port.get("port") in (port, "http") for policy in policies for rule in policy.get(direction, [])
                   if side not in rule or any("namespaceSelector" not in peer and matches(peer.get("podSelector"), other) for peer in rule[side])
                   for rule_port in rule["ports"])

    return permits(source, "egress", "to", labels[target]) and permits(target, "ingress", "from", labels[source])


def test_who_may_talk_to_whom(objects):
    jobs = [f"migrate-{name}" for name in SERVICES]
    for name in SERVICES:
        assert allowed(objects, "gateway", name) and not allowed(objects, name, "gateway")
        assert all(allowed(objects, name, other) for other in SERVICES)
        assert not any(allowed(objects, job, name) or allowed(objects, name, job) for job in jobs)
    nobody = of(objects, "NetworkPolicy")["nobody"]["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    bad = copy.deepcopy(objects)
    of(bad, "NetworkPolicy")["services"]["spec"]["podSelector"] = {}
    of(bad, "NetworkPolicy")["services"]["spec"]["ingress"][0].pop("from")
    assert allowed(bad, "migrate-user", "user"), "a hole is seen"


def test_a_database_belongs_to_one_service(objects):
    for name in SERVICES:
        policy = of(objects, "NetworkPolicy")[f"database-{name}"]["spec"]
        held = {maker for maker, template in pods(objects).items() if matches(policy["podSelector"], template["metadata"]["labels"])}
        assert held == {name, f"migrate-{name}"}
        assert policy["egress"][0]["to"][0]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": f"postgres-{name}"}


def test_proxies_are_private_networks(objects):
    listed = of(objects, "ConfigMap")["marca"]["data"]["TRUSTED_PROXIES"].split(",")
    site = re.findall(r"^set_real_ip_from (\S+);$", of(objects, "ConfigMap")["gateway-site"]["data"]["site.conf"], re.M)
    assert listed == site and all(ipaddress.ip_network(network).is_private for network in listed)


def test_overlays_differ_as_they_should():
    one, two = ({**of(rendered(overlay), "ConfigMap")["marca"]["data"]} for overlay in OVERLAYS)
    assert one["ENVIRONMENT"] == "development" and two["ENVIRONMENT"] == "production"
    assert two["PUBLIC_URL"].startswith("https://")
    for overlay in OVERLAYS:
        for template in pods(rendered(overlay)).values():
            for container in kustomize.pod_containers({"spec": {"template": template}}):
                assert container["image"].count(":") == 1 and (overlay == "development" or not container["image"].endswith(":latest"))
    ingress = of(rendered("production"), "Ingress")["marca"]["spec"]
    backend = ingress["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "gateway", "port": {"name": "http"}} and two["PUBLIC_URL"] == f"https://{ingress['rules'][0]['host']}"


# --- The emulation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [
    {"resources": ["a.yaml", "a.yaml"]}, {"replacements": []}, {"patches": [{"target": {"kind": "Job"}, "patch": "{}"}]},
    {"patches": [{"target": {"kind": "Service"}, "patch": "[{op: replace, path: /spec/no, value: 1}]"}]},
    {"configMapGenerator": [{"name": "x", "behavior": "merge", "literals": ["A=1"]}]},
])
def test_what_kustomize_refuses_is_refused(tmp_path, change):
    (tmp_path / "a.yaml").write_text("{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {}}")
    plan = {"resources": ["a.yaml"], **change}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(plan))
    with pytest.raises(kustomize.Refused):
        kustomize.build(tmp_path)


def test_a_patch_is_merged():
    base = {"spec": {"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}], "image": "i"}], "list": [1, 2]}}
    patch = {"spec": {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}], "image": None}, {"name": "b"}], "list": [3]}}
    assert kustomize.merged(base, patch) == {"spec": {"list": [3], "containers": [
        {"name": "b"}, {"name": "a", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}]}]}}

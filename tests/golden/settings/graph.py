"""Everything that a file may say about where and how a function runs."""
import os

import mlrun
import nuclio
import requests
from kubernetes import client as k8s

fn = mlrun.new_function("settings", kind="serving", image="registry.example.com/base:1.2", requirements=["pandas"])

# the image
fn.with_requirements(requirements_file="./requirements.txt")
fn.with_commands(["apt-get update \\", "  && apt-get install -y libgomp1"])
fn.spec.build.commands.append("@nuclio.postCopy")
fn.spec.build.commands.append('python -c "import nltk; nltk.download(\'punkt\')"')
fn.spec.nuclio_runtime = "python:3.10"
fn.spec.description = "what it is for: everything"

# the environment
fn.set_envs({"LEVEL": 1, "NAME": "a 'b' \"c\"", "ANSWER": "yes"})
fn.set_envs(file_path="service.env")
fn.set_env("NODE", value_from=k8s.V1EnvVarSource(field_ref=k8s.V1ObjectFieldSelector(field_path="spec.nodeName")))
fn.set_env_from_secret("TOKEN", "services", "token")
fn.set_env("ACCOUNT", os.environ["AWS_ACCOUNT"]).set_env("LEVEL", 2)
run = mlrun.get_run_db().read_run("latest")
fn.set_envs({"MODEL": run.outputs["model"], "PREFIX": f"{os.environ['STAGE']}/models", "SIZE": os.getenv("SIZE", "10")})
fn.spec.env.append({"name": "CACHE", "value": "/tmp/cache"})

# the pods
fn.with_limits(mem="1Gi", cpu=2, gpus=1)
fn.with_limits(cpu="1500m", patch=True)
fn.with_requests(mem="512Mi", cpu=0.5)
fn.spec.min_replicas = 2
fn.spec.max_replicas = 3
fn.spec.readiness_timeout = 60 * 20
fn.spec.service_account = "scorer"
fn.spec.service_type = "ClusterIP"
fn.with_node_selection(
    node_selector={"app.iguazio.com/node-group": "gpu"},
    affinity=k8s.V1Affinity(
        node_affinity=k8s.V1NodeAffinity(
            required_during_scheduling_ignored_during_execution=k8s.V1NodeSelector(
                node_selector_terms=[
                    k8s.V1NodeSelectorTerm(
                        match_expressions=[k8s.V1NodeSelectorRequirement(key="zone", operator="In", values=["a", "b"])]
                    )
                ]
            )
        )
    ),
    tolerations=[k8s.V1Toleration(key="gpu", operator="Exists", effect="NoSchedule")],
)
fn.with_priority_class("igz-workload-medium")
fn.with_preemption_mode("allow")
fn.with_security_context(k8s.V1SecurityContext(run_as_user=1000, run_as_group=3000))
fn.set_image_pull_configuration("IfNotPresent", "registry-credentials")
fn.with_annotations({"team.example.com/owner": "search", "revision": 7})
fn.set_label("team", "search")
fn.metadata.labels["tier"] = "serving"

# triggers, and what has no method of its own
fn.with_http(
    workers=4,
    port=31010,
    host="scorer.example.com",
    paths=["/score", "/v2"],
    secret="scorer-tls",
    canary=20,
    worker_timeout=5,
    gateway_timeout=90,
    annotations={"nginx.ingress.kubernetes.io/ssl-redirect": "true"},
    extra_attributes={"maxRequestBodySize": 8 * 1024 * 1024},
)
fn.add_trigger("nightly", nuclio.CronTrigger(schedule="0 4 * * *", body='{"url": "all"}', headers={"X-Run": "nightly"}))
fn.add_trigger("often", {"kind": "cron", "maxWorkers": 2, "attributes": {"interval": "90s"}})
fn.set_config("spec.loggerSinks", [{"level": "warn"}])
fn.set_config("spec.eventTimeout", "2m")
fn.set_config("spec.triggers.http.workerTerminationTimeout", "2s")
fn.verbose = True


def call(body):
    return requests.get(body["url"]).json()


fn.set_topology("flow", engine="sync").to(name="call", handler="call")
